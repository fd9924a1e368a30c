package kube

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// place is where the API keeps a kind, and the evidence key its objects get.
type place struct {
	kind, prefix, plural, evidenceKey string
}

// places are the kinds whose path Salve builds. What is not here has no path.
var places = []place{
	{"Pod", "/api/v1", "pods", "pods"},
	{"ReplicaSet", "/apis/apps/v1", "replicasets", "replicaSets"},
	{"Deployment", "/apis/apps/v1", "deployments", "deployments"},
	{"StatefulSet", "/apis/apps/v1", "statefulsets", "statefulSets"},
	{"DaemonSet", "/apis/apps/v1", "daemonsets", "daemonSets"},
	{"Job", "/apis/batch/v1", "jobs", "jobs"},
	{"CronJob", "/apis/batch/v1", "cronjobs", "cronJobs"},
}

func placeOf(kind string) (place, error) {
	for _, p := range places {
		if p.kind == kind {
			return p, nil
		}
	}
	return place{}, fmt.Errorf("kind %q is not one of Pod, ReplicaSet, Deployment, StatefulSet, DaemonSet, Job, CronJob", clip(kind, longestQuote))
}

// EvidenceKey is the key under which evidence holds objects of a kind.
func EvidenceKey(kind string) (string, error) {
	p, err := placeOf(kind)
	return p.evidenceKey, err
}

// ObjectPath is the path of one object.
func ObjectPath(kind, namespace, name string) (string, error) {
	p, err := placeOf(kind)
	if err != nil {
		return "", err
	}
	if err := CheckLabel("namespace", namespace); err != nil {
		return "", err
	}
	if err := CheckSubdomain(kind+" name", name); err != nil {
		return "", err
	}
	return p.prefix + "/namespaces/" + namespace + "/" + p.plural + "/" + name, nil
}

// PodsPath lists at most limit pods by label selector. A selector that selects
// everything is refused.
func PodsPath(namespace, selector string, limit int) (string, error) {
	if err := CheckLabel("namespace", namespace); err != nil {
		return "", err
	}
	if err := CheckSelector(selector); err != nil {
		return "", err
	}
	return "/api/v1/namespaces/" + namespace + "/pods?labelSelector=" + escapeQuery(selector) +
		"&limit=" + strconv.Itoa(limit), nil
}

// ObjectEventsPath lists at most limit events about one object.
func ObjectEventsPath(kind, namespace, name string, limit int) (string, error) {
	if _, err := ObjectPath(kind, namespace, name); err != nil {
		return "", err
	}
	return eventsPath(namespace, "involvedObject.kind="+kind+",involvedObject.name="+name, limit), nil
}

// KindEventsPath lists at most limit events about any object of a kind in a namespace.
func KindEventsPath(kind, namespace string, limit int) (string, error) {
	if _, err := placeOf(kind); err != nil {
		return "", err
	}
	if err := CheckLabel("namespace", namespace); err != nil {
		return "", err
	}
	return eventsPath(namespace, "involvedObject.kind="+kind, limit), nil
}

func eventsPath(namespace, fields string, limit int) string {
	return "/api/v1/namespaces/" + namespace + "/events?fieldSelector=" + escapeQuery(fields) +
		"&limit=" + strconv.Itoa(limit)
}

// escapeQuery escapes a query value for readers that do not know + as a space.
func escapeQuery(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

// CheckLabel refuses what cannot be a namespace or a container: nothing else
// becomes part of a path.
func CheckLabel(what, name string) error {
	return checkName(what, name, validation.DNS1123LabelMaxLength, validation.IsDNS1123Label)
}

// CheckSubdomain refuses what cannot be an object's name.
func CheckSubdomain(what, name string) error {
	return checkName(what, name, validation.DNS1123SubdomainMaxLength, validation.IsDNS1123Subdomain)
}

func checkName(what, name string, longest int, rule func(string) []string) error {
	if name == "" {
		return fmt.Errorf("%s is missing", what)
	}
	if len(name) > longest {
		return fmt.Errorf("%s %q is too long: at most %d characters", what, clip(name, longestQuote), longest)
	}
	if wrong := rule(name); len(wrong) > 0 {
		return fmt.Errorf("%s %q is not a Kubernetes name: %s", what, clip(name, longestQuote), wrong[0])
	}
	return nil
}

// CheckKind refuses what cannot be an object's kind.
func CheckKind(kind string) error {
	odd := func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') }
	if kind == "" || len(kind) > validation.DNS1123LabelMaxLength || strings.ContainsFunc(kind, odd) {
		return fmt.Errorf("kind %q is not a kind: at most %d letters and digits", clip(kind, longestQuote), validation.DNS1123LabelMaxLength)
	}
	return nil
}

// CheckUID refuses a missing UID and what no API server hands out.
func CheckUID(uid string) error {
	if uid == "" {
		return fmt.Errorf("uid is missing")
	}
	odd := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-'
	}
	if len(uid) > 64 || strings.ContainsFunc(uid, odd) {
		return fmt.Errorf("uid %q is not a UID: at most 64 letters, digits and dashes", clip(uid, longestQuote))
	}
	return nil
}

// CheckSelector refuses a label selector that is malformed or selects everything.
func CheckSelector(selector string) error {
	if len(selector) > maxSelector {
		return fmt.Errorf("label selector is too long: at most %d characters", maxSelector)
	}
	parsed, err := labels.Parse(selector)
	if err != nil {
		return fmt.Errorf("label selector %q: %w", clip(selector, longestQuote), err)
	}
	if parsed.Empty() {
		return fmt.Errorf("label selector is empty: it would select every pod of the namespace")
	}
	return nil
}

// maxSelector keeps a path well below the 8 KiB that proxies take.
const maxSelector = 2048

// longestQuote is how much of a refused name an error repeats.
const longestQuote = 80
