package remedy_test

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"salve/internal/remedy"
)

var hostile = map[string]string{
	"path traversal": "../../nodes",
	"query":          "a?force=true",
	"fragment":       "a#b",
	"sql":            "a'; DROP TABLE events; --",
	"shell":          "$(reboot)",
	"template":       "{{.Secret}}",
	"n8n expression": "={{ $env.TOKEN }}",
	"line break":     "a\nb",
	"mention":        "<!channel>",
	"letters beyond": "аpi",
	"not utf-8":      "a\xffb",
}

// A hostile name anywhere in what a change is built from is refused: names come
// from alerts and evidence.
func TestHostileNames(t *testing.T) {
	fields := map[string]func(*remedy.Request, string){
		"k8s.pod.restart pod": func(r *remedy.Request, s string) {
			r.Evidence.Pods[0].Name, r.Diagnosis.Subject.Name = s, s
		},
		"k8s.pod.restart namespace": func(r *remedy.Request, s string) {
			r.Evidence.Pods[0].Namespace, r.Diagnosis.Subject.Namespace = s, s
		},
		"k8s.pod.restart uid": func(r *remedy.Request, s string) {
			r.Evidence.Pods[0].UID, r.Diagnosis.Subject.UID = types.UID(s), s
		},
		"k8s.pod.restart controller": func(r *remedy.Request, s string) { r.Evidence.Pods[0].OwnerReferences[1].Name = s },
		"k8s.pod.restart kind":       func(r *remedy.Request, s string) { r.Evidence.Pods[0].OwnerReferences[1].Kind = s },
		"k8s.deployment.resources deployment": func(r *remedy.Request, s string) {
			r.Evidence.Deployments[0].Name, r.Diagnosis.Owner.Name = s, s
		},
		"k8s.deployment.resources namespace": func(r *remedy.Request, s string) {
			r.Evidence.Deployments[0].Namespace, r.Diagnosis.Owner.Namespace = s, s
		},
		"k8s.deployment.resources uid": func(r *remedy.Request, s string) {
			r.Evidence.Deployments[0].UID, r.Diagnosis.Owner.UID = types.UID(s), s
		},
		"k8s.deployment.resources container": func(r *remedy.Request, s string) {
			r.Evidence.Deployments[0].Spec.Template.Spec.Containers[1].Name, r.Diagnosis.Container = s, s
		},
		"k8s.deployment.resources first limit": func(r *remedy.Request, s string) { r.FirstLimit = s },
		"collect.pod name":                     func(r *remedy.Request, s string) { r.Target.Name = s },
		"collect.pod namespace":                func(r *remedy.Request, s string) { r.Target.Namespace = s },
		"collect.pod kind":                     func(r *remedy.Request, s string) { r.Target.Kind = s },
		"notify.slack channel": func(r *remedy.Request, s string) {
			r.Params = map[string]any{"channel": s, "text": "hello"}
		},
		"notify.slack thread": func(r *remedy.Request, s string) {
			r.Params = map[string]any{"channel": "#devops", "text": "hello", "thread_ts": s}
		},
	}
	for field, set := range fields {
		action, _, _ := strings.Cut(field, " ")
		for name, text := range hostile {
			r := outOfMemory(action)
			r.Evidence.Pods[0].OwnerReferences = append([]metav1.OwnerReference(nil), r.Evidence.Pods[0].OwnerReferences...)
			set(&r, text)
			in, err := remedy.Build(r)
			var no *remedy.Refusal
			if !errors.As(err, &no) || len(no.Reason) < 20 || len(no.Reason) > 500 {
				t.Errorf("%s: %s gave %s and %v, want a refusal", field, name, in.Execute, err)
			}
		}
	}
}

// What stands in a diagnosis' owner is only a hint: the pod is read without it.
func TestHostileOwnerDoesNotStopCollecting(t *testing.T) {
	for name, text := range hostile {
		r := outOfMemory("collect.pod")
		want := build(t, r)
		r.Diagnosis.Owner.Name = text
		in := build(t, r)
		if strings.Contains(string(in.Execute), "deployments") || in.PlanHash == want.PlanHash {
			t.Errorf("%s: %s", name, in.Execute)
		}
	}
}
