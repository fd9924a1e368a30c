package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pretend is an n8n that is only data. With renames it gives new workflows ids of
// its own, as the API does.
type pretend struct {
	there     []workflow
	known     []credential
	renames   bool
	written   []string
	published []string
	refuses   string // the id that it does not publish
}

func (p *pretend) String() string                                    { return "a pretended n8n" }
func (p *pretend) late() bool                                        { return true }
func (p *pretend) finish(context.Context) error                      { return nil }
func (p *pretend) workflows(context.Context) ([]workflow, error)     { return p.there, nil }
func (p *pretend) credentials(context.Context) ([]credential, error) { return p.known, nil }
func (p *pretend) publish(_ context.Context, id string) error {
	if id == p.refuses {
		return errors.New("no credential")
	}
	p.published = append(p.published, id)
	return nil
}
func (p *pretend) write(_ context.Context, w workflow, s standing) (string, error) {
	p.written = append(p.written, w.name())
	w = w.clone()
	if p.renames && !s.there {
		w["id"] = fmt.Sprintf("id-%d", len(p.there)+1)
	}
	w["active"] = false
	p.there = append(slices.DeleteFunc(p.there, func(old workflow) bool { return old.id() == w.id() }), w)
	return w.id(), nil
}

func (p *pretend) of(name string) workflow {
	i := slices.IndexFunc(p.there, func(w workflow) bool { return w.name() == name })
	return p.there[i]
}

// three workflows, the first of which needs the two others.
func three() []workflow {
	return []workflow{
		{"id": "in", "name": "intake", "settings": map[string]any{"errorWorkflow": "err"}, "connections": map[string]any{}, "nodes": []any{
			node{"name": "Config", "type": "set", "parameters": config("={{ $env.SALVE_URL }}")},
			node{"name": "Ask", "type": "http", "parameters": map[string]any{"path": "/v1/alerts"}, "credentials": bearer("salve1", "Salve token")},
			call("exec"),
		}},
		{"id": "exec", "name": "execute", "settings": map[string]any{"errorWorkflow": "err"}, "connections": map[string]any{}, "nodes": []any{
			node{"name": "Slack", "type": "http", "credentials": bearer("slack1", "Slack token")}, call("exec"),
		}},
		{"id": "err", "name": "crash", "settings": map[string]any{}, "connections": map[string]any{}, "nodes": []any{node{"name": "Error", "type": "trigger"}}},
	}
}

func config(url string) map[string]any {
	return map[string]any{"assignments": map[string]any{"assignments": []any{
		map[string]any{"name": "salve_url", "value": url}, map[string]any{"name": "until", "value": "={{ 1 }}"},
	}}}
}

func bearer(id, name string) map[string]any {
	return map[string]any{"bearer": map[string]any{"id": id, "name": name}}
}

func call(id string) node {
	return node{"name": "Call " + id, "type": "execute", "parameters": map[string]any{"workflowId": map[string]any{"value": id}}}
}

func bring(t *testing.T, files []workflow, to *pretend, publish bool) string {
	t.Helper()
	p, err := newPlan(calledFirst(files), to.there, to.known)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := p.carryOut(t.Context(), to, publish, &out); err != nil {
		t.Fatal(err)
	}
	p.remains(&out)
	return out.String()
}

