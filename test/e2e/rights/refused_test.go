//go:build e2e

package rights

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"salve/test/cluster"
)

// What an intruder would try first with a stolen token.
func TestN8NMayNot(t *testing.T) {
	const in, rbac = "/api/v1/namespaces/shop-refused/", "/apis/rbac.authorization.k8s.io/v1/"
	if err := kube.Namespace(t.Context(), "shop-refused", nil); err != nil {
		t.Fatal(err)
	}
	const binding = `{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"%s","metadata":{"name":"x"},
		"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},
		"subjects":[{"kind":"ServiceAccount","name":"n8n","namespace":"salve"}]}`
	for name, c := range map[string]call{
		"read a secret":                    {method: "GET", path: in + "secrets/x"},
		"list all secrets":                 {method: "GET", path: "/api/v1/secrets"},
		"read config maps":                 {method: "GET", path: in + "configmaps"},
		"run a command in a pod":           {method: "POST", path: in + "pods/x/exec?command=sh"},
		"attach to a pod":                  {method: "POST", path: in + "pods/x/attach"},
		"reach a pod's port":               {method: "POST", path: in + "pods/x/portforward"},
		"add a container to a running pod": {method: "PATCH", path: in + "pods/x/ephemeralcontainers", body: `{}`},
		"change a pod":                     {method: "PATCH", path: in + "pods/x", body: `{}`},
		"start a pod":                      {method: "POST", path: in + "pods", body: `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"containers":[{"name":"x","image":"x"}]}}`},
		"delete a pod":                     {method: "DELETE", path: in + "pods/x"},
		"delete a Deployment":              {method: "DELETE", path: "/apis/apps/v1/namespaces/shop-refused/deployments/x"},
		"delete a namespace":               {method: "DELETE", path: "/api/v1/namespaces/shop-refused"},
		"change a namespace":               {method: "PATCH", path: "/api/v1/namespaces/shop-refused", body: `{}`},
		"delete a node":                    {method: "DELETE", path: "/api/v1/nodes/sim-0"},
		"change a node's status":           {method: "PATCH", path: "/api/v1/nodes/sim-0/status", body: `{}`},
		"reach a kubelet":                  {method: "GET", path: "/api/v1/nodes/sim-0/proxy/pods"},
		"delete a volume claim":            {method: "DELETE", path: in + "persistentvolumeclaims/x"},
		"raise a quota":                    {method: "PATCH", path: in + "resourcequotas/x", body: `{}`},
		"drop a disruption budget":         {method: "DELETE", path: "/apis/policy/v1/namespaces/shop-refused/poddisruptionbudgets/x"},
		"make itself administrator":        {method: "POST", path: rbac + "clusterrolebindings", body: strings.Replace(binding, "%s", "ClusterRoleBinding", 1)},
		"make itself administrator here":   {method: "POST", path: rbac + "namespaces/shop-refused/rolebindings", body: strings.Replace(binding, "%s", "RoleBinding", 1)},
		"widen its own role":               {method: "PATCH", path: rbac + "clusterroles/salve-n8n-repair", body: `{"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}`},
		"drop its admission policy":        {method: "DELETE", path: "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/salve-n8n"},
		"read who may do what":             {method: "GET", path: rbac + "clusterroles"},
		"get another account's token":      {method: "POST", path: in + "serviceaccounts/default/token", body: `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}`},
		"have a certificate signed":        {method: "POST", path: "/apis/certificates.k8s.io/v1/certificatesigningrequests", body: `{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":"x"},"spec":{"signerName":"kubernetes.io/kube-apiserver-client","request":"eA==","usages":["client auth"]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			contentType := "application/json"
			if c.method == http.MethodPatch {
				contentType = "application/merge-patch+json"
			}
			code, answer, err := kube.As(t.Context(), kube.N8NToken, c.method, c.path, contentType, []byte(c.body))
			if err != nil || code != http.StatusForbidden || !strings.Contains(string(answer), "system:serviceaccount:salve:n8n") {
				t.Errorf("%s %s: %d %s %v, want 403 for n8n's account", c.method, c.path, code, answer, err)
			}
		})
	}
}

// may are the rights beyond reading, of every resource that the API server has.
// The last are what every account has: reviews that tell it about itself, and the
// certificates that all may trust.
var may = map[string][]string{
	"pods/eviction": {"create"},
	"deployments":   {"patch"}, "statefulsets": {"patch"}, "daemonsets": {"patch"}, "nodes": {"patch"},
	"jobs":                     {"create"},
	"selfsubjectaccessreviews": {"create"}, "selfsubjectrulesreviews": {"create"}, "selfsubjectreviews": {"create"},
	"clustertrustbundles": {"watch"},
}

// Every verb on every resource that this API server knows is asked about, so that a
// role that grows by a star is noticed.
func TestN8NMayChangeNothingElse(t *testing.T) {
	verbs := []string{"create", "update", "patch", "delete", "deletecollection", "watch", "bind", "escalate", "impersonate", "approve", "sign"}
	asked := 0
	for _, r := range resources(t) {
		for _, verb := range verbs {
			asked++
			want := slices.Contains(may[r.name], verb) && (r.name != "nodes" || r.group == "")
			if got := allowed(t, r, verb); got != want {
				t.Errorf("n8n may %s %s %q: %t, want %t", verb, r.group, r.name, got, want)
			}
		}
	}
	if asked < 300 {
		t.Errorf("only %d questions were asked", asked)
	}
	for _, path := range []string{"/metrics", "/logs/", "/debug/pprof/"} {
		if code, answer, err := kube.As(t.Context(), kube.N8NToken, http.MethodGet, path, "", nil); err != nil || code != http.StatusForbidden {
			t.Errorf("GET %s: %d %.80s %v, want 403", path, code, answer, err)
		}
	}
}

type resource struct{ group, name string }

// resources are those that the API server says it has, subresources too.
func resources(t *testing.T) []resource {
	t.Helper()
	paths := []resource{{"", "/api/v1"}}
	groups, _ := get(t, "/apis")["groups"].([]any)
	for _, g := range groups {
		version, _ := cluster.At(g, "preferredVersion", "groupVersion").(string)
		paths = append(paths, resource{cluster.At(g, "name").(string), "/apis/" + version})
	}
	out := []resource{{"", "users"}, {"", "groups"}, {"", "secrets"}} // users and groups can be impersonated
	for _, p := range paths {
		list, _ := get(t, p.name)["resources"].([]any)
		for _, r := range list {
			out = append(out, resource{p.group, cluster.At(r, "name").(string)})
		}
	}
	return out
}

func allowed(t *testing.T, r resource, verb string) bool {
	t.Helper()
	name, sub, _ := strings.Cut(r.name, "/")
	attributes := cluster.Object{"verb": verb, "group": r.group, "resource": name, "subresource": sub, "namespace": "default"}
	body, err := json.Marshal(cluster.Object{"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
		"spec": cluster.Object{"resourceAttributes": attributes}})
	if err != nil {
		t.Fatal(err)
	}
	code, answer, err := kube.As(t.Context(), kube.N8NToken, http.MethodPost, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "application/json", body)
	if err != nil || code != http.StatusCreated {
		t.Fatalf("may I: %d %s %v", code, answer, err)
	}
	return bytes.Contains(answer, []byte(`"allowed":true`))
}

// What the roles allow and the admission policy does not: a patch of a workload
// that would hand its pods more than they had.
func TestN8NsChangesAreFenced(t *testing.T) {
	const name = "shop-fenced"
	if err := kube.Namespace(t.Context(), name, nil); err != nil {
		t.Fatal(err)
	}
	manifest := strings.Replace(shop, "api:%s", "api:1", 1)
	for _, ns := range []string{name, "kube-system"} {
		if err := kube.Apply(t.Context(), ns, manifest); err != nil {
			t.Fatal(err)
		}
	}
	in := "/apis/apps/v1/namespaces/" + name
	pod := func(part string) string { return `{"spec":{"template":{"spec":` + part + `}}}` }
	for what, c := range map[string]struct {
		path, body string
		says       string // empty: it is admitted
	}{
		"memory":                  {in + "/deployments/api", pod(`{"containers":[{"name":"app","resources":{"limits":{"memory":"384Mi"}}}]}`), ""},
		"another image":           {in + "/deployments/api", pod(`{"containers":[{"name":"app","image":"registry.example.com/shop/api:0"}]}`), ""},
		"a restart in the host":   {in + "/daemonsets/agent", `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"now"}}}}}`, ""},
		"cordon":                  {"/api/v1/nodes/sim-0", `{"spec":{"unschedulable":true}}`, ""},
		"another service account": {in + "/deployments/api", pod(`{"serviceAccountName":"builder"}`), "another service account"},
		"the node's network":      {in + "/deployments/api", pod(`{"hostNetwork":true}`), "reach into its node"},
		"the node's processes":    {in + "/statefulsets/db", pod(`{"hostPID":true}`), "reach into its node"},
		"the node's files":        {in + "/deployments/api", pod(`{"volumes":[{"name":"root","hostPath":{"path":"/"}}]}`), "reach into its node"},
		"privileges":              {in + "/deployments/api", pod(`{"containers":[{"name":"app","securityContext":{"privileged":true}}]}`), "reach into its node"},
		"privileges at the start": {in + "/deployments/api", pod(`{"initContainers":[{"name":"x","image":"x","securityContext":{"privileged":true}}]}`), "reach into its node"},
		"more than its own user":  {in + "/deployments/api", pod(`{"containers":[{"name":"app","securityContext":{"capabilities":{"add":["SYS_ADMIN"]}}}]}`), "reach into its node"},
		"a port below 1024":       {in + "/deployments/api", pod(`{"containers":[{"name":"app","securityContext":{"capabilities":{"add":["NET_BIND_SERVICE"]}}}]}`), ""},
		"more of the host":        {in + "/daemonsets/agent", pod(`{"volumes":[{"name":"root","hostPath":{"path":"/"}}]}`), "reach into its node"},
		"a node's annotations":    {"/api/v1/nodes/sim-0", `{"metadata":{"annotations":{"a":"b"}}}`, "nothing of a node"},
		"kube-system":             {"/apis/apps/v1/namespaces/kube-system/deployments/api", `{"metadata":{"labels":{"a":"b"}}}`, "kube-system"},
		"a node's labels":         {"/api/v1/nodes/sim-0", `{"metadata":{"labels":{"node-role.kubernetes.io/control-plane":""}}}`, "nothing of a node"},
		"a node's taints":         {"/api/v1/nodes/sim-0", `{"spec":{"taints":[{"key":"a","effect":"NoExecute"}]}}`, "nothing of a node"},
	} {
		t.Run(what, func(t *testing.T) {
			code, answer, err := kube.As(t.Context(), kube.N8NToken, http.MethodPatch, c.path+"?dryRun=All", "application/strategic-merge-patch+json", []byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if c.says == "" && code != http.StatusOK {
				t.Errorf("%d %s, want it admitted", code, answer)
			}
			if c.says != "" && (code != http.StatusUnprocessableEntity || !strings.Contains(string(answer), c.says)) {
				t.Errorf("%d %s, want 422 and %q", code, answer, c.says)
			}
		})
	}
	for what, says := range map[string]string{`"hostPID":true`: "reach into its node", `"serviceAccountName":"builder"`: "a Job none of its own", `"serviceAccountName":"default"`: ""} {
		t.Run("a Job with "+what, func(t *testing.T) {
			job := `{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"x"},"spec":{"template":{"spec":{"restartPolicy":"Never",` + what + `,"containers":[{"name":"x","image":"x"}]}}}}`
			code, answer, err := kube.As(t.Context(), kube.N8NToken, http.MethodPost, "/apis/batch/v1/namespaces/"+name+"/jobs?dryRun=All", "application/json", []byte(job))
			if err != nil || (says == "") != (code == http.StatusCreated) || !strings.Contains(string(answer), says) {
				t.Errorf("%d %s %v, want %q", code, answer, err, says)
			}
		})
	}
	t.Run("an eviction in kube-system", func(t *testing.T) {
		var pod string
		err := cluster.Until(t.Context(), func() (bool, error) {
			pods, err := kube.Items(t.Context(), "/api/v1/namespaces/kube-system/pods")
			if len(pods) > 0 {
				pod, _ = cluster.At(pods[0], "metadata", "name").(string)
			}
			return pod != "", err
		})
		if err != nil {
			t.Fatal(err)
		}
		body := `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"` + pod + `","namespace":"kube-system"}}`
		code, answer, err := kube.As(t.Context(), kube.N8NToken, http.MethodPost, "/api/v1/namespaces/kube-system/pods/"+pod+"/eviction?dryRun=All", "application/json", []byte(body))
		if err != nil || code != http.StatusUnprocessableEntity || !strings.Contains(string(answer), "kube-system") {
			t.Errorf("%d %s %v, want 422", code, answer, err)
		}
	})
}

// crd is as little of a GitOps tool as a patch needs.
const crd = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"%[1]s.%[2]s"},
	"spec":{"group":"%[2]s","scope":"Namespaced","names":{"plural":"%[1]s","singular":"%[3]s","kind":"%[4]s"},
	"versions":[{"name":"%[5]s","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}`

