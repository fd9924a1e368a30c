package intake

import (
	"cmp"
	"strings"

	"salve/internal/incident"
)

// GitHub's webhooks deployment_status and workflow_run. Source: GitHub, "Webhook
// events and payloads".
var fromGitHub = sender{"github", "GitHub's webhook deployment_status or workflow_run", readGitHub}

type gitHubEvent struct {
	Action     string `json:"action"`
	Zen        string `json:"zen"`
	Repository struct {
		FullName string `json:"full_name"`
		Name     string `json:"name"`
	} `json:"repository"`
	Status *struct {
		State       string `json:"state"`
		Description string `json:"description"`
		URL         string `json:"target_url"`
		Environment string `json:"environment"`
		UpdatedAt   string `json:"updated_at"`
	} `json:"deployment_status"`
	Deployment struct {
		Ref         string `json:"ref"`
		SHA         string `json:"sha"`
		Environment string `json:"environment"`
	} `json:"deployment"`
	Run *struct {
		Name       string `json:"name"`
		Status     string `json:"status"`
		Conclusion string `json:"conclusion"`
		Branch     string `json:"head_branch"`
		SHA        string `json:"head_sha"`
		URL        string `json:"html_url"`
		UpdatedAt  string `json:"updated_at"`
	} `json:"workflow_run"`
}

// ended are GitHub's words for how something ended; what is none of them goes on.
var ended = map[string]incident.AlertStatus{
	"failure": incident.Firing, "error": incident.Firing, "timed_out": incident.Firing, "startup_failure": incident.Firing,
	"success": incident.Resolved,
}

func readGitHub(raw []byte, f *findings) (told, bool) {
	e, ok := decodeLoose[gitHubEvent](raw, f)
	switch {
	case !ok:
		return told{}, false
	case e.Zen != "":
		return told{name: "ping", fingerprint: []string{"ping"}, suppress: "a ping: GitHub asks whether somebody is there"}, true
	case e.Repository.FullName == "":
		f.refuse("/repository/full_name", "is missing; GitHub's webhooks have one")
		return told{}, false
	case e.Status != nil:
		return e.deployed(), true
	case e.Run != nil:
		return e.ran(), true
	}
	f.refuse("", "is neither deployment_status nor workflow_run; of GitHub's events these two are taken")
	return told{}, false
}

func (e gitHubEvent) deployed() told {
	environment := cmp.Or(e.Status.Environment, e.Deployment.Environment)
	t := told{
		name: "DeploymentFailed", kind: "deploy.failed", severity: incident.High, service: e.Repository.Name, at: moment(e.Status.UpdatedAt),
		message:     strings.TrimSpace("the deployment of " + e.Repository.FullName + " " + cmp.Or(e.Deployment.Ref, e.Deployment.SHA) + " to " + environment + " ended as " + e.Status.State + ". " + e.Status.Description),
		fingerprint: []string{"deployment", e.Repository.FullName, environment},
		labels: map[string]string{
			"alertname": "DeploymentFailed", "repository": e.Repository.FullName, "environment": environment, "ref": e.Deployment.Ref, "sha": e.Deployment.SHA, "url": e.Status.URL,
		},
	}
	return t.end(e.Status.State, "the deployment is "+e.Status.State)
}

func (e gitHubEvent) ran() told {
	t := told{
		name: "WorkflowFailed", kind: "deploy.failed", severity: incident.Warning, service: e.Repository.Name, at: moment(e.Run.UpdatedAt),
		message:     "workflow " + e.Run.Name + " of " + e.Repository.FullName + " on " + e.Run.Branch + " ended as " + e.Run.Conclusion,
		fingerprint: []string{"workflow", e.Repository.FullName, e.Run.Name, e.Run.Branch},
		labels: map[string]string{
			"alertname": "WorkflowFailed", "repository": e.Repository.FullName, "workflow": e.Run.Name, "branch": e.Run.Branch, "sha": e.Run.SHA, "url": e.Run.URL,
		},
	}
	return t.end(e.Run.Conclusion, "the run is "+cmp.Or(e.Run.Conclusion, e.Run.Status))
}

// end takes GitHub's word for how it ended.
func (t told) end(word, otherwise string) told {
	status, known := ended[word]
	if t.status = status; !known {
		t.suppress = otherwise + ": neither failed nor well"
	}
	return t
}
