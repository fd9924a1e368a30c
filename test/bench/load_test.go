package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeSalve knows an alert by its labels, as Salve does, and counts what it was
// sent. It answers 503 to every refuse-th request.
type fakeSalve struct {
	mu       sync.Mutex
	refuse   int
	requests int
	known    map[string]bool
	bodies   map[string]bool
	says     string // an outcome to give in place of the true one
}

func (f *fakeSalve) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/metrics" {
		f.mu.Lock()
		defer f.mu.Unlock()
		fmt.Fprintf(w, "salve_ingest_seconds_sum{stage=\"commit\"} %d\nsalve_ingest_seconds_count{stage=\"commit\"} %[1]d\n", f.requests)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Authorization") != "Bearer sesame" {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	outcomes, refused := f.take(body)
	if refused {
		http.Error(w, "queue full", http.StatusServiceUnavailable)
		return
	}
	var results []string
	for _, outcome := range outcomes {
		results = append(results, `{"outcome":"`+outcome+`","incident_id":"i","diagnosis":{"cause":"unknown"},"decision":{"verdict":"collect"}}`)
	}
	fmt.Fprintf(w, `{"status":"diagnosing","results":[%s],"intents":[]}`, strings.Join(results, ","))
}

func (f *fakeSalve) take(body []byte) (outcomes []string, refused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.requests++; f.refuse > 0 && f.requests%f.refuse == 0 {
		return nil, true
	}
	f.bodies[string(body)] = true
	for _, labels := range labelSets(body) {
		outcome := map[bool]string{true: "duplicate", false: "accepted"}[f.known[labels]]
		f.known[labels] = true
		if f.says != "" {
			outcome = f.says
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes, false
}

func labelSets(body []byte) []string {
	type alert struct{ Labels json.RawMessage }
	var batch struct {
		Alerts []alert
		alert
	}
	if json.Unmarshal(body, &batch) != nil {
		return nil
	}
	if batch.Alerts == nil {
		batch.Alerts = []alert{batch.alert}
	}
	var sets []string
	for _, a := range batch.Alerts {
		sets = append(sets, string(a.Labels))
	}
	return sets
}

func startFake(t *testing.T, f *fakeSalve) *target {
	t.Helper()
	f.known, f.bodies = map[string]bool{}, map[string]bool{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	s := salve{addr: server.Listener.Addr().String(), token: "sesame", starts: someStart, process: self(t)}
	return s.target()
}

// counted bounds end by the count alone, however slow the machine.
func counted(most uint64) bounds { return bounds{measured: time.Minute, most: most} }

func TestCellsAgainstAFakeSalve(t *testing.T) {
	for _, l := range loads() {
		for _, s := range []shape{{"c1", 1, 1}, {"c16", 16, 1}, {"b100", 2, 100}} {
			t.Run(l.name+" "+s.name, func(t *testing.T) {
				fake := &fakeSalve{}
				r, err := cell{target: startFake(t, fake), load: l, shape: s, number: 7}.run(t.Context(), counted(2000))
				if err != nil {
					t.Fatal(err)
				}
				if len(r.failures) > 0 || r.requests*float64(s.batch) != 2000 || r.alerts != 2000 {
					t.Errorf("%v requests with %v alerts, failures %v", r.requests, r.alerts, r.failures)
				}
				want := map[string]string{"new": "accepted", "resent": "duplicate", "duplicates": "duplicate"}[l.name]
				if len(r.outcomes) != 1 || r.outcomes[want] == 0 {
					t.Errorf("outcomes %v, want only %s", r.outcomes, want)
				}
				// How many of the requests fall between two scrapes is a matter of luck.
				if spent, found := r.spent.stages["commit"]; !found || spent.count >= float64(fake.requests) {
					t.Errorf("the stages tell of %v commits in the measured part of %d requests", spent.count, fake.requests)
				}
				checkSent(t, fake, l, s)
			})
		}
	}
}

// checkSent holds what arrived against what the load means.
func checkSent(t *testing.T, fake *fakeSalve, l load, s shape) {
	t.Helper()
	switch l.name {
	case "new":
		if len(fake.known) != fake.requests*s.batch {
			t.Errorf("%d alerts of %d are different", len(fake.known), fake.requests*s.batch)
		}
	case "resent":
		if len(fake.known) != 200 || len(fake.bodies) != fake.requests {
			t.Errorf("%d alerts in %d wordings with %d requests", len(fake.known), len(fake.bodies), fake.requests)
		}
	case "duplicates":
		if len(fake.known) != 200 || len(fake.bodies) != 200/s.batch {
			t.Errorf("%d alerts in %d different bodies", len(fake.known), len(fake.bodies))
		}
	}
}

func TestFailuresAreCountedAndNotMeasured(t *testing.T) {
	for name, tc := range map[string]struct {
		fake *fakeSalve
		want string
	}{
		"overload":      {&fakeSalve{refuse: 2}, "status 503: queue full\n"},
		"wrong outcome": {&fakeSalve{says: "rejected"}, `wrong answer: outcome "rejected", want ["accepted"]`},
	} {
		t.Run(name, func(t *testing.T) {
			c := cell{target: startFake(t, tc.fake), load: loads()[0], shape: shape{"c2", 2, 1}}
			r, err := c.run(t.Context(), counted(2000))
			if err != nil {
				t.Fatal(err)
			}
			if r.failures[tc.want] == 0 || len(r.failures) != 1 {
				t.Errorf("failures %v, want %q", r.failures, tc.want)
			}
			if name == "overload" && int(r.requests) > tc.fake.requests-r.failed() {
				t.Errorf("%v successes and %d failures of %d requests", r.requests, r.failed(), tc.fake.requests)
			}
		})
	}
}

func TestCallersGiveUpOnADeadServer(t *testing.T) {
	target := startFake(t, &fakeSalve{})
	dead := httptest.NewServer(nil)
	target.addr = dead.Listener.Addr().String()
	dead.Close()
	target.stages = nil
	r, err := cell{target: target, load: loads()[0], shape: shape{"c1", 1, 1}}.run(t.Context(), counted(2000))
	if err != nil || r.failed() != maxBroken || r.requests != 0 {
		t.Errorf("%v requests, %d failures, error %v; want %d failures", r.requests, r.failed(), err, maxBroken)
	}
}

func TestWarmUpIsNotMeasuredButItsFailuresCount(t *testing.T) {
	start := time.Now()
	c := &caller{run: &traffic{from: start, cell: cell{target: &target{}}}, failures: map[string]int{}}
	c.note(start.Add(-time.Nanosecond), answer{status: 200}, nil)
	c.note(start.Add(-time.Nanosecond), answer{status: 503}, nil)
	if c.latency.count != 0 || c.failures["status 503: "] != 1 {
		t.Errorf("%d measured, failures %v", c.latency.count, c.failures)
	}
	c.note(start, answer{status: 200}, nil)
	if c.latency.count != 1 {
		t.Errorf("%d measured, want the one that started in time", c.latency.count)
	}
}

func TestAConnectionThatTheServerClosesIsNoFailure(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
	}))
	t.Cleanup(server.Close)
	target := &target{name: "http", addr: server.Listener.Addr().String(), template: func(s shape) template {
		return newTemplate("/", "", s.batch, postableBody(s.batch, someStart))
	}}
	r, err := cell{target: target, load: loads()[0], shape: shape{"c2", 2, 1}}.run(t.Context(), counted(50))
	if err != nil || r.requests != 50 || r.failed() > 0 {
		t.Errorf("%v requests of 50, failures %v, error %v", r.requests, r.failures, err)
	}
}