// What GitOps brings may be suspended and resumed; whoever could change where it comes
// from could have anything deployed.
func TestN8NOnlySuspendsWhatGitOpsBrings(t *testing.T) {
	const name = "shop-gitops"
	if err := kube.Namespace(t.Context(), name, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ plural, group, singular, kind, version, spec, pause, theft string }{
		{"applications", "argoproj.io", "application", "Application", "v1alpha1",
			`{"project":"shop","source":{"repoURL":"https://git.example.com/shop"},"syncPolicy":{"automated":{}}}`, `{"syncPolicy":{"automated":null}}`, `{"source":{"repoURL":"https://git.example.org/other"}}`},
		{"kustomizations", "kustomize.toolkit.fluxcd.io", "kustomization", "Kustomization", "v1", `{"path":"./shop","suspend":false}`, `{"suspend":true}`, `{"path":"./other"}`},
		{"helmreleases", "helm.toolkit.fluxcd.io", "helmrelease", "HelmRelease", "v2", `{"chart":{"spec":{"chart":"shop"}}}`, `{"suspend":true}`, `{"values":{"image":"other"}}`},
	} {
		t.Run(c.kind, func(t *testing.T) {
			err := asAdmin(t.Context(), http.MethodPost, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "application/json", fmt.Sprintf(crd, c.plural, c.group, c.singular, c.kind, c.version), nil)
			if err != nil {
				t.Fatal(err)
			}
			path := "/apis/" + c.group + "/" + c.version + "/namespaces/" + name + "/" + c.plural
			object := `{"apiVersion":"` + c.group + "/" + c.version + `","kind":"` + c.kind + `","metadata":{"name":"shop"},"spec":` + c.spec + `}`
			err = cluster.Until(t.Context(), func() (bool, error) {
				code, _, err := kube.Do(t.Context(), http.MethodPost, path, "application/json", []byte(object))
				return code == http.StatusCreated, err
			})
			if err != nil {
				t.Fatal(err)
			}
			patch := func(body string) (int, string) {
				code, answer, err := kube.As(t.Context(), kube.N8NToken, http.MethodPatch, path+"/shop?dryRun=All", "application/merge-patch+json", []byte(body))
				if err != nil {
					t.Fatal(err)
				}
				return code, string(answer)
			}
			// The policy watches a new kind once its controller has seen it.
			var said string
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err = cluster.Until(ctx, func() (bool, error) {
				var code int
				code, said = patch(`{"spec":` + c.theft + `}`)
				return code == http.StatusUnprocessableEntity && strings.Contains(said, "changes nothing else of it"), nil
			})
			if err != nil {
				t.Fatalf("another source is let in: %s", said)
			}
			if code, said := patch(`{"spec":` + c.pause + `}`); code != http.StatusOK {
				t.Errorf("suspending: %d %s", code, said)
			}
			for _, body := range []string{`{"operation":{"sync":{"revision":"other"}}}`, `{"spec":null}`} {
				if code, said := patch(body); code == http.StatusOK {
					t.Errorf("%s is let in: %s", body, said)
				}
			}
		})
	}
}
