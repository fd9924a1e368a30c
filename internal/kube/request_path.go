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
	clusterWide                       bool
}

// places are the kinds whose path Salve builds. What is not here has no path.
var places = []place{
	{kind: "Pod", prefix: "/api/v1", plural: "pods", evidenceKey: "pods"},
	{kind: "ReplicaSet", prefix: "/apis/apps/v1", plural: "replicasets", evidenceKey: "replicaSets"},
	{kind: "Deployment", prefix: "/apis/apps/v1", plural: "deployments", evidenceKey: "deployments"},
	{kind: "StatefulSet", prefix: "/apis/apps/v1", plural: "statefulsets", evidenceKey: "statefulSets"},
	{kind: "DaemonSet", prefix: "/apis/apps/v1", plural: "daemonsets", evidenceKey: "daemonSets"},
	{kind: "Job", prefix: "/apis/batch/v1", plural: "jobs", evidenceKey: "jobs"},
	{kind: "CronJob", prefix: "/apis/batch/v1", plural: "cronjobs", evidenceKey: "cronJobs"},
	{kind: "Node", prefix: "/api/v1", plural: "nodes", evidenceKey: "nodes", clusterWide: true},
	{kind: "PersistentVolumeClaim", prefix: "/api/v1", plural: "persistentvolumeclaims", evidenceKey: "pvcs"},
	{kind: "ResourceQuota", prefix: "/api/v1", plural: "resourcequotas", evidenceKey: "quotas"},
	{kind: "HorizontalPodAutoscaler", prefix: "/apis/autoscaling/v2", plural: "horizontalpodautoscalers", evidenceKey: "hpas"},
	{kind: "PodDisruptionBudget", prefix: "/apis/policy/v1", plural: "poddisruptionbudgets", evidenceKey: "pdbs"},
	{kind: "Application", prefix: "/apis/argoproj.io/v1alpha1", plural: "applications", evidenceKey: "gitops"},
	{kind: "Kustomization", prefix: "/apis/kustomize.toolkit.fluxcd.io/v1", plural: "kustomizations", evidenceKey: "gitops"},
	{kind: "HelmRelease", prefix: "/apis/helm.toolkit.fluxcd.io/v2", plural: "helmreleases", evidenceKey: "gitops"},
	{kind: "Certificate", prefix: "/apis/cert-manager.io/v1", plural: "certificates", evidenceKey: "certificate"},
}

func placeOf(kind string) (place, error) {
	for _, p := range places {
		if p.kind == kind {
			return p, nil
		}
	}
	names := make([]string, len(places))
	for i, p := range places {
		names[i] = p.kind
	}
	return place{}, fmt.Errorf("kind %q is not one of %s", clip(kind, longestQuote), strings.Join(names, ", "))
}

// EvidenceKey is the key under which evidence holds objects of a kind.
func EvidenceKey(kind string) (string, error) {
	p, err := placeOf(kind)
	return p.evidenceKey, err
}

// ObjectPath is the path of one object; namespace does not count for kinds that
// have none.
func ObjectPath(kind, namespace, name string) (string, error) {
	p, err := placeOf(kind)
	if err != nil {
		return "", err
	}
	if err := CheckSubdomain(kind+" name", name); err != nil {
		return "", err
	}
	if p.clusterWide {
		return p.prefix + "/" + p.plural + "/" + name, nil
	}
	if err := CheckLabel("namespace", namespace); err != nil {
		return "", err
	}
	return p.prefix + "/namespaces/" + namespace + "/" + p.plural + "/" + name, nil
}

// ListPath lists at most limit objects of a kind in a namespace.
func ListPath(kind, namespace string, limit int) (string, error) {
	p, err := placeOf(kind)
	if err != nil {
		return "", err
	}
	if err := CheckLabel("namespace", namespace); err != nil {
		return "", err
	}
	return p.prefix + "/namespaces/" + namespace + "/" + p.plural + "?limit=" + strconv.Itoa(limit), nil
}

// LogPath is the log of one container: the last lines, at most so many bytes.
func LogPath(namespace, pod, container string, previous bool, lines, bytes int) (string, error) {
	path, err := ObjectPath("Pod", namespace, pod)
	if err != nil {
		return "", err
	}
	if err := CheckLabel("container", container); err != nil {
		return "", err
	}
	path += "/log?container=" + container + "&tailLines=" + strconv.Itoa(lines) + "&limitBytes=" + strconv.Itoa(bytes)
	if previous {
		path += "&previous=true"
	}
	return path, nil
}

// MetricsPath is what the metrics API says of one pod or node.
func MetricsPath(kind, namespace, name string) (string, error) {
	path, err := ObjectPath(kind, namespace, name)
	if err != nil {
		return "", err
	}
	rest, ok := strings.CutPrefix(path, "/api/v1")
	if !ok || kind != "Pod" && kind != "Node" {
		return "", fmt.Errorf("the metrics API knows pods and nodes, not %q", clip(kind, longestQuote))
	}
	return "/apis/metrics.k8s.io/v1beta1" + rest, nil
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
	if p, _ := placeOf(kind); p.clusterWide {
		namespace = "default" // where the events of what has no namespace are kept
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
