package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Object is one Kubernetes object, or a list of them, as JSON decodes it.
type Object = map[string]any

// place is where the API keeps a kind.
type place struct {
	prefix, plural string
	everywhere     bool // not in a namespace
}

var places = map[string]place{
	"Namespace":             {"/api/v1", "namespaces", true},
	"Pod":                   {"/api/v1", "pods", false},
	"ConfigMap":             {"/api/v1", "configmaps", false},
	"LimitRange":            {"/api/v1", "limitranges", false},
	"ResourceQuota":         {"/api/v1", "resourcequotas", false},
	"PersistentVolumeClaim": {"/api/v1", "persistentvolumeclaims", false},
	"Deployment":            {"/apis/apps/v1", "deployments", false},
	"StatefulSet":           {"/apis/apps/v1", "statefulsets", false},
	"DaemonSet":             {"/apis/apps/v1", "daemonsets", false},
	"Job":                   {"/apis/batch/v1", "jobs", false},
	"CronJob":               {"/apis/batch/v1", "cronjobs", false},
	"PodDisruptionBudget":   {"/apis/policy/v1", "poddisruptionbudgets", false},
}

// Do sends one request as the administrator and gives the status and the answer.
func (c *Cluster) Do(ctx context.Context, method, path, contentType string, body []byte) (int, []byte, error) {
	return c.As(ctx, c.AdminToken, method, path, contentType, body)
}

// As sends one request with any token.
func (c *Cluster) As(ctx context.Context, token, method, path, contentType string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", contentType)
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// Get reads one object or list; what is not there is an error.
func (c *Cluster) Get(ctx context.Context, path string) (Object, error) {
	code, answer, err := c.Do(ctx, http.MethodGet, path, "application/json", nil)
	if err != nil {
		return nil, err
	}
	if code != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %d %s", path, code, answer)
	}
	var o Object
	if err := json.Unmarshal(answer, &o); err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	return o, nil
}

// Items reads a list. Its items get the kind and version that the list has.
func (c *Cluster) Items(ctx context.Context, path string) ([]Object, error) {
	list, err := c.Get(ctx, path)
	if err != nil {
		return nil, err
	}
	kind, _ := list["kind"].(string)
	items, _ := list["items"].([]any)
	out := []Object{}
	for _, item := range items {
		o, _ := item.(Object)
		o["apiVersion"], o["kind"] = list["apiVersion"], strings.TrimSuffix(kind, "List")
		out = append(out, o)
	}
	return out, nil
}

// Namespace makes a namespace and waits until pods are admitted to it.
func (c *Cluster) Namespace(ctx context.Context, name string, labels map[string]string) error {
	body, err := json.Marshal(Object{"apiVersion": "v1", "kind": "Namespace", "metadata": Object{"name": name, "labels": labels}})
	if err != nil {
		return err
	}
	code, answer, err := c.Do(ctx, http.MethodPost, "/api/v1/namespaces", "application/json", body)
	if err != nil {
		return err
	}
	if code != http.StatusCreated {
		return fmt.Errorf("namespace %s: %d %s", name, code, answer)
	}
	return Until(ctx, func() (bool, error) {
		code, _, err := c.Do(ctx, http.MethodGet, "/api/v1/namespaces/"+name+"/serviceaccounts/default", "", nil)
		return code == http.StatusOK, err
	})
}

// Apply applies manifests, separated by lines of ---, to a namespace.
func (c *Cluster) Apply(ctx context.Context, namespace, manifests string) error {
	for manifest := range strings.SplitSeq(manifests, "\n---\n") {
		path, err := pathOf(namespace, manifest)
		if err != nil {
			return err
		}
		code, answer, err := c.Do(ctx, http.MethodPatch, path+"?fieldManager=test&force=true", "application/apply-patch+yaml", []byte(manifest))
		if err != nil {
			return err
		}
		if code != http.StatusOK && code != http.StatusCreated {
			return fmt.Errorf("apply %s: %d %s", path, code, answer)
		}
	}
	return nil
}

func pathOf(namespace, manifest string) (string, error) {
	var o struct {
		Kind     string
		Metadata struct{ Name string }
	}
	if err := yaml.Unmarshal([]byte(manifest), &o); err != nil {
		return "", fmt.Errorf("manifest: %w", err)
	}
	p, known := places[o.Kind]
	if !known || o.Metadata.Name == "" {
		return "", fmt.Errorf("a manifest of kind %q, name %q: no path is known", o.Kind, o.Metadata.Name)
	}
	if p.everywhere {
		return p.prefix + "/" + p.plural + "/" + o.Metadata.Name, nil
	}
	return p.prefix + "/namespaces/" + namespace + "/" + p.plural + "/" + o.Metadata.Name, nil
}

// Until asks ten times a second until the answer is yes, an error, or ctx ends:
// other programs give no signal to wait for.
func Until(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if yes, err := done(); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// At reads a nested value; numbers index lists. What is not there is nil.
func At(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(Object)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}
