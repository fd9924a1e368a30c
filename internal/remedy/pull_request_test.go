package remedy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/remedy"
)

const manifest = `# Owned by team shop.
apiVersion: v1
kind: Service
metadata: {name: api-gateway}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api-gateway
  namespace: production
spec:
  template:
    spec:
      containers:
        - name: proxy
          resources: {limits: {memory: 64Mi}}
        - name: app   # the one that leaks
          env: [{name: A, value: "memory: 512Mi"}]
          resources:
            limits:
              memory: "512Mi"   # raised in March
              cpu: 1
            requests:
              memory: 256Mi
`

// inGit is the out-of-memory pod of a workload that Argo CD brings from Git.
func inGit(action string) remedy.Request {
	r := rolledOut(action)
	r.Incident.Number = 1042
	r.Repositories = []incident.Repository{
		{Repo: "acme/other", Base: "main", Clusters: []string{"*"}, Namespaces: []string{"other"}, Paths: []string{"*"}},
		{Repo: "acme/deploy", Base: "prod", Clusters: []string{"prod"}, Namespaces: []string{"production"}, Paths: []string{"apps/*.yaml"}},
	}
	r.Evidence.Files = []evidence.File{
		{Repo: "acme/deploy", Path: "apps/readme.md", BlobSHA: "0", Content: "# nothing"},
		{Repo: "acme/deploy", Path: "apps/api.yaml", BlobSHA: "abc", Content: manifest},
	}
	return r
}

func TestPullRequest(t *testing.T) {
	in := build(t, inGit("git.pull_request"))
	want := strings.Replace(manifest, `memory: "512Mi"   # raised`, `memory: "768Mi"   # raised`, 1)
	files, _ := part(t, in.Execute, "files").([]any)
	if diff := cmp.Diff([]any{map[string]any{"path": "apps/api.yaml", "blob_sha": "abc", "content": want}}, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for key, want := range map[string]any{"shape": "pull_request", "repo": "acme/deploy", "base": "prod", "cluster": "prod",
		"title": "Raise the memory limit of production/api-gateway, container app, to 768Mi"} {
		if got := part(t, in.Execute, key); got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	branch, _ := part(t, in.Execute, "branch").(string)
	if !strings.HasPrefix(branch, "salve/inc-1042-") || len(branch) != len("salve/inc-1042-")+8 {
		t.Errorf("branch %q", branch)
	}
	if in.Summary != "Open a pull request in acme/deploy: raise the memory limit of production/api-gateway, container app, to 768Mi (now 512Mi)." {
		t.Errorf("summary %q", in.Summary)
	}
	if part(t, in.Params, "from") != "512Mi" || part(t, in.Params, "to") != "768Mi" {
		t.Errorf("params %s", in.Params)
	}
}

func TestPullRequestsThatAreRefused(t *testing.T) {
	file := func(change func(*evidence.File)) func(*remedy.Request) {
		return func(r *remedy.Request) { change(&r.Evidence.Files[1]) }
	}
	for name, c := range map[string]struct {
		change func(*remedy.Request)
		reason string
	}{
		"no repository":           {func(r *remedy.Request) { r.Repositories = r.Repositories[:1] }, "no repository of inventory.repositories brings namespace production"},
		"no file":                 {func(r *remedy.Request) { r.Evidence.Files = nil }, "collect.files brings them"},
		"a path that climbs":      {file(func(f *evidence.File) { f.Path = "apps/../../x.yaml" }), "collect.files brings them"},
		"a path that is not ours": {file(func(f *evidence.File) { f.Path = "secrets/api.yaml" }), "collect.files brings them"},
		"another repository":      {file(func(f *evidence.File) { f.Repo = "evil/deploy" }), "collect.files brings them"},
		"no manifest":             {file(func(f *evidence.File) { f.Content = "a: [" }), "collect.files brings them"},
		"another namespace": {file(func(f *evidence.File) {
			f.Content = strings.Replace(manifest, "namespace: production", "namespace: staging", 1)
		}), "collect.files brings them"},
		"changed in Git already": {file(func(f *evidence.File) { f.Content = strings.Replace(manifest, `"512Mi"   #`, `"1Gi"   #`, 1) }), "says 1Gi where the cluster has 512Mi: somebody changes it already"},
		"no version":             {file(func(f *evidence.File) { f.BlobSHA = "" }), "does not say which version"},
		"a secret was left out":  {file(func(f *evidence.File) { f.Content = strings.Replace(manifest, "Owned by team shop", "[redacted]", 1) }), "would hold [redacted]"},
	} {
		r := inGit("git.pull_request")
		c.change(&r)
		if _, err := remedy.Build(r); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want %q", name, err, c.reason)
		}
	}
}

// Whatever stands around it, exactly one word of the file changes.
func TestOneWordOfTheFileChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quote := rapid.SampledFrom([]string{"", `"`, "'"}).Draw(t, "quote")
		before := strings.Repeat("# ünïcode 512Mi\n", rapid.IntRange(0, 3).Draw(t, "comments"))
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "line end")
		text := strings.ReplaceAll(before+strings.Replace(manifest, `"512Mi"`, quote+"512Mi"+quote, 1), "\n", end)
		r := inGit("git.pull_request")
		r.Evidence.Files[1].Content = text
		in, err := remedy.Build(r)
		if err != nil {
			t.Fatal(err)
		}
		files, _ := member(in.Execute, "files").([]any)
		file, _ := files[0].(map[string]any)
		want := strings.Replace(text, "memory: "+quote+"512Mi"+quote+"   #", "memory: "+quote+"768Mi"+quote+"   #", 1)
		if file["content"] != want {
			t.Fatalf("%s", cmp.Diff(want, file["content"]))
		}
	})
}

