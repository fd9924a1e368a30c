package standin

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"
)

//go:embed objects/*.json
var objects embed.FS

// What the cluster holds when it is made: the deployment of scenario 1, one of
// whose three pods was killed for memory seven times.
const (
	Namespace   = "production"
	App         = "api-gateway"
	CrashingPod = "api-gateway-7d9f5b8c6-x7k2m"
	firstHash   = "7d9f5b8c6"
)

// object is one Kubernetes object as JSON decodes it.
type object = map[string]any

// world is the state of the cluster. It is not safe for concurrent use; the
// server holds its lock.
type world struct {
	now        func() time.Time
	memory     string
	hash       string
	generation int
	born       int // pods made so far, for names and uids
	pods       map[string]pod
	events     []any
}

type pod struct {
	name, uid string
	crashing  bool
	born      time.Time
}

func newWorld(now func() time.Time) (*world, error) {
	w := &world{now: now, memory: "512Mi", hash: firstHash, generation: 23, pods: map[string]pod{}}
	start := now().Add(-26 * time.Hour)
	for _, suffix := range []string{"x7k2m", "m4wqd", "zt9lb"} {
		name := App + "-" + firstHash + "-" + suffix
		w.pods[name] = pod{name: name, uid: w.nextUID(), crashing: name == CrashingPod, born: start}
	}
	list, err := w.render("events.json", w.pods[CrashingPod])
	if err != nil {
		return nil, err
	}
	w.events, _ = list["items"].([]any)
	return w, nil
}

func (w *world) nextUID() string {
	w.born++
	return fmt.Sprintf("5b3f6f0a-2c41-4e19-9d6a-%012x", 0xa1b2c3d40000+w.born)
}

// replace is what the ReplicaSet controller does when a pod goes: another one
// with a new name and uid, which runs and is ready.
func (w *world) replace(name string) {
	delete(w.pods, name)
	uid := w.nextUID()
	fresh := fmt.Sprintf("%s-%s-r%04x", App, w.hash, w.born)
	w.pods[fresh] = pod{name: fresh, uid: uid, born: w.now()}
}

// rollOut is what the Deployment controller does when the template changes.
func (w *world) rollOut(memory string) {
	w.memory = memory
	w.generation++
	w.hash = fmt.Sprintf("6c8d4f7b%x", w.generation)
	for _, name := range slices.Sorted(maps.Keys(w.pods)) {
		w.replace(name)
	}
}

func (w *world) deployment() (object, error) { return w.render("deployment.json", pod{}) }

func (w *world) replicaSet() (object, error) { return w.render("replicaset.json", pod{}) }

func (w *world) pod(name string) (object, bool, error) {
	p, found := w.pods[name]
	if !found {
		return nil, false, nil
	}
	o, err := w.render("pod.json", p)
	return o, true, err
}

func (w *world) podList() ([]any, error) {
	items := []any{}
	for _, name := range slices.Sorted(maps.Keys(w.pods)) {
		o, _, err := w.pod(name)
		if err != nil {
			return nil, err
		}
		// A list's items carry neither kind nor version; the list does.
		delete(o, "kind")
		delete(o, "apiVersion")
		items = append(items, o)
	}
	return items, nil
}

func (w *world) ready() (ready, unready int) {
	for _, p := range w.pods {
		if p.crashing {
			unready++
		} else {
			ready++
		}
	}
	return ready, unready
}

func (w *world) render(file string, p pod) (object, error) {
	now := w.now().UTC()
	funcs := template.FuncMap{"ago": func(s string) (string, error) {
		d, err := time.ParseDuration(s)
		return now.Add(-d).Format(time.RFC3339), err
	}}
	tmpl, err := template.New(file).Funcs(funcs).ParseFS(objects, "objects/"+file, "objects/podspec.json")
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", file, err)
	}
	var buf bytes.Buffer
	if err := tmpl.Execute(&buf, w.fields(p, now)); err != nil {
		return nil, fmt.Errorf("object %s: %w", file, err)
	}
	var o object
	if err := json.Unmarshal(buf.Bytes(), &o); err != nil {
		return nil, fmt.Errorf("object %s: %w", file, err)
	}
	return o, nil
}

func (w *world) fields(p pod, now time.Time) map[string]any {
	ready, unready := w.ready()
	hash := w.hash
	if p.name != "" {
		hash = strings.Split(strings.TrimPrefix(p.name, App+"-"), "-")[0]
	}
	return map[string]any{
		"App": App, "Namespace": Namespace, "Memory": w.memory, "Generation": w.generation,
		"DeploymentUID": "0b9a6c2e-7f14-4d3a-8e55-1c2d3e4f5a60",
		"ReplicaSet":    App + "-" + hash, "ReplicaSetUID": fmt.Sprintf("c4d1e8f2-3a5b-4c6d-9e7f-%012x", w.generation),
		"Hash": hash, "Ready": ready, "Unready": unready,
		"Name": p.name, "UID": p.uid, "Crashing": p.crashing, "Age": now.Sub(p.born).String(),
	}
}
