package remedy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/redact"
)

// Needs is why a step cannot be planned yet: a look would tell.
type Needs struct{ Want incident.Want }

func (n *Needs) Error() string {
	return n.Want.Action + " of " + n.Want.Target.String() + " is needed first"
}

// Managed names the tool that brings the owner: Argo CD, Flux, Helm, or GitOps
// where only their object in the evidence says so. Empty: nobody does.
func Managed(r Request) string { return diagnose.Managed(r.Evidence, r.Diagnosis.Owner) }

// Expand is what a step of a rung becomes for this object. What Git brings is
// changed in Git; a lasting change that no repository is known for is made in the
// cluster, once a human agrees; and a rollback in the cluster needs its controller
// kept still around it, or it is undone at once.
func Expand(r Request, step incident.Step) ([]incident.Step, error) {
	tool, lasting := Managed(r), step.Action == resourcesAction || step.Action == pullRequestAction
	repo, known := r.repositoryOf(r.Diagnosis.Owner)
	switch {
	case step.Action == pullRequestAction && !known && raisesAutoscaler(step.Params):
		return []incident.Step{r.byHand(step, "no repository of inventory.repositories brings it")}, nil
	case lasting && known && (tool != "" || step.Action == pullRequestAction):
		return r.inGit(step, repo)
	case tool == "" && step.Action == pullRequestAction:
		step.Action, step.Mode, step.Window = resourcesAction, incident.Approve, 0
	case tool != "" && (lasting || step.Action == "k8s.deployment.scale"):
		return nil, &Refusal{step.Action, fmt.Sprintf("%s is brought by %s, which would undo it: the change belongs in Git, and no repository of inventory.repositories brings it",
			clip(r.Diagnosis.Owner.String(), 200), tool)}
	case tool != "" && step.Action == "k8s.deployment.rollback":
		return aroundRollback(r, step, tool)
	}
	return []incident.Step{step}, nil
}

// inGit is a lasting change as a pull request. A file that held a secret cannot be
// written back, and becomes a ticket.
func (r Request) inGit(step incident.Step, repo incident.Repository) ([]incident.Step, error) {
	holds := slices.ContainsFunc(r.Evidence.Files, func(f evidence.File) bool {
		return f.Repo == repo.Repo && strings.Contains(f.Content, redact.Hole)
	})
	step.Action = pullRequestAction
	r.Action, r.Params = step.Action, step.Params
	_, err := buildPullRequest(r)
	switch {
	case errors.Is(err, errNoFile) && !holds:
		return nil, &Needs{incident.Want{Action: CollectFiles, Target: r.Diagnosis.Owner}}
	case holds:
		return []incident.Step{r.byHand(step, "its file in "+repo.Repo+" holds a secret")}, nil
	}
	return []incident.Step{step}, nil
}

// byHand is a lasting change that people make, as a ticket.
func (r Request) byHand(step incident.Step, why string) incident.Step {
	what := "memory limit"
	if raisesAutoscaler(step.Params) {
		what = "autoscaler's maximum"
	}
	return incident.Step{Action: "ticket.create", Mode: incident.Auto, Independent: step.Independent, Params: map[string]any{
		"title": "Raise the " + what + " of " + r.Diagnosis.Owner.String() + " by hand: " + why,
	}}
}

// aroundRollback keeps what follows Git still while the rollback lasts. It is let
// go again by a human's yes; at once where the rollback failed.
func aroundRollback(r Request, step incident.Step, tool string) ([]incident.Step, error) {
	managers := diagnose.Managers(r.Evidence, r.Diagnosis.Owner)
	switch {
	case tool == "Helm":
		return []incident.Step{step}, nil // nobody is there to undo it
	case len(managers) != 1:
		return nil, &Refusal{step.Action, fmt.Sprintf("%s is brought by %s, whose object is not in the evidence: whether it would undo the rollback is not known",
			clip(r.Diagnosis.Owner.String(), 200), tool)}
	case !managers[0].AutoSync || managers[0].Suspended:
		return []incident.Step{step}, nil
	}
	suspend, resume := step, step
	suspend.Action, suspend.Params = "gitops.suspend", nil
	resume.Action, resume.Params, resume.OnFailure = "gitops.resume", nil, true
	resume.Independent = true // the watch does not wait for it
	return []incident.Step{suspend, step, resume}, nil
}
