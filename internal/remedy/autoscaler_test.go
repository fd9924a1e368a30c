package remedy_test

import (
	"errors"
	"strings"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/remedy"
)

const scaler = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: other}
spec: {maxReplicas: 4}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api-gateway}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api-gateway}
  minReplicas: 2
  maxReplicas: 4 # what the budget of March allows
`

// maxed is an autoscaler that stands at its end, of a workload that comes from Git.
func maxed(params map[string]any) remedy.Request {
	r := inGit("git.pull_request")
	r.Params = params
	r.Diagnosis.Cause = "workload.hpa_maxed"
	r.Evidence.HPAs = []autoscalingv2.HorizontalPodAutoscaler{{
		ObjectMeta: metav1.ObjectMeta{Namespace: "production", Name: "api-gateway", UID: "hpa-uid", Generation: 3},
		Spec:       autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 4, ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "api-gateway"}},
	}}
	r.Evidence.Files = append(r.Evidence.Files, evidence.File{Repo: "acme/deploy", Path: "apps/scale.yaml", BlobSHA: "def", Content: scaler})
	return r
}

func raised(factor float64, ceiling int) map[string]any {
	return map[string]any{"autoscaler_max_factor": factor, "autoscaler_ceiling": ceiling}
}

func TestAutoscalerIsRaisedInGit(t *testing.T) {
	for name, owner := range map[string]incident.Target{
		"the workload":   {Cluster: "prod", Namespace: "production", Kind: "Deployment", Name: "api-gateway"},
		"the autoscaler": {Cluster: "prod", Namespace: "production", Kind: "HorizontalPodAutoscaler", Name: "api-gateway"},
	} {
		r := maxed(raised(1.5, 50))
		r.Diagnosis.Owner, r.Target = owner, owner
		in := build(t, r)
		files, _ := part(t, in.Execute, "files").([]any)
		if len(files) != 1 {
			t.Fatalf("%s: %d files", name, len(files))
		}
		file, _ := files[0].(map[string]any)
		want := strings.Replace(scaler, "maxReplicas: 4 # what", "maxReplicas: 6 # what", 1)
		if file["content"] != want || file["path"] != "apps/scale.yaml" || file["blob_sha"] != "def" {
			t.Errorf("%s: the file is to be\n%v", name, file["content"])
		}
		if !strings.Contains(in.Summary, "raise the maximum of autoscaler production/api-gateway to 6 pods (now 4)") || in.Target.Kind != "HorizontalPodAutoscaler" {
			t.Errorf("%s: %s, about %s", name, in.Summary, in.Target)
		}
	}
}

func TestAutoscalerThatIsNotRaised(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*remedy.Request)
		says   string
	}{
		"at the ceiling":        {func(r *remedy.Request) { r.Params = raised(2, 4) }, "may set 4 pods already, and autoscaler_ceiling is 4"},
		"no autoscaler":         {func(r *remedy.Request) { r.Evidence.HPAs = nil }, "holds no autoscaler"},
		"of another namespace":  {func(r *remedy.Request) { r.Evidence.HPAs[0].Namespace = "stage" }, "holds no autoscaler"},
		"changed in Git":        {func(r *remedy.Request) { r.Evidence.HPAs[0].Spec.MaxReplicas = 8 }, "says 4 where the cluster has 8"},
		"in no file":            {func(r *remedy.Request) { r.Evidence.Files = nil }, "collect.files"},
		"an odd factor":         {func(r *remedy.Request) { r.Params = raised(40, 50) }, "autoscaler_max_factor"},
		"an unknown parameter":  {func(r *remedy.Request) { r.Params["memory_factor"] = 2 }, "memory_factor"},
		"a version not known":   {func(r *remedy.Request) { r.Evidence.Files[2].BlobSHA = "" }, "which version"},
		"outside of the listed": {func(r *remedy.Request) { r.Evidence.Files[2].Path = "secret/scale.yaml" }, "collect.files"},
	} {
		r := maxed(raised(1.5, 50))
		c.change(&r)
		if _, err := remedy.Build(r); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// Files are asked for first; where no repository is known, or its file holds a secret,
// people get a ticket.
func TestAutoscalerExpands(t *testing.T) {
	step := incident.Step{Action: "git.pull_request", Params: raised(1.5, 50)}
	r := maxed(step.Params)
	if steps, err := remedy.Expand(r, step); err != nil || len(steps) != 1 || steps[0].Action != "git.pull_request" {
		t.Errorf("%+v %v, want the pull request", steps, err)
	}
	r.Evidence.Files = nil
	var needs *remedy.Needs
	if _, err := remedy.Expand(r, step); !errors.As(err, &needs) || needs.Want.Action != "collect.files" {
		t.Errorf("%v, want the files first", err)
	}
	r.Repositories = nil
	steps, err := remedy.Expand(r, step)
	if err != nil || len(steps) != 1 || steps[0].Action != "ticket.create" || !strings.Contains(steps[0].Params["title"].(string), "autoscaler's maximum") {
		t.Errorf("%+v %v, want a ticket", steps, err)
	}
}
