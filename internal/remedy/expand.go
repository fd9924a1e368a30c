package remedy

import (
	"fmt"

	"salve/internal/diagnose"
	"salve/internal/incident"
)

// Managed names the tool that brings the owner: Argo CD, Flux, Helm, or GitOps
// where only their object in the evidence says so. Empty: nobody does.
func Managed(r Request) string { return diagnose.Managed(r.Evidence, r.Diagnosis.Owner) }

// Expand is what a step of a rung becomes for this object. What Git brings is
// changed in Git; and a rollback in the cluster needs its controller kept still
// around it, or it is undone at once.
func Expand(r Request, step incident.Step) ([]incident.Step, error) {
	tool := Managed(r)
	switch {
	case tool == "":
		return []incident.Step{step}, nil
	case step.Action == resourcesAction || step.Action == "k8s.deployment.scale":
		return nil, &Refusal{step.Action, fmt.Sprintf("%s is brought by %s, which would undo it: the change belongs in Git",
			clip(r.Diagnosis.Owner.String(), 200), tool)}
	case step.Action == "k8s.deployment.rollback":
		return aroundRollback(r, step, tool)
	}
	return []incident.Step{step}, nil
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
