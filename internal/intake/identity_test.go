package intake

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"salve/internal/incident"
)

var words = rapid.StringOfN(rapid.RuneFrom([]rune("ab=,/\"\\{}:é\n")), 0, 4, -1)

func drawLabels(t *rapid.T, name string) map[string]string {
	return rapid.MapOfN(words, words, 1, 5).Draw(t, name)
}

// inOrder writes labels as JSON in the order of the names given.
func inOrder(labels map[string]string, names []string) string {
	var parts []string
	for _, name := range names {
		parts = append(parts, string(must(json.Marshal(name)))+":"+string(must(json.Marshal(labels[name]))))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestLabelOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		labels := drawLabels(rt, "labels")
		names := slices.Sorted(maps.Keys(labels))
		other := rapid.Permutation(names).Draw(rt, "order")
		a := one(t, Native(), input(`{"severity":"info","labels":`+inOrder(labels, names)+`}`)).Event
		b := one(t, Native(), input(`{"labels":`+inOrder(labels, other)+`,"severity":"info"}`)).Event
		if a.Fingerprint != b.Fingerprint || a.Episode != b.Episode {
			rt.Fatalf("%v in another order is another alert", labels)
		}
	})
}

// Different labels are different alerts, however they are cut into names and
// values.
func TestNoFramingTrick(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := drawLabels(rt, "a"), drawLabels(rt, "b")
		same := maps.Equal(a, b)
		if (labelFingerprint("s", "c", a) == labelFingerprint("s", "c", b)) != same {
			rt.Fatalf("%v and %v", a, b)
		}
	})
	tricks := []map[string]string{
		{"a": "b", "c": "d"}, {"a": "bc", "": "d"}, {"ab": "", "c": "d"}, {"a": "b=c"}, {"a=b": "c"}, {"a": "b\x00c"}, {"a": `b","c":"d`},
	}
	seen := map[string]map[string]string{}
	for _, labels := range tricks {
		f := labelFingerprint("s", "c", labels)
		if seen[f] != nil {
			t.Errorf("%v and %v share a fingerprint", labels, seen[f])
		}
		seen[f] = labels
	}
}

func TestEpisodeIsEveryPartOfIt(t *testing.T) {
	start := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	episodes := map[incident.Episode]string{}
	add := func(name string, e incident.Episode) {
		if other, twice := episodes[e]; twice {
			t.Errorf("%s and %s share an episode", name, other)
		}
		episodes[e] = name
	}
	add("base", episode("s", "c", "f", start))
	add("source", episode("x", "c", "f", start))
	add("cluster", episode("s", "x", "f", start))
	add("fingerprint", episode("s", "c", "x", start))
	add("a nanosecond", episode("s", "c", "f", start.Add(1)))
	add("open ended", episode("s", "c", "f", time.Time{}))
	add("parts moved", episode("sc", "", "f", start))
	add("before 1678", episode("s", "c", "f", start.AddDate(-1000, 0, 0)))
	add("another before 1678", episode("s", "c", "f", start.AddDate(-999, 0, 0)))
	if episode("s", "c", "f", start) != episode("s", "c", "f", start.In(time.FixedZone("CET", 3600))) {
		t.Error("the time zone is no part of an episode")
	}
}

func TestNativeFingerprint(t *testing.T) {
	base := `{"severity":"info","service":"a","labels":{"x":"1"}}`
	tests := []struct {
		name, a, b string
		same       bool
	}{
		{"message and severity do not count", base, `{"severity":"high","message":"m","service":"a","labels":{"x":"1"}}`, true},
		{"with labels, labels count", base, `{"severity":"info","service":"b","labels":{"x":"1"}}`, true},
		{"labels count", base, `{"severity":"info","service":"a","labels":{"x":"2"}}`, false},
		{"cluster counts", base, `{"severity":"info","service":"a","cluster":"eu","labels":{"x":"1"}}`, false},
		{"source counts", base, `{"severity":"info","service":"a","source":"cron","labels":{"x":"1"}}`, false},
		{"without labels the cluster counts", `{"severity":"info","service":"a"}`, `{"severity":"info","service":"a","cluster":"eu"}`, false},
		{"without labels the service counts", `{"severity":"info","service":"a"}`, `{"severity":"info","service":"b"}`, false},
		{"without labels the host counts", `{"severity":"info","service":"a","hostname":"x"}`, `{"severity":"info","service":"a","hostname":"y"}`, false},
		{"without labels the namespace counts", `{"severity":"info","service":"a","namespace":"x"}`, `{"severity":"info","service":"a"}`, false},
		{"without labels the target counts", `{"severity":"info","target":{"kind":"Pod","name":"x","namespace":"n"}}`,
			`{"severity":"info","target":{"kind":"Pod","name":"y","namespace":"n"}}`, false},
		{"service is not host", `{"severity":"info","service":"a"}`, `{"severity":"info","hostname":"a"}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := accepted(t, Native(), input(tt.a)), accepted(t, Native(), input(tt.b))
			if (a.Fingerprint == b.Fingerprint) != tt.same || (a.Episode == b.Episode) != tt.same {
				t.Errorf("the same alert: want %t", tt.same)
			}
		})
	}
}
