package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"salve/test/standin"
)

const (
	kubeToken  = "kube-token-of-n8n"
	slackToken = "slack-token-of-n8n"
	workLimit  = time.Minute
)

// startCluster starts the stand-in for Kubernetes and Slack: cluster.
func (s *script) startCluster([]string) (err error) {
	s.cluster, err = standin.Start(kubeToken, slackToken, time.Now)
	return err
}

// work executes what is ready, as n8n does, until the incident is in a state:
// work INCIDENT STATE. The answer it leaves is the incident's.
func (s *script) work(args []string) error {
	if err := wants(args, 2, 2, "work INCIDENT STATE"); err != nil {
		return err
	}
	if s.cluster == nil {
		return errors.New("there is no cluster")
	}
	ctx, cancel := context.WithTimeout(context.Background(), workLimit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		ready, err := s.readyIntents()
		if err != nil {
			return err
		}
		if err := s.executor().Run(ctx, ready); err != nil {
			return err
		}
		if err := method("GET")(s, []string{"@reader", "/v1/incidents/" + args[0]}); err != nil {
			return err
		}
		unlike := s.is([]string{".state", args[1]})
		if unlike == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("in vain: %w", unlike)
		case <-tick.C:
		}
	}
}

func (s *script) readyIntents() ([]standin.Intent, error) {
	if err := method("GET")(s, []string{"@reader", "/v1/intents?state=ready"}); err != nil {
		return nil, err
	}
	var page struct{ Items []standin.Intent }
	return page.Items, json.Unmarshal(s.last.body, &page)
}

func (s *script) executor() *standin.Executor {
	return &standin.Executor{
		SalveURL: s.server.url, SalveToken: s.tokens["n8n"], Clusters: map[string]string{"prod": s.cluster.URL}, KubeToken: kubeToken,
		SlackURL: s.cluster.URL, SlackToken: slackToken,
		Client: &http.Client{Transport: onlySalve{s.server.url, s.client.Transport}},
	}
}

// onlySalve checks the exchanges with Salve; the cluster speaks another contract.
type onlySalve struct {
	url     string
	checked http.RoundTripper
}

func (o onlySalve) RoundTrip(r *http.Request) (*http.Response, error) {
	if salve, err := url.Parse(o.url); err == nil && r.URL.Host == salve.Host {
		return o.checked.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// slack matches the messages that Slack took: slack REGEXP.
func (s *script) slack(args []string) error {
	if err := wants(args, 1, 1, "slack REGEXP"); err != nil {
		return err
	}
	var all string
	for _, r := range s.cluster.Matching("POST", "/api/chat.postMessage") {
		all += string(r.Body) + "\n"
	}
	return matches("Slack", args[0], all)
}

// called counts what the cluster was asked for: called N METHOD PART-OF-PATH.
func (s *script) called(args []string) error {
	if err := wants(args, 3, 3, "called N METHOD PART"); err != nil {
		return err
	}
	if got := len(s.cluster.Matching(args[1], args[2])); strconv.Itoa(got) != args[0] {
		return fmt.Errorf("the cluster was sent %d × %s …%s…, not %s", got, args[1], args[2], args[0])
	}
	return nil
}
