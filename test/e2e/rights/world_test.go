//go:build e2e

package rights

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"salve/test/cluster"
)

// kube is one cluster for all tests of the package.
var kube *cluster.Cluster

// looker is the token of an account that holds what read.yaml gives, and no more.
var looker string

func TestMain(m *testing.M) {
	code, err := inCluster(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "rights:", err)
		code = 1
	}
	os.Exit(code)
}

func inCluster(m *testing.M) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	program, err := cluster.Program(ctx)
	if err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "salve-rights-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if kube, err = cluster.Start(ctx, program, dir); err != nil {
		return 1, err
	}
	defer kube.Stop()
	if looker, err = newLooker(ctx); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// newLooker makes an account beside n8n's and binds it as read.yaml binds n8n's.
func newLooker(ctx context.Context) (string, error) {
	manifest, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "kubernetes", "read.yaml"))
	if err != nil {
		return "", err
	}
	for part := range strings.SplitSeq(strings.ReplaceAll(string(manifest), "name: n8n", "name: looker"), "\n---\n") {
		var path string
		switch {
		case strings.Contains(part, "kind: ClusterRoleBinding"):
			part = strings.Replace(part, "metadata:\n  name: salve-n8n-read", "metadata:\n  name: looker", 1)
			path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/looker"
		case strings.Contains(part, "kind: ServiceAccount"):
			path = "/api/v1/namespaces/salve/serviceaccounts/looker"
		default:
			continue
		}
		if err := asAdmin(ctx, http.MethodPatch, path+"?fieldManager=test", "application/apply-patch+yaml", part, nil); err != nil {
			return "", err
		}
	}
	var answer struct{ Status struct{ Token string } }
	err = asAdmin(ctx, http.MethodPost, "/api/v1/namespaces/salve/serviceaccounts/looker/token", "application/json",
		`{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}`, &answer)
	return answer.Status.Token, err
}

func asAdmin(ctx context.Context, method, path, contentType, body string, out any) error {
	code, answer, err := kube.Do(ctx, method, path, contentType, []byte(body))
	if err != nil {
		return err
	}
	if code >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, code, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// shop is a namespace with one of everything that a remedy is about. The API
// server's answers do not wait for the simulated node.
const shop = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, labels: {app: api}}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}, annotations: {sim/log: "hello\n"}}
    spec: {containers: [{name: app, image: "registry.example.com/shop/api:%s", resources: {limits: {memory: 256Mi}}}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: app, image: registry.example.com/shop/db:1}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      hostNetwork: true
      containers: [{name: app, image: registry.example.com/shop/agent:1}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  suspend: true
  template: {spec: {restartPolicy: Never, containers: [{name: app, image: registry.example.com/shop/migrate:1}]}}`

const namespace = "shop"

// openShop makes the namespace and waits for the second revision's pods.
func openShop(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	if err := kube.Namespace(ctx, namespace, nil); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1", "2"} {
		if err := kube.Apply(ctx, namespace, fmt.Sprintf(shop, version)); err != nil {
			t.Fatal(err)
		}
		until(t, "revision "+version+" runs", func() bool {
			d := get(t, "/apis/apps/v1/namespaces/shop/deployments/api")
			return cluster.At(d, "metadata", "annotations", "deployment.kubernetes.io/revision") == version &&
				cluster.At(d, "status", "updatedReplicas") == 2.0 && cluster.At(d, "status", "readyReplicas") == 2.0
		})
	}
}

func get(t *testing.T, path string) cluster.Object {
	t.Helper()
	o, err := kube.Get(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := cluster.Until(ctx, func() (bool, error) { return done(), nil }); err != nil {
		t.Fatalf("waiting until %s: %v", what, err)
	}
}
