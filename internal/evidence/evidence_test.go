package evidence_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/evidence"
)

func TestParseEvidenceNamesWhatIsMalformed(t *testing.T) {
	good := podJSON("a-1", "1", "Running")
	for _, tc := range []struct {
		name, doc string
		pods      int
		want      []evidence.Problem
	}{
		{"nothing", ``, 0, nil},
		{"null", `null`, 0, nil},
		{"an array", `[]`, 0, []evidence.Problem{{"", "evidence must be a JSON object with keys such as pods and events"}}},
		{"one object", `{"pods":` + good + `}`, 1, nil},
		{"an array of objects", `{"pods":[` + good + `,` + good + `]}`, 2, nil},
		{"a List", `{"pods":{"kind":"List","apiVersion":"v1","items":[` + good + `]}}`, 1, nil},
		{"a PodList whose items have no kind", `{"pods":{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}}`, 1, nil},
		{"unknown keys", `{"pods":` + good + `,"widgets":[1],"whatever":{"a":1}}`, 1, nil},
		{"a Pod that is not a Pod", `{"pods":[{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"}},` + good + `]}`, 1,
			[]evidence.Problem{{"/pods/0", "a Pod was expected, this is a ConfigMap"}}},
		{"a number among pods", `{"pods":[5,` + good + `]}`, 1, []evidence.Problem{{"/pods/0", "an object was expected, this is a number"}}},
		{"a string for pods", `{"pods":"none"}`, 0, []evidence.Problem{{"/pods", "an object, an array of objects or a List was expected, this is a string"}}},
		{"logs", `{"logs":[{"pod":"a","text":"x"},7]}`, 0, []evidence.Problem{{"/logs/1", "must be an object {pod, container, previous, text}"}}},
		{"cluster", `{"cluster":7}`, 0, []evidence.Problem{{"/cluster", "must be a string"}}},
		{"a time in the future", `{"observedAt":"2027-01-01T00:00:00Z"}`, 0, []evidence.Problem{{"/observedAt", "2027-01-01T00:00:00Z is in the future; the time of receipt is used"}}},
		{"no time", `{"observedAt":"yesterday"}`, 0, []evidence.Problem{{"/observedAt", "must be an RFC 3339 time such as 2026-11-23T03:15:00Z; the time of receipt is used"}}},
		{"a clock that is a little ahead", `{"observedAt":"` + ago(-30*time.Second) + `"}`, 0, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ev, problems := evidence.Parse(json.RawMessage(tc.doc), now)
			if diff := cmp.Diff(tc.want, problems); diff != "" {
				t.Error(diff)
			}
			if len(ev.Pods) != tc.pods || !ev.ObservedAt.Equal(now) {
				t.Errorf("%d pods observed at %s, want %d at %s", len(ev.Pods), ev.ObservedAt, tc.pods, now)
			}
		})
	}
}

func TestParseEvidenceIsBounded(t *testing.T) {
	for name, doc := range map[string]string{
		"many objects":    `{"pods":[` + strings.Repeat(`{},`, 1_700_000) + `{}]}`,
		"many containers": `{"pods":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"spec":{"containers":[` + strings.Repeat(`{},`, 1_700_000) + `{}]}}}`,
		"many logs":       `{"logs":[` + strings.Repeat(`{},`, 1_700_000) + `{}]}`,
		"deeply nested":   `{"pods":` + strings.Repeat(`[`, 9_000) + strings.Repeat(`]`, 9_000) + `}`,
		"many wrong ones": `{"pods":[` + strings.Repeat(`7,`, 2_000_000) + `7]}`,
	} {
		t.Run(name, func(t *testing.T) {
			ev, problems := evidence.Parse(json.RawMessage(doc), now)
			if len(problems) == 0 || len(problems) > 25 || len(ev.Pods) > 5_000 || len(ev.Logs) > 1_000 {
				t.Errorf("%d problems, %d pods, %d logs", len(problems), len(ev.Pods), len(ev.Logs))
			}
		})
	}
}

func TestMerge(t *testing.T) {
	at := func(ev evidence.Evidence, age time.Duration) evidence.Evidence {
		ev.ObservedAt = now.Add(-age)
		return ev
	}
	names := func(ev evidence.Evidence) (out []string) {
		for _, p := range ev.Pods {
			out = append(out, p.Name+" "+string(p.Status.Phase))
		}
		return out
	}
	const a, b = "api-gateway-7d9f5b8c6-aaaaa", "api-gateway-7d9f5b8c6-bbbbb"
	failed := func(name string) string { return podJSON(name, "1", "Failed") }
	complete := strings.ReplaceAll(ownersJSON, `"status":{"replicas":3}`, `"status":{"replicas":1}`)
	for _, tc := range []struct {
		name         string
		older, newer string
		want         []string
	}{
		{"the newer wins", doc([]string{failed(a)}, nil), doc([]string{podJSON(a, "1", "Running")}, nil), []string{a + " Running"}},
		{"others stay", doc([]string{failed(a)}, nil), doc([]string{podJSON(b, "2", "Running")}, nil), []string{a + " Failed", b + " Running"}},
		{"a pod its controller has no longer is forgotten", doc([]string{failed(a)}, nil), doc([]string{podJSON(b, "2", "Running")}, nil, complete), []string{b + " Running"}},
		{"but not while the controller has more than is seen", doc([]string{failed(a)}, nil), doc([]string{podJSON(b, "2", "Running")}, nil, ownersJSON), []string{a + " Failed", b + " Running"}},
		{"a pod born anew replaces its namesake", doc([]string{podJSON(a, "1", "Failed")}, nil), doc([]string{podJSON(a, "2", "Running")}, nil), []string{a + " Running"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			older, newer := at(parse(t, tc.older), time.Minute), parse(t, tc.newer)
			merged := older.Merge(newer)
			if diff := cmp.Diff(tc.want, names(merged)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(merged, newer.Merge(older)); diff != "" {
				t.Errorf("the receiver matters: %s", diff)
			}
		})
	}
}

func TestMergeUnitesEvents(t *testing.T) {
	first := parse(t, doc(nil, []string{warn("Unhealthy", live, 3, 10*time.Minute), warn("Unhealthy", ready, 1, time.Minute)}))
	second := parse(t, doc(nil, []string{strings.Replace(warn("Unhealthy", live, 3, 10*time.Minute), `"count":3`, `"count":9`, 1)}))
	first.ObservedAt = now.Add(-time.Minute)
	merged := first.Merge(second)
	if len(merged.Events) != 2 || merged.Events[0].Count+merged.Events[1].Count != 10 {
		t.Errorf("got %d events: %v", len(merged.Events), merged.Events)
	}
	if merged.Pods != nil {
		t.Error("pods that nobody asked for must stay nil")
	}
}
