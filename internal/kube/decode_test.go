package kube_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"salve/internal/kube"
)

const (
	podA      = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"n"}}`
	bareB     = `{"metadata":{"name":"b"}}`
	configMap = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}`
)

func faults(t *testing.T, err error) kube.Faults {
	t.Helper()
	var f kube.Faults
	if err != nil && !errors.As(err, &f) {
		t.Fatalf("error %T is not Faults", err)
	}
	return f
}

func TestPods(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		names    string
		want     kube.Faults
	}{
		{"one", podA, "a", nil},
		{"null", `null`, "", nil},
		{"an array", `[` + podA + `,` + bareB + `]`, "a b", nil},
		{"a List", `{"apiVersion":"v1","kind":"List","items":[` + podA + `]}`, "a", nil},
		{"a PodList", `{"apiVersion":"v1","kind":"PodList","items":[` + bareB + `,` + bareB + `]}`, "b b", nil},
		{"an empty List", `{"apiVersion":"v1","kind":"List","items":null}`, "", nil},
		{"an array of Lists", `[{"apiVersion":"v1","kind":"PodList","items":[` + bareB + `]},` + podA + `]`, "b a", nil},
		{"a pod with items within", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"volumes":[{"name":"v","configMap":{"name":"c","items":[{"key":"k","path":"p"}]}}]}}`, "a", nil},
		{"another kind", `[` + configMap + `,` + podA + `]`, "a", kube.Faults{{"/0", "a Pod was expected, this is a ConfigMap"}}},
		{"a list of another kind", `{"apiVersion":"v1","kind":"ConfigMapList","items":[` + bareB + `]}`, "", kube.Faults{{"/items/0", "a Pod was expected, this is a ConfigMap"}}},
		{"a kind nobody knows", `{"apiVersion":"x.io/v1","kind":"CronTab","metadata":{"name":"a"}}`, "", kube.Faults{{"", "a Pod was expected, this is a CronTab"}}},
		{"another version", `{"apiVersion":"v2","kind":"Pod","metadata":{"name":"a"}}`, "", kube.Faults{{"", "a v1 Pod was expected, this is a v2 Pod"}}},
		{"no name", `{"apiVersion":"v1","kind":"Pod","metadata":{}}`, "", kube.Faults{{"", "the Pod has no metadata.name"}}},
		{"no object", `[7]`, "", kube.Faults{{"/0", "an object was expected, this is a number"}}},
		{"items that are none", `{"apiVersion":"v1","kind":"List","items":{}}`, "", kube.Faults{{"/items", "an object, an array of objects or a List was expected, this is an object"}}},
		{"a string", `"pods"`, "", kube.Faults{{"", "an object, an array of objects or a List was expected, this is a string"}}},
		{"cut off", `[{"metadata":`, "", kube.Faults{{"", "not valid JSON"}}},
		{"a wrong type", `[{"metadata":{"name":"x"},"spec":{"containers":"none"}},` + podA + `]`, "a", kube.Faults{{"/0", "the Pod is malformed: json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container"}}},
		{"too many objects", `[` + strings.Repeat(`{},`, 100_000) + podA + `]`, "", kube.Faults{{"", "100002 nested JSON objects; at most 100000 are read"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pods, err := kube.Pods(json.RawMessage(tc.in))
			var names []string
			for _, p := range pods {
				names = append(names, p.Name)
			}
			if diff := cmp.Diff(tc.want, faults(t, err)); diff != "" {
				t.Error(diff)
			}
			if got := strings.Join(names, " "); got != tc.names {
				t.Errorf("pods %q, want %q", got, tc.names)
			}
		})
	}
}

func TestEventsOfBothAPIs(t *testing.T) {
	events, err := kube.Events(json.RawMessage(`[
	{"apiVersion":"v1","kind":"Event","metadata":{"name":"old"},"reason":"Killing","message":"m","count":3,"involvedObject":{"name":"p"}},
	{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"new"},"reason":"Killing","note":"m","regarding":{"name":"p"},"series":{"count":3,"lastObservedTime":"2026-11-23T03:15:00.000000Z"}},
	` + podA + `]`))
	if diff := cmp.Diff(kube.Faults{{"/2", "an Event was expected, this is a Pod"}}, faults(t, err)); diff != "" {
		t.Error(diff)
	}
	if len(events) != 2 {
		t.Fatalf("%d events", len(events))
	}
	for _, e := range events {
		if e.Reason != "Killing" || e.Message != "m" || e.InvolvedObject.Name != "p" {
			t.Errorf("event %+v", e)
		}
	}
	if events[1].Series == nil || events[1].Series.Count != 3 {
		t.Error("the series is lost")
	}
}

func TestFaultsDoNotRepeatWhatTheyRefuse(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, in := range []string{
		`{"apiVersion":"v1","kind":"` + long + `"}`, `{"apiVersion":"` + long + `","kind":"Pod"}`,
		`{"metadata":{"name":"a","creationTimestamp":"` + long + `"}}`, `[` + strings.Repeat(`7,`, 100_000) + `7]`,
	} {
		_, err := kube.Pods(json.RawMessage(in))
		if err == nil || len(err.Error()) > 3_000 {
			t.Errorf("%.40s: an error of %d bytes", in, len(err.Error()))
		}
	}
}

func FuzzPods(f *testing.F) {
	for _, in := range []string{podA, configMap, `[` + podA + `,` + bareB + `]`, `{"kind":"PodList","items":[{}]}`, `{"kind":"List","items":[[{}]]}`, `null`, `{"kind":1}`} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		pods, err := kube.Pods(in)
		for _, p := range pods {
			if p.Name == "" {
				t.Fatal("a pod without a name")
			}
		}
		if err != nil && len(err.Error()) > 10_000 {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
	})
}

func BenchmarkPods(b *testing.B) {
	env := strings.Repeat(`{"name":"SOME_VARIABLE","valueFrom":{"secretKeyRef":{"name":"some-secret","key":"some-key"}}},`, 500)
	raw := json.RawMessage(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"app","env":[` + strings.TrimSuffix(env, ",") + `]}]}}`)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	var pods []corev1.Pod
	for b.Loop() {
		pods, _ = kube.Pods(raw)
	}
	if len(pods) != 1 {
		b.Fatal("no pod")
	}
}
