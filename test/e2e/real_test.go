//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"salve/test/cluster"
)

// deployment is one of a container app, which test/kube's node plays as the
// annotations say.
const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, labels: {app: api}}
spec:
  replicas: %d
  selector: {matchLabels: {app: api}}
  template:
    metadata:
      labels: {app: api}
      annotations: {%s}
    spec:
      containers:
        - name: app
          image: registry.example.com/shop/api:1.4.2
          resources: {limits: {memory: 256Mi}}`

// newRealStory is a story in a namespace of its own of the real cluster.
func newRealStory(t *testing.T, namespace string) *story {
	t.Helper()
	s := newStory(t, realCluster)
	s.namespace = namespace
	if err := theWorld.cluster.Namespace(s.ctx, namespace, nil); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *story) apply(manifest string, args ...any) {
	s.t.Helper()
	if err := theWorld.cluster.Apply(s.ctx, s.namespace, fmt.Sprintf(manifest, args...)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) pods() []cluster.Object {
	s.t.Helper()
	pods, err := theWorld.cluster.Items(s.ctx, "/api/v1/namespaces/"+s.namespace+"/pods")
	if err != nil {
		s.t.Fatal(err)
	}
	return pods
}

// untilPod waits for a pod whose container app waits for a reason, and makes
// the story be about it.
func (s *story) untilPod(reason string) (name string) {
	s.t.Helper()
	err := cluster.Until(s.ctx, func() (bool, error) {
		for _, pod := range s.pods() {
			if cluster.At(pod, "status", "containerStatuses", 0, "state", "waiting", "reason") == reason {
				name, _ = cluster.At(pod, "metadata", "name").(string)
			}
		}
		return name != "", nil
	})
	if err != nil {
		s.t.Fatalf("waiting for a pod in %s: %v", reason, err)
	}
	s.about = aboutPod(name)
	s.about["reason"] = reason
	return name
}

// untilDecided waits until a cause is decided on, and gives the incident when
// nothing is under way any more.
func (s *story) untilDecided(cause string) incidentView {
	s.t.Helper()
	i := s.untilIncident("its cause is "+cause, func(i incidentView) bool { return i.Cause == cause })
	s.wantRows("it was decided on", `
		select count(*) > 0 from decisions where incident_id = '`+i.ID+`' and cause = '`+cause+`'`, [][]string{{"t"}})
	return s.untilIncident("nothing is under way", func(i incidentView) bool { return len(i.live()) == 0 })
}

// wantCollected says that n8n read what Salve asked for, without a refusal.
func (s *story) wantCollected(i incidentView) {
	s.t.Helper()
	s.wantRows("the evidence was collected by n8n", `
		select count(*) > 0, count(*) = count(*) filter (where i.state = 'succeeded' and i.worker = 'n8n' and r.status = 'succeeded')
		from intents i join results r on r.intent_id = i.id
		where i.incident_id = '`+i.ID+`' and i.action like 'collect.%'`, [][]string{{"t", "t"}})
}

// The whole loop, with nothing in it that is not real but the node: the alert
// only names a pod; n8n reads it from the API server; Salve sees why it died;
// n8n evicts it; the ReplicaSet controller makes another one.
func TestEvidenceLoopOnARealCluster(t *testing.T) {
	s := newRealStory(t, "shop-memory")
	s.apply(deployment, 2, `sim/needs-memory: 512Mi, sim/pods: "1", sim/restarts: "7"`)
	ill := s.untilPod("CrashLoopBackOff")

	s.fires()
	s.untilIncident("its repair is watched", func(i incidentView) bool { return i.State == "verifying" })
	s.resolves()
	i := s.untilIncident("it is resolved", func(i incidentView) bool { return i.State == "resolved" })
	s.untilIncident("nothing is under way", func(i incidentView) bool { return len(i.live()) == 0 })

	s.wantRows("the cause was found", `
		select count(*) > 0 from decisions where incident_id = '`+i.ID+`' and cause = 'pod.oom_killed'`, [][]string{{"t"}})
	s.wantCollected(i)
	s.wantRows("the API server took the eviction, and the result is recorded", `
		select r.status, r.doc->'output'->>'http_code' from results r join intents i on i.id = r.intent_id
		where i.incident_id = '`+i.ID+`' and i.action = 'k8s.pod.restart' and r.flag = ''`, [][]string{{"succeeded", "201"}})
	s.wantReplaced(ill)
	s.wantStory(i, "incident.opened", "intent.issued", "intent.claim", "intent.succeed", "incident.resolved")
}

// wantReplaced waits until a pod is gone and all pods of its owner are ready.
func (s *story) wantReplaced(gone string) {
	s.t.Helper()
	err := cluster.Until(s.ctx, func() (bool, error) {
		pods := s.pods()
		for _, pod := range pods {
			if cluster.At(pod, "metadata", "name") == gone || cluster.At(pod, "status", "containerStatuses", 0, "ready") != true {
				return false, nil
			}
		}
		return len(pods) == 2, nil
	})
	if err != nil {
		s.t.Errorf("pod %s is not replaced by one that is ready: %v; there are %v", gone, err, s.pods())
	}
}

// What no restart mends is told, and left alone.
func TestImageNotFoundOnARealCluster(t *testing.T) {
	s := newRealStory(t, "shop-image")
	s.apply(deployment, 1, `sim/state: ImagePullBackOff`)
	ill := s.untilPod("ImagePullBackOff")
	s.alertname = "KubePodNotReady"

	s.fires()
	i := s.untilDecided("pod.image_not_found")
	s.wantCollected(i)
	if pods := s.pods(); len(pods) != 1 || cluster.At(pods[0], "metadata", "name") != ill {
		t.Errorf("the pod was touched: %v", pods)
	}
}

// No pod tells why there are too few: the quota's admission said so to the
// ReplicaSet controller, and that to its events.
func TestQuotaOnARealCluster(t *testing.T) {
	s := newRealStory(t, "shop-quota")
	s.apply(`
