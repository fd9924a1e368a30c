//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"salve/test/cluster"
	"salve/test/standin"
)

// story is one incident of one cluster, from firing to the end.
type story struct {
	t         *testing.T
	ctx       context.Context
	name      string // of the cluster
	namespace string
	host      string // where it is about a host
	alertname string
	about     map[string]string // labels that name the target
	cluster   *standin.Server   // none for the real cluster
	started   time.Time
}

// incidentView is what the tests look at of GET /v1/incidents/{id}.
type incidentView struct {
	ID      string `json:"id"`
	ShortID string `json:"short_id"`
	State   string `json:"state"`
	Cause   string `json:"cause"`
	Summary string `json:"summary"`
	Target  struct {
		Cluster   string `json:"cluster"`
		Namespace string `json:"namespace"`
		Host      string `json:"host"`
	} `json:"target"`
	Intents []struct {
		ID       string `json:"id"`
		Action   string `json:"action"`
		State    string `json:"state"`
		PlanHash string `json:"plan_hash"`
	} `json:"intents"`
}

func (i incidentView) has(action, state string) bool {
	for _, in := range i.Intents {
		if in.Action == action && in.State == state {
			return true
		}
	}
	return false
}

// live lists the actions an executor has in hand or could take.
func (i incidentView) live() []string {
	var out []string
	for _, in := range i.Intents {
		if in.State == "ready" || in.State == "running" {
			out = append(out, in.Action)
		}
	}
	return out
}

func newStory(t *testing.T, cluster string) *story {
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second) // the heartbeat begins with its minute
	t.Cleanup(cancel)
	return &story{
		t: t, ctx: ctx, name: cluster, namespace: standin.Namespace, cluster: theWorld.standins[cluster],
		alertname: "KubePodCrashLooping", about: aboutPod(standin.CrashingPod),
		started: time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond),
	}
}

// newHostStory is a story about a host, told to n8n's webhook as scripts do.
func newHostStory(t *testing.T, name string, alert object) *story {
	t.Helper()
	s := newStory(t, "")
	s.host = name
	body, err := json.Marshal(alert)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.postWebhook(body, intakeSecret); got != 200 {
		t.Fatalf("the webhook answered %d", got)
	}
	return s
}

func aboutPod(name string) map[string]string {
	return map[string]string{"pod": name, "container": "app", "reason": "CrashLoopBackOff"}
}

func (s *story) labels() map[string]string {
	labels := map[string]string{"alertname": s.alertname, "severity": "warning", "cluster": s.name, "namespace": s.namespace}
	maps.Copy(labels, s.about)
	return labels
}

func (s *story) annotations() map[string]string {
	return map[string]string{
		"summary":     s.alertname + " in " + s.namespace,
		"description": fmt.Sprintf("%s fires in namespace %s of %s: %v", s.alertname, s.namespace, s.name, s.about),
	}
}

// fires makes Alertmanager fire the alert, as Prometheus would.
func (s *story) fires() {
	s.t.Helper()
	a := alert{Labels: s.labels(), Annotations: s.annotations(), StartsAt: s.started}
	if err := theWorld.alertmanager.send(s.ctx, a); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) resolves() {
	s.t.Helper()
	a := alert{Labels: s.labels(), Annotations: s.annotations(), StartsAt: s.started, EndsAt: time.Now().UTC()}
	if err := theWorld.alertmanager.send(s.ctx, a); err != nil {
		s.t.Fatal(err)
	}
}

// webhookPayload is what Alertmanager would post.
func (s *story) webhookPayload() []byte {
	payload, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": `{}:{alertname="KubePodCrashLooping"}`, "truncatedAlerts": 0, "status": "firing", "receiver": "n8n",
		"groupLabels": map[string]string{"alertname": "KubePodCrashLooping"}, "commonLabels": s.labels(), "commonAnnotations": s.annotations(),
		"externalURL": theWorld.alertmanager.url,
		"alerts": []map[string]any{{
			"status": "firing", "labels": s.labels(), "annotations": s.annotations(), "startsAt": s.started,
			"endsAt": time.Time{}, "generatorURL": "", "fingerprint": "5ef77f1f8a3ecfb1",
		}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return payload
}

// postWebhook is safe to be called from any goroutine; -1 is no answer.
func (s *story) postWebhook(payload []byte, secret string) int {
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, theWorld.n8n.url+"/webhook/salve-alert", bytes.NewReader(payload))
	if err != nil {
		return -1
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Error(err)
		return -1
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// untilIncident waits until this cluster's incident is as told.
func (s *story) untilIncident(what string, as func(incidentView) bool) incidentView {
	s.t.Helper()
	var last incidentView
	err := cluster.Until(s.ctx, func() (bool, error) {
		var found bool
		var err error
		last, found, err = s.incident()
		return found && as(last), err
	})
	if err != nil {
		seen, _ := json.MarshalIndent(last, "", "  ")
		s.t.Fatalf("waiting until %s: %v; the incident is %s", what, err, seen)
	}
	return last
}

func (s *story) incident() (incidentView, bool, error) {
	var page struct {
		Items []incidentView `json:"items"`
	}
	if err := theWorld.salve.get(s.ctx, "/v1/incidents?state=all", &page); err != nil {
		return incidentView{}, false, err
	}
	for _, i := range page.Items {
		about := i.Target.Cluster == s.name && i.Target.Namespace == s.namespace
		if s.host != "" {
			about = i.Target.Host == s.host
		}
		if !about {
			continue
		}
		var whole incidentView
		err := theWorld.salve.get(s.ctx, "/v1/incidents/"+i.ID, &whole)
		return whole, err == nil, err
	}
	return incidentView{}, false, nil
}
