package diagnose_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"salve/internal/diagnose"
	"salve/internal/evidence"
)

// bigPod is one pod of 50 KB, as a mesh and a vault agent leave them, with 50
// events and its owners.
func bigPod() json.RawMessage {
	env := make([]string, 0, 120)
	for i := range 120 {
		env = append(env, fmt.Sprintf(`{"name":"SETTING_%03d","valueFrom":{"configMapKeyRef":{"name":"settings","key":"setting-%03d"}}}`, i, i))
	}
	var mounts []string
	for i := range 20 {
		mounts = append(mounts, fmt.Sprintf(`{"name":"volume-%02d","mountPath":"/etc/settings/%02d","readOnly":true}`, i, i))
	}
	annotations := fmt.Sprintf(`,"annotations":{"mesh.example.com/status":%q}`, strings.Repeat("x", 6_000))
	more := `,"resources":{"limits":{"memory":"512Mi"}},"env":[` + strings.Join(env, ",") + `],"volumeMounts":[` + strings.Join(mounts, ",") + `]` + probes
	p := pod{meta: annotations, containers: app(more) + "," + box("proxy", more), statuses: []string{
		st("app", false, 7, crashLoop, ended("OOMKilled", 137, time.Minute)), st("proxy", true, 0, running(time.Hour), ""),
	}}.json()
	var events []string
	for i := range 50 {
		events = append(events, event("app", "Warning", []string{"Unhealthy", "BackOff", "Pulled", "Killing"}[i%4], live, i, time.Duration(i)*time.Minute))
	}
	return json.RawMessage(sent([]string{p}, events, ownersJSON))
}

// The aims are 3 ms for both together and 100 µs for the rules alone.
func BenchmarkBigPod(b *testing.B) {
	raw := bigPod()
	ev, problems := evidence.Parse(raw, now)
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	b.Run("decode and diagnose", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			ev, _ := evidence.Parse(raw, now)
			diagnose.Diagnose(ev, aboutPod(apiPod))
		}
	})
	b.Run("diagnose", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			diagnose.Diagnose(ev, aboutPod(apiPod))
		}
	})
}

// BenchmarkDiagnoseNothing is the everyday case: an alert without evidence.
func BenchmarkDiagnoseNothing(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		diagnose.Diagnose(evidence.Evidence{ObservedAt: now}, aboutPod(apiPod))
	}
}

// BenchmarkDiagnoseLog reads 64 KiB of a log that says nothing decisive.
func BenchmarkDiagnoseLog(b *testing.B) {
	line := "2026-11-23 03:14:00.120  INFO 1 --- [nio-8080-exec-1] c.e.shop.OrderController : order 4711 accepted for customer 42\\n"
	doc := sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 1, time.Minute))}}), nil,
		fmt.Sprintf(`"logs":[{"pod":%q,"container":"app","previous":true,"text":"%s"}]`, apiPod, strings.Repeat(line, 600)))
	ev, _ := evidence.Parse(json.RawMessage(doc), now)
	b.ReportAllocs()
	for b.Loop() {
		diagnose.Diagnose(ev, aboutPod(apiPod))
	}
}

// BenchmarkDiagnoseHostileLog reads 64 KiB of nothing but signs, in one entry.
func BenchmarkDiagnoseHostileLog(b *testing.B) {
	doc := sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 1, time.Minute))}}), nil,
		logOf("app", true, "x\n"+strings.Repeat(" connection refused lookup econnrefused dial tcp \n", 1400)))
	ev, _ := evidence.Parse(json.RawMessage(doc), now)
	b.ReportAllocs()
	for b.Loop() {
		diagnose.Diagnose(ev, aboutPod(apiPod))
	}
}
