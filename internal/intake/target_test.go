package intake

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
)

func object(namespace, kind, name string) incident.Target {
	return incident.Target{Cluster: "main", Namespace: namespace, Kind: kind, Name: name}
}

func host(name string) incident.Target {
	return incident.Target{Cluster: "main", Kind: "Host", Host: name}
}

func service(namespace, name string) incident.Target {
	return incident.Target{Cluster: "main", Namespace: namespace, Kind: "Service", Service: name}
}

func TestTargetOfLabels(t *testing.T) {
	tests := []struct {
		name    string
		labels  string // "name=value name=value"
		want    incident.Target
		family  string
		service string
	}{
		{"a pod comes before its deployment", "alertname=X namespace=n pod=p deployment=d", object("n", "Pod", "p"), "pod", ""},
		{"unless the alert is about the deployment", "alertname=KubeDeploymentRolloutStuck namespace=n pod=p deployment=d", object("n", "Deployment", "d"), "workload", ""},
		{"a statefulset", "alertname=X namespace=n statefulset=s", object("n", "StatefulSet", "s"), "workload", ""},
		{"a daemonset", "alertname=X namespace=n daemonset=s", object("n", "DaemonSet", "s"), "workload", ""},
		{"a job", "alertname=X namespace=n job_name=j job=kube-state-metrics", object("n", "Job", "j"), "job", ""},
		{"a node", "alertname=X node=worker-1.example.com", object("", "Node", "worker-1.example.com"), "node", ""},
		{"the exporter's pod is not the patient", "alertname=X namespace=n pod=a-kube-state-metrics-0 job=kube-state-metrics deployment=d", object("n", "Deployment", "d"), "workload", ""},
		{"unless the alert is about that pod", "alertname=KubePodCrashLooping namespace=n pod=kube-state-metrics-0 job=kube-state-metrics container=kube-state-metrics", object("n", "Pod", "kube-state-metrics-0"), "pod", ""},
		{"kube-state-metrics' address is no patient", "alertname=X job=kube-state-metrics instance=10.0.0.1:8080 service=ksm namespace=n", object("", "Namespace", "n"), "unknown", ""},
		{"a machine exporter tells of its machine", "alertname=X job=node-exporter instance=web-1:9100 app=shop service=node-exporter", host("web-1"), "host", "shop"},
		{"a pod without a namespace", "alertname=X pod=p service=s", service("", "s"), "unknown", "s"},
		{"a pod that cannot be one", "alertname=KubePodNotReady namespace=n pod=P_1 service=s", service("n", "s"), "pod", "s"},
		{"a namespace that cannot be one", "alertname=X namespace=n/../m pod=p service=s", service("", "s"), "unknown", "s"},
		{"a host by hostname", "alertname=X hostname=Web_1 service=s", host("Web_1"), "host", "s"},
		{"a service before a bare instance", "alertname=X instance=10.0.0.1:80 service=s", service("", "s"), "unknown", "s"},
		{"an instance before a job", "alertname=InstanceDown instance=db-1:9187 job=postgres", host("db-1"), "service", "postgres"},
		{"a URL for an instance", "alertname=ProbeFailure instance=https://u:p@shop.example.org:8443/x?y#z job=http", host("shop.example.org"), "service", "http"},
		{"an IPv6 instance", "alertname=NodeDown instance=[2001:db8::1]:9100 job=node", host("2001:db8::1"), "host", ""},
		{"a bare IPv6 instance", "alertname=NodeDown instance=2001:db8::1 job=node", host("2001:db8::1"), "host", ""},
		{"an instance that is no host", "alertname=X instance=$(reboot) job=j", service("", "j"), "unknown", "j"},
		{"app before app_kubernetes_io_name", "alertname=X app=a app_kubernetes_io_name=b", service("", "a"), "unknown", "a"},
		{"app_kubernetes_io_name", "alertname=X app_kubernetes_io_name=b job=c", service("", "b"), "unknown", "b"},
		{"a certificate", "alertname=CertificateExpiringSoon instance=https://shop.example.org", host("shop.example.org"), "cert", ""},
		{"nothing but a name", "alertname=KubeCPUOvercommit", service("", "KubeCPUOvercommit"), "resource", ""},
		{"a name too long for one", "alertname=X service=" + strings.Repeat("s", 254) + " job=j", service("", "j"), "unknown", "j"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			labels := map[string]string{}
			for _, pair := range strings.Fields(tt.labels) {
				name, value, _ := strings.Cut(pair, "=")
				labels[name] = value
			}
			item := input("").item(incident.Event{Name: labels["alertname"]}, clues{cluster: "main", labels: labels}, "", &findings{})
			if diff := cmp.Diff(tt.want, item.Event.Target); diff != "" {
				t.Errorf("target (-want +got):\n%s", diff)
			}
			if item.Event.Family != tt.family || item.Event.Service != tt.service {
				t.Errorf("family %q, service %q; want %q, %q", item.Event.Family, item.Event.Service, tt.family, tt.service)
			}
		})
	}
}