func TestExpand(t *testing.T) {
	step := func(action string) incident.Step {
		return incident.Step{Action: action, Mode: incident.Auto, Independent: true, Params: map[string]any{"memory_factor": 1.5}}
	}
	nobody := func(r *remedy.Request) { r.Evidence.GitOps = nil }
	noRepo := func(r *remedy.Request) { r.Repositories = nil }
	for _, c := range []struct {
		name, action string
		change       []func(*remedy.Request)
		want         string // actions with modes, or the refusal
	}{
		{"brought by Git", "k8s.deployment.resources", nil, "git.pull_request auto"},
		{"a pull request", "git.pull_request", nil, "git.pull_request auto"},
		{"a pull request for what is in Git though nobody marks it", "git.pull_request", []func(*remedy.Request){nobody}, "git.pull_request auto"},
		{"nobody brings it, and no repository", "git.pull_request", []func(*remedy.Request){nobody, noRepo}, "k8s.deployment.resources approve"},
		{"the cluster, as policy says", "k8s.deployment.resources", []func(*remedy.Request){nobody, noRepo}, "k8s.deployment.resources auto"},
		{"brought by Git, and no repository", "k8s.deployment.resources", []func(*remedy.Request){noRepo}, "is brought by GitOps, which would undo it"},
		{"scaled, though Git says how many", "k8s.deployment.scale", []func(*remedy.Request){noRepo}, "is brought by GitOps, which would undo it"},
		{"the files were not read", "git.pull_request", []func(*remedy.Request){func(r *remedy.Request) { r.Evidence.Files = nil }}, "collect.files of production/Deployment/api-gateway is needed first"},
		{"a file that holds a secret", "git.pull_request", []func(*remedy.Request){func(r *remedy.Request) { r.Evidence.Files[1].Content += "# [redacted]\n" }}, "ticket.create auto"},
		{"a rollback under automatic sync", "k8s.deployment.rollback", nil, "gitops.suspend auto, k8s.deployment.rollback auto, gitops.resume auto"},
		{"a rollback without it", "k8s.deployment.rollback", []func(*remedy.Request){func(r *remedy.Request) { r.Evidence.GitOps[0].AutoSync = false }}, "k8s.deployment.rollback auto"},
		{"a rollback of what Helm brought", "k8s.deployment.rollback", []func(*remedy.Request){nobody, func(r *remedy.Request) {
			r.Evidence.Deployments[0].Annotations["meta.helm.sh/release-name"] = "api"
		}}, "k8s.deployment.rollback auto"},
		{"a rollback under a controller nobody saw", "k8s.deployment.rollback", []func(*remedy.Request){nobody, func(r *remedy.Request) {
			r.Evidence.Deployments[0].Labels = map[string]string{"argocd.argoproj.io/instance": "api"}
		}}, "whether it would undo the rollback is not known"},
		{"a restart", "k8s.pod.restart", nil, "k8s.pod.restart auto"},
	} {
		r := inGit(c.action)
		for _, change := range c.change {
			change(&r)
		}
		steps, err := remedy.Expand(r, step(c.action))
		var words []string
		for _, s := range steps {
			words = append(words, s.Action+" "+string(s.Mode))
		}
		got := strings.Join(words, ", ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if needs, ok := errors.AsType[*remedy.Needs](err); ok && needs.Want.Action != "collect.files" {
			t.Errorf("%s: %+v", c.name, needs)
		}
	}
	steps, err := remedy.Expand(inGit("k8s.deployment.rollback"), step("k8s.deployment.rollback"))
	if err != nil || !steps[2].OnFailure || steps[0].OnFailure || steps[1].OnFailure {
		t.Errorf("%v, %+v", err, steps)
	}
}
