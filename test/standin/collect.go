package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Read is one read-only request of a collect.
type Read struct {
	EvidenceKey string `json:"evidence_key"`
	Path        string `json:"path"`
	Follow      string `json:"follow"`
	Optional    bool   `json:"optional"` // may fail without failing the collect

	// Of a log, which is text; everything else is JSON.
	Pod       string `json:"pod"`
	Container string `json:"container"`
	Previous  bool   `json:"previous"`

	depth  int  // how many controllers up are still to be followed
	listed bool // asked for by Salve, not found on the way
}

// logs is the evidence key of reads that answer text.
const logs = "logs"

// maxLog bounds what one log brings; its end says why it ended.
const maxLog = 256 << 10

// owners are the controllers that are followed: resource and evidence key.
var owners = map[string]struct{ groupVersion, resource, key string }{
	"ReplicaSet":  {"apps/v1", "replicasets", "replicaSets"},
	"StatefulSet": {"apps/v1", "statefulsets", "statefulSets"},
	"DaemonSet":   {"apps/v1", "daemonsets", "daemonSets"},
	"Deployment":  {"apps/v1", "deployments", "deployments"},
	"Job":         {"batch/v1", "jobs", "jobs"},
	"CronJob":     {"batch/v1", "cronjobs", "cronJobs"},
}

// gathering is one collect under way.
type gathering struct {
	evidence map[string]any
	seen     map[string]bool
	missing  []string
	broken   []string // needed reads that failed
	failed   []string // optional ones, and owners that could not be read
}

// collect reads what is listed, then the controllers of what came back.
func (e *Executor) collect(ctx context.Context, base string, x Execute) Result {
	g := gathering{
		evidence: map[string]any{"observedAt": time.Now().UTC(), "cluster": x.Cluster},
		seen:     map[string]bool{}, missing: []string{},
	}
	for queue := listed(x.Requests); len(queue) > 0; {
		read := queue[0]
		queue = queue[1:]
		if g.seen[read.Path] {
			continue
		}
		g.seen[read.Path] = true
		if read.EvidenceKey == logs {
			e.readLog(ctx, base, read, &g)
			continue
		}
		queue = append(queue, e.read(ctx, base, read, &g)...)
	}
	r := Result{Status: "succeeded", Evidence: g.evidence, Output: map[string]any{"missing": g.missing, "failed": g.failed}}
	if len(g.broken) > 0 {
		r.Status, r.Error = "failed", strings.Join(g.broken, "; ")
	}
	return r
}

func listed(reads []Read) []Read {
	queue := make([]Read, 0, len(reads))
	for _, read := range reads {
		read.listed = true
		if read.Follow == "owners" {
			read.depth = 2
		}
		queue = append(queue, read)
	}
	return queue
}

func (e *Executor) read(ctx context.Context, base string, read Read, g *gathering) []Read {
	var o object
	code, err := e.call(ctx, http.MethodGet, base+read.Path, e.KubeToken, "application/json", nil, &o)
	if code == http.StatusNotFound {
		g.missing = append(g.missing, read.Path)
		return nil
	}
	if err != nil || code != http.StatusOK {
		g.fail(read, fmt.Sprintf("%s: %d %v", read.Path, code, err))
		return nil
	}
	objects := objectsOf(o)
	so, _ := g.evidence[read.EvidenceKey].([]any)
	var next []Read
	for _, item := range objects {
		so = append(so, item)
		next = append(next, ownerOf(item, read.depth)...)
	}
	g.evidence[read.EvidenceKey] = so
	return next
}

func (e *Executor) readLog(ctx context.Context, base string, read Read, g *gathering) {
	code, contentType, answer, err := e.send(ctx, http.MethodGet, base+read.Path, e.KubeToken, "", nil)
	switch {
	case code == http.StatusNotFound:
		g.missing = append(g.missing, read.Path)
	case err != nil:
		g.fail(read, fmt.Sprintf("%s: %v", read.Path, err))
	case code != http.StatusOK:
		g.fail(read, fmt.Sprintf("%s: %d %s", read.Path, code, refusal(answer)))
	case strings.Contains(contentType, "json"):
		g.fail(read, read.Path+": an answer that is no log")
	default:
		so, _ := g.evidence[logs].([]any)
		g.evidence[logs] = append(so, object{"pod": read.Pod, "container": read.Container, "previous": read.Previous, "text": end(string(answer))})
	}
}

// refusal is what a refusing API server says.
func refusal(answer []byte) string {
	var status struct{ Message string }
	if err := json.Unmarshal(answer, &status); err != nil || status.Message == "" {
		return "without a reason"
	}
	return status.Message
}

// end is the end of a long text, from the beginning of a line where there is one.
func end(text string) string {
	if len(text) <= maxLog {
		return text
	}
	text = text[len(text)-maxLog:]
	if line := strings.IndexByte(text, '\n'); line >= 0 && line < len(text)-1 {
		return text[line+1:]
	}
	return strings.ToValidUTF8(text, "")
}

func (g *gathering) fail(read Read, message string) {
	if read.listed && !read.Optional {
		g.broken = append(g.broken, message)
		return
	}
	g.failed = append(g.failed, message)
}

// objectsOf flattens a list, whose items carry neither kind nor version.
func objectsOf(o object) []object {
	items, ok := o["items"].([]any)
	if !ok {
		return []object{o}
	}
	kind, _ := o["kind"].(string)
	out := make([]object, 0, len(items))
	for _, item := range items {
		if one, ok := item.(object); ok {
			one["kind"], one["apiVersion"] = strings.TrimSuffix(kind, "List"), o["apiVersion"]
			out = append(out, one)
		}
	}
	return out
}

func ownerOf(o object, depth int) []Read {
	if depth == 0 {
		return nil
	}
	meta, _ := o["metadata"].(object)
	refs, _ := meta["ownerReferences"].([]any)
	for _, r := range refs {
		ref, _ := r.(object)
		kind, _ := ref["kind"].(string)
		to, known := owners[kind]
		if ref["controller"] != true || !known || ref["apiVersion"] != to.groupVersion {
			continue
		}
		path := fmt.Sprintf("/apis/%s/namespaces/%v/%s/%v", to.groupVersion, meta["namespace"], to.resource, ref["name"])
		return []Read{{EvidenceKey: to.key, Path: path, depth: depth - 1}}
	}
	return nil
}