// One that cannot be published keeps none of the others out of service.
func TestOneThatIsNotPublishedStopsNoOther(t *testing.T) {
	to := &pretend{refuses: "exec"}
	p, err := newPlan(calledFirst(three()), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = p.carryOut(t.Context(), to, true, io.Discard)
	if want := []string{"err", "in"}; err == nil || !strings.Contains(err.Error(), "publish execute: no credential") || !cmp.Equal(to.published, want) {
		t.Errorf("published %v and %v, want %v and the one that failed", to.published, err, want)
	}
}

func TestWhatIsCalledComesFirst(t *testing.T) {
	to := &pretend{}
	said := bring(t, three(), to, true)
	if want := []string{"err", "exec", "in"}; !cmp.Equal(to.published, want) {
		t.Errorf("published %v, want %v", to.published, want)
	}
	for _, want := range []string{"new        intake", "Salve token              bearer           for intake", "Slack token"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "Not published") {
		t.Errorf("all is published:\n%s", said)
	}
}

func TestWhatIsThereIsLeftAlone(t *testing.T) {
	to := &pretend{}
	bring(t, three(), to, false)
	for _, w := range to.there {
		w["active"], w["settings"].(map[string]any)["binaryMode"] = true, "separate"
	}
	to.written = nil
	if said := bring(t, three(), to, true); len(to.written)+len(to.published) > 0 || !strings.Contains(said, "unchanged  intake") {
		t.Errorf("wrote %v, published %v:\n%s", to.written, to.published, said)
	}
}

// n8n's import takes out of service what it writes.
func TestWhatWasPublishedIsPublishedAgain(t *testing.T) {
	to := &pretend{}
	bring(t, three(), to, false)
	for _, w := range to.there {
		w["active"] = w.id() != "err"
	}
	files := three()
	for _, w := range files {
		w["connections"] = map[string]any{"Ask": "changed"}
	}
	said := bring(t, files, to, false)
	if want := []string{"exec", "in"}; !cmp.Equal(to.published, want) {
		t.Errorf("published %v, want %v and not what was not", to.published, want)
	}
	if !strings.Contains(said, "Not published yet") || !strings.Contains(said, "err                      crash") {
		t.Errorf("it does not say that crash is not published:\n%s", said)
	}
}

func TestWhatTheUserSetStays(t *testing.T) {
	to := &pretend{known: []credential{{"mine", "My token", "bearer"}, {"found", "Slack token", "bearer"}, {"other", "Slack token", "header"}}}
	bring(t, three(), to, false)
	intake := to.of("intake")
	intake.nodeNamed("Ask")["credentials"] = bearer("mine", "My token")
	intake.nodeNamed("Config")["parameters"] = config("http://salve.internal:8080")

	files := three()
	files[0].nodeNamed("Ask")["parameters"] = map[string]any{"path": "/v2/alerts"}
	files[0].nodeNamed("Config")["parameters"].(map[string]any)["options"] = "new"
	said := bring(t, files, to, false)

	got := to.of("intake")
	if c := got.nodeNamed("Ask")["credentials"]; !cmp.Equal(c, any(bearer("mine", "My token"))) {
		t.Errorf("the credential is %v", c)
	}
	want := config("http://salve.internal:8080")
	want["options"] = "new"
	if diff := cmp.Diff(any(want), got.nodeNamed("Config")["parameters"]); diff != "" {
		t.Errorf("Config differs (-want +got):\n%s", diff)
	}
	if p := got.nodeNamed("Ask")["parameters"]; !cmp.Equal(p, any(map[string]any{"path": "/v2/alerts"})) {
		t.Errorf("the file's change did not come: %v", p)
	}
	if c := to.of("execute").nodeNamed("Slack")["credentials"]; !cmp.Equal(c, any(bearer("found", "Slack token"))) {
		t.Errorf("a credential of that name was not found: %v", c)
	}
	if strings.Contains(said, "missing;") {
		t.Errorf("no credential is missing:\n%s", said)
	}
}

// First the workflows, then the credentials, made by hand: the next import joins them.
func TestCredentialsThatCameLaterAreFound(t *testing.T) {
	to := &pretend{}
	bring(t, three(), to, false)
	to.known, to.written = []credential{{"later", "Salve token", "bearer"}}, nil
	said := bring(t, three(), to, false)
	if c := to.of("intake").nodeNamed("Ask")["credentials"]; !cmp.Equal(to.written, []string{"intake"}) || !cmp.Equal(c, any(bearer("later", "Salve token"))) {
		t.Errorf("wrote %v; the credential is %v\n%s", to.written, c, said)
	}
}

// The API gives ids of its own: whoever calls must call those.
func TestOtherIDsAreFollowed(t *testing.T) {
	to := &pretend{renames: true}
	bring(t, three(), to, false)
	execute, crash := to.of("execute").id(), to.of("crash").id()
	if execute == "exec" || crash == "err" {
		t.Fatal("the pretended n8n kept the ids")
	}
	for name, want := range map[string][]string{"intake": {crash, execute}, "execute": {crash, execute}} {
		if got := allCalls(to.of(name)); !cmp.Equal(got, want) {
			t.Errorf("%s calls %v, want %v", name, got, want)
		}
	}
	to.written = nil
	if bring(t, three(), to, false); len(to.written) > 0 {
		t.Errorf("wrote %v again, which had not changed", to.written)
	}
}

func TestTwoOfOneNameAreNotGuessedAt(t *testing.T) {
	there := []workflow{{"id": "a", "name": "intake"}, {"id": "b", "name": "intake"}, {"id": "c", "name": "crash", "isArchived": true}}
	if _, err := newPlan(three(), there, nil); err == nil || !strings.Contains(err.Error(), `2 workflows of the name "intake"`) {
		t.Errorf("error %v", err)
	}
	p, err := newPlan(three(), there[2:], nil)
	if err != nil || p.steps[2].there {
		t.Errorf("an archived workflow was taken for the one: %v", err)
	}
}

func TestNoDoorIsSaid(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want string
	}{
		"no key":     {map[string]string{"N8N_URL": "https://n8n.example.com"}, "N8N_API_KEY is missing"},
		"no address": {map[string]string{"N8N_URL": "n8n.example.com", "N8N_API_KEY": "k"}, "is not the address of an n8n"},
		"no files":   {nil, "no workflow files in"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := "../../n8n-workflows"
			if tc.env == nil {
				dir = t.TempDir()
			}
			err := run(t.Context(), dir, false, func(key string) string { return tc.env[key] }, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}