func TestSeedingStopsAtARefusal(t *testing.T) {
	c := cell{target: startFake(t, &fakeSalve{refuse: 3}), load: loads()[1], shape: shape{"c1", 1, 1}}
	_, err := c.run(t.Context(), counted(2000))
	if err == nil || !strings.Contains(err.Error(), "salve resent c1, seeding: status 503: queue full") {
		t.Errorf("error %v", err)
	}
}

func TestCheckSalve(t *testing.T) {
	good := `{"outcome":"accepted","incident_id":"i","diagnosis":{"cause":"unknown"},"decision":{"verdict":"collect"}}`
	for name, tc := range map[string]struct{ body, reason string }{
		"good":             {`{"results":[` + good + `]}`, ""},
		"not JSON":         {`<html>`, "invalid character"},
		"too few results":  {`{"results":[]}`, "0 results for 1 alerts"},
		"no incident":      {`{"results":[{"outcome":"accepted"}]}`, "without an incident"},
		"nothing decided":  {`{"results":[{"outcome":"accepted","incident_id":"i","diagnosis":{"cause":"x"}}]}`, `verdict ""`},
		"repeat is enough": {`{"results":[{"outcome":"duplicate","incident_id":"i"}]}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := checkSalve([]byte(tc.body), 1)
			if (tc.reason == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), tc.reason)) {
				t.Errorf("error %v, want %q", err, tc.reason)
			}
		})
	}
}

func TestNoTwoCellsShareAnAlert(t *testing.T) {
	o := options{shapes: shapes([]int{1, 16, 64})}
	ours, theirs := o.cells(&target{name: "salve"}, loads()), o.cells(&target{name: "alertmanager"}, loads())
	numbers := map[uint64]string{}
	for i, c := range ours {
		if other, taken := numbers[c.number]; taken {
			t.Errorf("%s and %s have the same alerts", c, other)
		}
		numbers[c.number] = c.String()
		if theirs[i].number != c.number || theirs[i].load.name != c.load.name {
			t.Errorf("%s and %s have different alerts", c, theirs[i])
		}
	}
	if diff := cmp.Diff(12, len(ours)); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
}

// self stands for a started server where only its number is asked for.
func self(t *testing.T) *process {
	t.Helper()
	return &process{cmd: sleeper(t)}
}

func TestWebhookAndNativeAlertsOfOneCellAreTheSame(t *testing.T) {
	s := salve{starts: someStart, process: self(t)}
	native, batch := s.target().template(shape{batch: 1}), s.target().template(shape{batch: 100})
	one, many := native.buffer(), batch.buffer()
	native.render(one, 42, 0)
	batch.render(many, 42, 0)
	_, body, _ := bytes.Cut(one, []byte("\r\n\r\n"))
	_, bodies, _ := bytes.Cut(many, []byte("\r\n\r\n"))
	if diff := cmp.Diff(labelSets(body)[0], labelSets(bodies)[0]); diff != "" {
		t.Errorf("labels (-native +webhook):\n%s", diff)
	}
}
