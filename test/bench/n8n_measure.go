package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	flowWarm   = 12 // alerts to each flow that are not counted: n8n's code is slow at first
	flowAlerts = 80 // at most, counted of each flow
	flowTime   = 10 // times the measured duration of a cell, at most, for all flows of one setting
)

// execution is one flow under one setting, as whoever sent the alerts saw it.
type execution struct {
	setting, flow string
	latencies     []time.Duration // sorted
}

func (e execution) quantile(q float64) time.Duration {
	if len(e.latencies) == 0 {
		return 0
	}
	return e.latencies[min(len(e.latencies)-1, int(q*float64(len(e.latencies))))]
}

// measure sends one alert at a time, to the flows in turn, so that whatever else
// the machine does hits all of them alike.
func (n n8n) measure(ctx context.Context, set setting, starts time.Time, d time.Duration) ([]execution, error) {
	if err := n.awaitFlows(ctx, starts); err != nil {
		return nil, err
	}
	all := make([]execution, len(flowNames()))
	var until time.Time
	for round := range flowWarm + flowAlerts {
		if round == flowWarm {
			until = time.Now().Add(flowTime * d)
		}
		if round > flowWarm && time.Now().After(until) {
			break
		}
		for i, name := range flowNames() {
			took, err := n.send(ctx, name, round, starts)
			if err != nil {
				return nil, err
			}
			all[i].setting, all[i].flow = set.name, name
			if round >= flowWarm {
				all[i].latencies = append(all[i].latencies, took)
			}
		}
	}
	for _, e := range all {
		slices.Sort(e.latencies)
	}
	return all, nil
}

// awaitFlows: n8n says that it is ready seconds before its webhooks are.
func (n n8n) awaitFlows(ctx context.Context, starts time.Time) error {
	limit, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, name := range flowNames() {
		for {
			_, err := n.send(limit, name, -1, starts)
			if err == nil {
				break
			}
			select {
			case <-limit.Done():
				return err
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}

// send sends an alert that nobody has sent before, and looks at the answer: a flow
// that does nothing would be the fastest.
func (n n8n) send(ctx context.Context, flow string, round int, starts time.Time) (time.Duration, error) {
	identity := fmt.Sprintf("%012x", time.Now().UnixNano()&0xffffffffffff)
	body := strings.NewReplacer(identityHole, identity, revisionHole, fmt.Sprintf("%010x", round+1)).Replace(nativeBody(starts))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.addr+"/webhook/"+flow, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	began := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	took := time.Since(began)
	want := map[string]string{flowBare: identity, flowAlone: `"action":"restart"`, flowSalve: `"outcome":"accepted"`}[flow]
	if err == nil && (response.StatusCode != http.StatusOK || !bytes.Contains(answer, []byte(want))) {
		err = fmt.Errorf("%s answered %d %.300s, want %s in it", flow, response.StatusCode, answer, want)
	}
	return took, err
}

// inN8N prints what an alert costs in n8n, with Salve and without.
func (r report) inN8N() {
	if len(r.executions) == 0 {
		return
	}
	title := fmt.Sprintf("One alert in n8n, one at a time (ms until the answer; %d alerts to each; alone: a Code node and a Postgres insert)", len(r.executions[0].latencies))
	r.table(title, func(w io.Writer) {
		fmt.Fprintln(w, "\twebhook that answers\t\tn8n alone\t\tn8n with Salve\t\tSalve / alone\t\t")
		fmt.Fprintln(w, "settings\tp50\tp95\tp50\tp95\tp50\tp95\tp50\tp95\t")
		for three := range slices.Chunk(r.executions, len(flowNames())) {
			fmt.Fprintf(w, "%s\t", three[0].setting)
			for _, e := range three {
				fmt.Fprintf(w, "%s\t%s\t", millis(e.quantile(0.5)), millis(e.quantile(0.95)))
			}
			for _, q := range []float64{0.5, 0.95} {
				fmt.Fprintf(w, "%.2f\t", three[2].quantile(q).Seconds()/max(three[1].quantile(q).Seconds(), 1e-9))
			}
			fmt.Fprintln(w)
		}
	})
}