func TestTargetSpelledOut(t *testing.T) {
	custom := object("argo", "Rollout", "web")
	uid := object("n", "Pod", "p")
	uid.UID, uid.Container = "6f1f8b1e", "app"
	both := host("web-1")
	both.Service = "nginx"
	tests := []struct {
		name, fields string
		want         incident.Target
		notes        []string
	}{
		{"all of it", `"namespace":"other","target":{"kind":"Pod","name":"p","namespace":"n","uid":"6f1f8b1e","container":"app"}`, uid, nil},
		{"a kind in small letters, the namespace from the alert", `"namespace":"n","target":{"kind":"deployment","name":"web"}`, object("n", "Deployment", "web"), nil},
		{"a custom resource", `"target":{"kind":"Rollout","name":"web","namespace":"argo"}`, custom, nil},
		{"a custom resource in the alert's namespace", `"namespace":"argo","target":{"kind":"Rollout","name":"web"}`, custom, nil},
		{"a node has no namespace", `"namespace":"n","target":{"kind":"node","name":"w","namespace":"m"}`, object("", "Node", "w"), nil},
		{"before the labels", `"target":{"kind":"Node","name":"w"},"labels":{"pod":"p","namespace":"n"}`, object("", "Node", "w"), nil},
		{"a host and what runs on it", `"target":{"host":"web-1","service":"nginx"}`, both, nil},
		{"a service", `"namespace":"n","target":{"service":"shop"}`, service("n", "shop"), nil},
		{"no kind", `"service":"s","target":{"name":"p","namespace":"n"}`, service("", "s"), []string{`target "p" has no Kubernetes kind, like Pod or Deployment: not taken as the target`}},
		{"no namespace", `"service":"s","target":{"kind":"Pod","name":"p"}`, service("", "s"), []string{`Pod "p" has no namespace: not taken as the target`}},
		{"a name that cannot be one", `"hostname":"web-1","target":{"kind":"Pod","name":"p;reboot","namespace":"n"}`, host("web-1"),
			[]string{`"p;reboot" is no name of a Kubernetes Pod: not taken as the target`}},
		{"a namespace that cannot be one", `"service":"s","target":{"kind":"Pod","name":"p","namespace":"N"}`, service("", "s"),
			[]string{`"N" is no Kubernetes namespace: Pod "p" is not taken as the target`}},
		{"a host that cannot be one", `"service":"s","target":{"host":"a b"}`, service("", "s"), []string{`"a b" is no name of a host: not taken as the target`}},
		{"a container that cannot be one is left out", `"target":{"kind":"Pod","name":"p","namespace":"n","container":"A"}`, object("n", "Pod", "p"), nil},
		{"hostname", `"service":"s","hostname":"web-1"`, host("web-1"), nil},
		{"namespace alone", `"namespace":"n"`, object("", "Namespace", "n"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			item := one(t, Native(), input(`{"severity":"info",`+tt.fields+`}`))
			if diff := cmp.Diff(tt.want, item.Event.Target); diff != "" {
				t.Errorf("target (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.notes, item.Notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNotesAreSaidOnce(t *testing.T) {
	item := one(t, Native(), input(`{"severity":"info","labels":{"service":"`+strings.Repeat("s", 254)+`","app":"a"}}`))
	want := []string{"label service is 254 bytes long: too long for a name, not taken as one"}
	if diff := cmp.Diff(want, item.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestSuppressedAlertsAreInfo(t *testing.T) {
	item := one(t, Native(), input(`{"severity":"critical","labels":{"alertname":"Watchdog"}}`))
	if item.Event.Severity != incident.Info || item.Suppress != "Watchdog always fires: it proves that alerts arrive" {
		t.Errorf("severity %s, suppress %q", item.Event.Severity, item.Suppress)
	}
}

func TestClipCutsBetweenCharacters(t *testing.T) {
	for n, want := range map[int]string{0: "", 1: "a", 2: "a", 3: "aé", 9: "aé"} {
		if got := clip("aé", n); got != want {
			t.Errorf("clip to %d: %q, want %q", n, got, want)
		}
	}
}

func TestHypothesisByWholeWords(t *testing.T) {
	tests := map[string]string{
		"KubePodCrashLooping": "pod", "KubePod": "pod", "KubePodder": "", "KubeletDown": "node", "KubeletClientCertificateExpiration": "cert",
		"NodeClockNotSynchronising": "host", "NodeNotReady": "node", "NodejsHeapFull": "", "PodOOMKilled": "pod", "BackupFailed": "backup",
		"HighErrorRate": "slo", "PostgresqlDown": "db", "Watchdog": "", "Watchdogs": "", "": "", "watchdog": "",
	}
	for name, want := range tests {
		if got := alerts.find(name, nil).family(); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestKindIsTheSendersHypothesis(t *testing.T) {
	neither := func(kind string) []string {
		return []string{`kind "` + kind + `" is neither a family of causes, like pod or host, nor a cause, like pod.oom_killed: not taken`}
	}
	tests := []struct {
		name, fields, family, cause string
		notes                       []string
	}{
		{"a family", `"kind":"service"`, "service", "", nil},
		{"a cause", `"kind":"host.disk_full"`, "host", "host.disk_full", nil},
		{"a cause of two dots", `"kind":"pod.unschedulable.taint"`, "pod", "pod.unschedulable.taint", nil},
		{"in capitals", `"kind":"Pod.OOM_killed"`, "pod", "pod.oom_killed", nil},
		{"before the alert's name", `"kind":"db","labels":{"alertname":"KubeHpaMaxedOut"}`, "db", "", nil},
		{"a cause before the name's", `"kind":"node.disk_pressure","labels":{"alertname":"KubeNodeNotReady"}`, "node", "node.disk_pressure", nil},
		{"a family of which the name knows the cause", `"kind":"workload","labels":{"alertname":"KubeHpaMaxedOut"}`, "workload", "workload.hpa_maxed", nil},
		{"a cause that there is not", `"kind":"host.disk_fool"`, "host", "", []string{`kind "host.disk_fool" is no cause: only its family host is taken`}},
		{"half a cause", `"kind":"pod.unschedulable"`, "pod", "", []string{`kind "pod.unschedulable" is no cause: only its family pod is taken`}},
		{"a word that is none", `"kind":"metric"`, "unknown", "", neither("metric")},
		{"a word that is none, a name that is known", `"kind":"metric","labels":{"alertname":"KubeHpaMaxedOut"}`, "workload", "workload.hpa_maxed", neither("metric")},
		{"nobody knows", `"kind":"unknown"`, "unknown", "", nil},
		{"health is no trouble", `"kind":"healthy"`, "unknown", "", neither("healthy")},
		{"nobody may hide an alert as a watchdog", `"kind":"watchdog"`, "unknown", "", neither("watchdog")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			item := one(t, Native(), input(`{"severity":"info","service":"s",`+tt.fields+`}`))
			if item.Event.Family != tt.family || item.Event.Hypothesis != tt.cause || item.Suppress != "" {
				t.Errorf("family %q, hypothesis %q, suppress %q; want %q, %q", item.Event.Family, item.Event.Hypothesis, item.Suppress, tt.family, tt.cause)
			}
			if diff := cmp.Diff(tt.notes, item.Notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		name             string
		label, subdomain bool
	}{
		{"a", true, true}, {"a-b", true, true}, {"a--b", true, true}, {"0", true, true}, {"a.b", false, true}, {"a.b-c.d", false, true},
		{"", false, false}, {"-a", false, false}, {"a-", false, false}, {".a", false, false}, {"a.", false, false}, {"a..b", false, false},
		{"a.-b", false, false}, {"a-.b", false, false}, {"A", false, false}, {"a_b", false, false}, {"a/b", false, false}, {"é", false, false},
		{strings.Repeat("a", 63), true, true}, {strings.Repeat("a", 64), false, true}, {strings.Repeat("a", 253), false, true}, {strings.Repeat("a", 254), false, false},
	}
	for _, tt := range tests {
		if validLabel(tt.name) != tt.label || validSubdomain(tt.name) != tt.subdomain {
			t.Errorf("%q: label %t, subdomain %t", tt.name, validLabel(tt.name), validSubdomain(tt.name))
		}
	}
	for kind, want := range map[string]bool{"Pod": true, "HTTPRoute": true, "V1": true, "pod": false, "": false, "Pod/x": false, "1Pod": false} {
		if validKind(kind) != want {
			t.Errorf("kind %q: %t", kind, !want)
		}
	}
}
