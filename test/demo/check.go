package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"salve/test/standin"
)

// What must have happened. Salve's word is not enough: the cluster and Slack are
// asked as well.

func (p *play) checkStory(i incidentStory) error {
	var all []error
	if i.State != "resolved" || i.Cause != "pod.oom_killed" {
		all = append(all, fmt.Errorf("the incident is %s, of cause %s", i.State, i.Cause))
	}
	for _, action := range []string{"collect.pod", "k8s.pod.restart", "k8s.deployment.resources", "notify.slack"} {
		if !i.has(action, "succeeded") {
			all = append(all, fmt.Errorf("no %s succeeded", action))
		}
	}
	for _, in := range i.Intents {
		if in.State == "failed" || in.State == "lost" || in.State == "ready" || in.State == "running" {
			all = append(all, fmt.Errorf("%s %s is left %s", in.ShortID, in.Action, in.State))
		}
	}
	return errors.Join(all...)
}

func (p *play) checkWorld() error {
	var all []error
	evictions := p.world.Matching("POST", "/pods/"+standin.CrashingPod+"/eviction")
	if len(evictions) != 1 || !strings.Contains(string(evictions[0].Body), `"preconditions":{"uid":"`) {
		all = append(all, fmt.Errorf("the cluster saw %d evictions of the pod, not one with a precondition", len(evictions)))
	}
	raises := p.world.Matching("PATCH", "/deployments/"+standin.App)
	if len(raises) != 1 || !strings.Contains(string(raises[0].Body), `"768Mi"`) {
		all = append(all, fmt.Errorf("the cluster saw %d changes of the deployment, not one to 768Mi", len(raises)))
	}
	if len(p.messages("#devops")) != 1 {
		all = append(all, fmt.Errorf("#devops was told %d times, not once", len(p.messages("#devops"))))
	}
	for _, r := range p.world.Requests() {
		if !r.Authorized {
			all = append(all, fmt.Errorf("%s %s came without its credential", r.Method, r.Path))
		}
	}
	return errors.Join(all...)
}

// messages are what Slack took for a channel.
func (p *play) messages(channel string) []standin.Message {
	var list []standin.Message
	for _, r := range p.world.Matching("POST", "/api/chat.postMessage") {
		var m standin.Message
		if json.Unmarshal(r.Body, &m) == nil && m.Channel == channel {
			list = append(list, m)
		}
	}
	return list
}

func checkAudit(v verification) error {
	if !v.OK || v.Rows == 0 {
		return fmt.Errorf("the audit does not hold over its %d rows: %s", v.Rows, v.Broken)
	}
	return nil
}