apiVersion: v1
kind: ResourceQuota
metadata: {name: compute}
spec: {hard: {limits.memory: 512Mi}}`)
	s.apply(deployment, 3, `sim/state: Running`)
	s.untilEvent("FailedCreate", "exceeded quota")
	s.alertname, s.about = "KubeDeploymentReplicasMismatch", map[string]string{"deployment": "api"}

	s.fires()
	i := s.untilDecided("workload.quota_exceeded")
	s.wantCollected(i)
}

func (s *story) untilEvent(reason, says string) {
	s.t.Helper()
	err := cluster.Until(s.ctx, func() (bool, error) {
		events, err := theWorld.cluster.Items(s.ctx, "/api/v1/namespaces/"+s.namespace+"/events")
		for _, e := range events {
			message, _ := e["message"].(string)
			if e["reason"] == reason && strings.Contains(message, says) {
				return true, nil
			}
		}
		return false, err
	})
	if err != nil {
		s.t.Fatalf("waiting for an event %s: %v", reason, err)
	}
}

// The pod only says that it ends with 1. What it could not reach is in the log
// of the container that ended.
func TestPreviousLogDecidesOnARealCluster(t *testing.T) {
	s := newRealStory(t, "shop-database")
	s.apply(deployment, 1, `sim/state: CrashLoopBackOff, sim/exit-code: "1", sim/previous-log: "starting\nfatal: dial tcp 10.0.0.5:5432: connect: connection refused\n"`)
	s.untilPod("CrashLoopBackOff")

	s.fires()
	i := s.untilIncident("its logs were read", func(i incidentView) bool { return i.has("collect.logs", "succeeded") })
	s.wantRows("n8n read the log of the container that ended", `
		select distinct l->>'container', l->>'text' like '%10.0.0.5:5432: connect: connection refused%'
		from events, json_array_elements(evidence->'logs') l
		where incident_id = '`+i.ID+`' and kind = 'result' and l->>'previous' = 'true'`, [][]string{{"app", "t"}})
	i = s.untilDecided("pod.dependency_unavailable")
	s.wantCollected(i)
}
