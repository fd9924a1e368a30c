package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"salve/test/standin"
)

const (
	cluster    = "prod"
	kubeToken  = "kubernetes-token-of-n8n"
	slackToken = "slack-token-of-n8n"
)

// play is the scenario under way.
type play struct {
	*narrator
	salve    *salve
	world    *standin.Server
	n8n      *standin.Executor
	incident string
	fired    time.Time
}

// perform plays every act until the incident is resolved and told.
func (p *play) perform(ctx context.Context) error {
	for _, act := range []func(context.Context) error{p.alertFires, p.repair, p.approve, p.verify, p.alertResolves} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// alertFires sends what Alertmanager sends, and runs what that makes ready.
func (p *play) alertFires(ctx context.Context) error {
	p.n8n, p.fired = p.executor(), time.Now().Add(-time.Minute).UTC()
	p.firing()
	answer, results, err := p.deliver(ctx, "firing", time.Time{})
	if err != nil {
		return err
	}
	if len(results) != 1 || results[0].Outcome != "accepted" {
		return fmt.Errorf("the alert was not accepted: %s", answer.Results)
	}
	p.incident = results[0].IncidentID
	p.judged(results[0])
	return p.n8n.Run(ctx, answer.Intents)
}

func (p *play) deliver(ctx context.Context, status string, ends time.Time) (standin.Answer, []itemResult, error) {
	labels := map[string]string{
		"alertname": "KubePodCrashLooping", "severity": "warning", "cluster": cluster,
		"namespace": standin.Namespace, "pod": standin.CrashingPod, "container": "app",
	}
	annotations := map[string]string{"summary": "Pod is crash looping."}
	answer, err := p.n8n.Post(ctx, "/v1/alerts/alertmanager", map[string]any{
		"version": "4", "groupKey": `{}:{alertname="KubePodCrashLooping"}`, "truncatedAlerts": 0, "status": status, "receiver": "n8n",
		"groupLabels": map[string]string{"alertname": "KubePodCrashLooping"}, "commonLabels": labels, "commonAnnotations": annotations,
		"externalURL": "http://alertmanager.example", "alerts": []map[string]any{{
			"status": status, "labels": labels, "annotations": annotations, "startsAt": p.fired, "endsAt": ends,
			"generatorURL": "", "fingerprint": "5ef77f1f8a3ecfb1",
		}},
	})
	if err != nil {
		return answer, nil, err
	}
	var results []itemResult
	return answer, results, json.Unmarshal(answer.Results, &results)
}

func (p *play) executor() *standin.Executor {
	return &standin.Executor{
		SalveURL: p.salve.url, SalveToken: p.salve.tokens["n8n"], Clusters: map[string]string{cluster: p.world.URL}, KubeToken: kubeToken,
		SlackURL: p.world.URL, SlackToken: slackToken, Client: http.DefaultClient, Observe: p.did,
	}
}

// workUntil runs whatever becomes ready until the incident is as told.
func (p *play) workUntil(ctx context.Context, what string, as func(incidentStory) bool) (story incidentStory, err error) {
	err = every(ctx, 250*time.Millisecond, func() (bool, error) {
		var ready struct{ Items []standin.Intent }
		if err := p.salve.call(ctx, "n8n", http.MethodGet, "/v1/intents?state=ready", nil, &ready); err != nil {
			return false, err
		}
		if err := p.n8n.Run(ctx, ready.Items); err != nil {
			return false, err
		}
		story = incidentStory{}
		err := p.salve.call(ctx, "n8n", http.MethodGet, "/v1/incidents/"+p.incident, nil, &story)
		return err == nil && as(story), err
	})
	if err != nil {
		err = fmt.Errorf("waiting until %s: %w", what, err)
	}
	return story, err
}

func (p *play) repair(ctx context.Context) error {
	_, err := p.workUntil(ctx, "the pod is restarted", func(i incidentStory) bool { return i.has("k8s.pod.restart", "succeeded") })
	return err
}

// approve is the one moment for a human: a lasting change.
func (p *play) approve(ctx context.Context) error {
	var waiting struct{ Items []plan }
	if err := p.salve.call(ctx, "ines", http.MethodGet, "/v1/intents?state=awaiting_approval", nil, &waiting); err != nil {
		return err
	}
	if len(waiting.Items) != 1 {
		return fmt.Errorf("%d plans wait for a human, not one", len(waiting.Items))
	}
	in := waiting.Items[0]
	p.asked(in)
	word := map[string]string{"plan_hash": in.PlanHash, "reason": "its usage was near the limit all week"}
	if err := p.salve.call(ctx, "ines", http.MethodPost, "/v1/intents/"+in.ID+"/approve", word, &in); err != nil {
		return err
	}
	p.approved(in)
	_, err := p.workUntil(ctx, "the limit is raised", func(i incidentStory) bool { return i.has("k8s.deployment.resources", "succeeded") })
	return err
}

// verify watches until Salve has seen health for long enough, and has told people.
func (p *play) verify(ctx context.Context) error {
	p.watching()
	story, err := p.workUntil(ctx, "it is resolved and told", func(i incidentStory) bool {
		return i.State == "resolved" && !i.has("notify.slack", "ready") && !i.has("notify.slack", "running")
	})
	if err == nil {
		p.resolved(story)
	}
	return err
}

// alertResolves comes as it does in life: long after the pods are well, when the
// alert's look-back is over.
func (p *play) alertResolves(ctx context.Context) error {
	answer, results, err := p.deliver(ctx, "resolved", time.Now().UTC())
	if err != nil {
		return err
	}
	if len(results) != 1 || results[0].Outcome == "rejected" {
		return fmt.Errorf("the resolution was not taken: %s", answer.Results)
	}
	p.resolving(results[0].Outcome)
	return p.n8n.Run(ctx, answer.Intents)
}

// closing tells the story once more from Salve's own books, and checks it all.
func (p *play) closing(ctx context.Context) error {
	var story incidentStory
	if err := p.salve.call(ctx, "ines", http.MethodGet, "/v1/incidents/"+p.incident, nil, &story); err != nil {
		return err
	}
	p.story(story)
	var audit verification
	err := every(ctx, 250*time.Millisecond, func() (bool, error) {
		err := p.salve.call(ctx, "ines", http.MethodGet, "/v1/audit/verify", nil, &audit)
		return audit.Unsealed == 0, err
	})
	if err != nil {
		return err
	}
	p.audit(audit)
	return p.verdict(errors.Join(p.checkStory(story), p.checkWorld(), checkAudit(audit)))
}
