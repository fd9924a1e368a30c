package evidence_test

import (
	"testing"
	"time"
)

// What was asked for and is not there was given all the same.
func TestEmpty(t *testing.T) {
	for doc, want := range map[string]bool{
		`{}`: true, `{"observedAt":"2026-11-23T03:15:00Z","cluster":"prod"}`: true, `{"widgets":[1]}`: true,
		`{"pods":[]}`: false, `{"security":{"findings":[]}}`: false, `{"logs":[{"text":"x"}]}`: false,
	} {
		if got := parse(t, doc).Empty(); got != want {
			t.Errorf("%s: empty is %t", doc, got)
		}
	}
}

func TestNewest(t *testing.T) {
	for name, tc := range map[string]struct {
		doc  string
		want time.Time
	}{
		"nothing":    {`{}`, time.Time{}},
		"an event":   {doc(nil, []string{warn("BackOff", "m", 1, time.Hour)}), now.Add(-time.Hour)},
		"a state":    {`{"pods":{"metadata":{"name":"a"},"status":{"containerStatuses":[{"name":"app","state":{},"lastState":{"terminated":{"exitCode":1,"finishedAt":"` + ago(time.Minute) + `"}}}]}}}`, now.Add(-time.Minute)},
		"a node":     {`{"nodes":{"metadata":{"name":"n"},"status":{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"` + ago(time.Second) + `"}]}}}`, now.Add(-time.Second)},
		"the latest": {doc([]string{podJSON("a", "1", "Running")}, []string{warn("A", "m", 1, time.Hour), warn("B", "m", 1, time.Minute)}), now.Add(-time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parse(t, tc.doc).Newest(); !got.Equal(tc.want) {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}
