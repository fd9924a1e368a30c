package evidence_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/evidence"
)

const (
	deploymentJSON  = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"api","namespace":"production"}}`
	eventsV1JSON    = `{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"x","namespace":"production"},"eventTime":null,"regarding":{"kind":"Pod","name":"a"},"reason":"BackOff","note":"Back-off"}`
	serviceJSON     = `{"apiVersion":"v1","kind":"Service","metadata":{"name":"api"}}`
	applicationJSON = `{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"shop","namespace":"argocd"},"spec":{"syncPolicy":{"automated":{}}}}`
)

func listOf(objects ...string) string {
	return `{"apiVersion":"v1","kind":"List","items":[` + strings.Join(objects, ",") + `]}`
}

// inventory counts what evidence holds, key by key.
func inventory(ev evidence.Evidence) string {
	var b strings.Builder
	for _, c := range []struct {
		name string
		n    int
	}{
		{"pods", len(ev.Pods)}, {"events", len(ev.Events)}, {"deployments", len(ev.Deployments)}, {"replicaSets", len(ev.ReplicaSets)}, {"jobs", len(ev.Jobs)},
		{"nodes", len(ev.Nodes)}, {"hpas", len(ev.HPAs)}, {"pvcs", len(ev.PVCs)}, {"pdbs", len(ev.PDBs)}, {"gitops", len(ev.GitOps)},
		{"logs", len(ev.Logs)}, {"disks", len(ev.Disks)}, {"certificates", len(ev.Certificates)}, {"backups", len(ev.Backups)}, {"services", len(ev.Services)},
		{"dbs", len(ev.DBs)}, {"usages", len(ev.Usages)}, {"aggregates", len(ev.Aggregates)},
	} {
		if c.n > 0 {
			fmt.Fprintf(&b, "%s %d ", c.name, c.n)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestFromFile(t *testing.T) {
	pod := podJSON("a-1", "1", "Running")
	podYAML := "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a-2\n  namespace: production\n"
	const what = "give evidence as JSON or YAML ({pods, events, logs, …}), what kubectl get -o json or kubectl describe prints, what df, du, systemctl, openssl, certbot and the like print, or a log"
	for _, tc := range []struct {
		name, text string
		want       string
		problems   []evidence.Problem
	}{
		{"evidence", `{"observedAt":"2026-11-23T03:15:00Z","pods":[` + pod + `],"service":{"unit":"nginx.service"}}`, "pods 1 services 1", nil},
		{"an object", pod, "pods 1", nil},
		{"a List of many kinds", listOf(pod, deploymentJSON, eventsV1JSON, applicationJSON), "pods 1 events 1 deployments 1 gitops 1", nil},
		{"a PodList of an API server", `{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}`, "pods 1", nil},
		{"an EventList of the newer API, whose items say no kind", `{"kind":"EventList","apiVersion":"events.k8s.io/v1","items":[{"metadata":{"name":"x"},"eventTime":null,"regarding":{"kind":"Pod","name":"a"}}]}`, "events 1", nil},
		{"an array", `[` + pod + `,` + deploymentJSON + `]`, "pods 1 deployments 1", nil},
		{"an array of Lists", `[` + listOf(pod) + `,` + listOf(deploymentJSON) + `]`, "pods 1 deployments 1", nil},
		{"one document after another", pod + "\n" + listOf(deploymentJSON) + "\n\n" + `{"pods":[` + podJSON("b", "2", "Running") + `]}`, "pods 2 deployments 1", nil},
		{"kinds that nothing reads", listOf(pod, serviceJSON, serviceJSON), "pods 1", []evidence.Problem{{Detail: "not read, for nothing is known of these kinds: Service (2)"}}},
		{"an object that is malformed is named where it stands", listOf(deploymentJSON, `{"apiVersion":"v1","kind":"Pod","metadata":{"name":7}}`), "deployments 1",
			[]evidence.Problem{{Pointer: "/items/1", Detail: "the Pod is malformed: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string"}}},
		{"YAML", podYAML, "pods 1", nil},
		{"several YAML documents", "---\n" + podYAML + "---\n" + podYAML + "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\n", "pods 2 deployments 1", nil},
		{"evidence in YAML", "# seen by hand\nobservedAt: 2026-11-23T03:15:00Z\ndisk:\n  host: web-01\n  filesystems:\n  - {mount: /, usePercent: 87}\n", "disks 1", nil},
		{"YAML that is none", "kind: [\n", "", []evidence.Problem{{Detail: "document 1 is no YAML: line 2: did not find expected node content"}}},
		{"an alert with evidence", `{"severity":"critical","service":"api","message":"down","evidence":{"pods":` + pod + `}}`, "pods 1", nil},
		{"what is malformed within an alert's evidence", `{"severity":"critical","message":"down","evidence":{"pods":"none","service":{"unit":"a.service"}}}`, "services 1",
			[]evidence.Problem{{Pointer: "/evidence/pods", Detail: "an object, an array of objects or a List was expected, this is a string"}}},
		{"an alert without", `{"severity":"critical","service":"api","message":"down","labels":{}}`, "",
			[]evidence.Problem{{Detail: "this is an alert without evidence{}: add evidence, or give what kubectl get pod,events -o json prints"}}},
		{"an Alertmanager's webhook", `{"receiver":"salve","groupKey":"x","alerts":[{"labels":{"alertname":"KubePodCrashLooping"}}]}`, "",
			[]evidence.Problem{{Detail: "this is an alert without evidence{}: add evidence, or give what kubectl get pod,events -o json prints"}}},
		{"an aggregate", `{"service":"api","window":{"start":"2026-11-23T03:00:00Z"},"metrics":{"availability":99.1},"deployments":[{"version":"1"}]}`, "aggregates 1", nil},
		{"df", dfLine, "disks 1", nil},
		{"du", "4096\t/var/mail\n8192\t/var/log\n", "disks 1", nil},
		{"kubectl top", "NAME     CPU(cores)   MEMORY(bytes)   \napi-1    250m         480Mi           \n", "usages 1", nil},
		{"a PEM", testdata(t, "chain.pem"), "certificates 1", nil},
		{"with byte order mark, carriage returns and colours", "\ufeff\x1b[1m" + strings.ReplaceAll(strings.ReplaceAll(dfLine, "\n", "\r\n"), "92%", "\x1b[31m92%\x1b[0m"), "disks 1", nil},
		{"a terminal session", "root@web-01:~# df -P\n" + dfLine + "root@web-01:~# systemctl show nginx\nId=nginx.service\nActiveState=failed\n", "disks 1 services 1", nil},
		{"a log", "2026-11-23 03:15:00 ERROR connection refused\n", "logs 1", nil},
		{"a log whose lines begin with a bracket", "[2026-11-23] ERROR connection refused\n", "logs 1", nil},
		{"a log of JSON", `{"level":"error","msg":"connection refused"}` + "\n" + `{"level":"info","msg":"bye"}` + "\n", "logs 1", nil},
		{"nothing", " \n", "", []evidence.Problem{{Detail: "there is nothing in it: " + what}}},
		{"binary", "\x7fELF\x00\x01", "", []evidence.Problem{{Detail: "this is a binary file: " + what}}},
		{"other JSON", `{"hello":"world"}`, "", []evidence.Problem{{Detail: "JSON that is neither evidence, nor a Kubernetes object, nor an alert with evidence{}: " + what}}},
		{"half a JSON", `{"pods":[` + pod, "", []evidence.Problem{{Detail: "document 1, from line 1 on, is no whole JSON: unexpected EOF"}}},
		{"a command that failed", "Error from server (NotFound): pods \"api\" not found\n", "", []evidence.Problem{{Detail: `the command failed: "Error from server (NotFound): pods \"api\" not found"`}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, problems := evidence.FromFile([]byte(tc.text), now)
			if diff := cmp.Diff(tc.problems, problems); diff != "" {
				t.Error(diff)
			}
			if inv := inventory(got); inv != tc.want {
				t.Errorf("found %q, want %q", inv, tc.want)
			}
			if !got.ObservedAt.Equal(now) {
				t.Errorf("observed at %s", got.ObservedAt)
			}
		})
	}
}

// Looks of different times in one file become one, the newer over the older.
func TestFromFileMergesLooks(t *testing.T) {
	older := fmt.Sprintf(`{"observedAt":%q,"pods":%s}`, ago(10*time.Minute), podJSON("a-1", "1", "Failed"))
	newer := fmt.Sprintf(`{"observedAt":%q,"pods":%s}`, ago(time.Minute), podJSON("a-1", "1", "Running"))
	for _, text := range []string{older + newer, newer + older} {
		got, problems := evidence.FromFile([]byte(text), now)
		if len(got.Pods) != 1 || got.Pods[0].Status.Phase != "Running" || !got.ObservedAt.Equal(now.Add(-time.Minute)) || problems != nil {
			t.Errorf("got %v at %s, %v", got.Pods, got.ObservedAt, problems)
		}
	}
}

// Every output that is recognised by its look alone is read as if it were named.
func TestFromFileReadsOutputsAsIfNamed(t *testing.T) {
	for name, tool := range map[string]string{
		"chain.pem": "pem", "openssl-text.txt": "openssl x509", "openssl-s_client.txt": "openssl s_client",
		"describe-pod.txt": "kubectl describe pod x", "describe-hpa.txt": "kubectl describe hpa",
	} {
		t.Run(name, func(t *testing.T) {
			text := testdata(t, name)
			want, _ := evidence.Parse(rawOf(evidence.Raw{Tool: tool, Text: text}), now)
			got, problems := evidence.FromFile([]byte(text), now)
			if diff := cmp.Diff(want, got); diff != "" || problems != nil {
				t.Error(diff, problems)
			}
		})
	}
}
