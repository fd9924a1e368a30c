package telemetry

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"salve/internal/incident"
	"salve/internal/store"
)

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// A rate of a series that does not exist yet is no zero: the contract's series
// are there before anything happened.
func TestSeriesArePresentFromTheStart(t *testing.T) {
	page := scrape(t, New("test"))
	for _, want := range []string{
		`agent_repairs_total{repair_type="k8s.pod.restart",success="true"} 0`,
		`agent_repairs_total{repair_type="k8s.pod.restart",success="false"} 0`,
		`agent_repair_duration_seconds_count{repair_type="k8s.pod.restart"} 0`,
		`agent_issues_detected_total{issue_type="pod.oom_killed",severity="critical"} 0`,
		`salve_deliveries_total{outcome="duplicate"} 0`,
		`salve_build_info{version="test"} 1`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Contains(page, `repair_type="collect.pod"`) {
		t.Error("a look is no repair")
	}
}

func TestCommittedCounts(t *testing.T) {
	m := New("test")
	restart := incident.Intent{Action: "k8s.pod.restart", Effect: incident.Change}
	done, failed, look := restart, restart, incident.Intent{Action: "collect.pod", Effect: incident.Observe, State: incident.Succeeded}
	done.State, failed.State = incident.Succeeded, incident.Failed
	m.Observer().Committed(store.Committed{
		Judged: []store.JudgedCause{
			{Cause: "pod.oom_killed", NewCause: true, Severity: incident.Critical, Verdict: incident.VerdictRepair},
			{Cause: "pod.oom_killed", Severity: incident.Critical, Verdict: incident.VerdictWait},
		},
		Intents: []incident.Intent{done, failed, look},
		Took:    map[string]time.Duration{"k8s.pod.restart": 3 * time.Second},
		Refused: []string{"k8s.pod.restart"},
	})
	for name, got := range map[string]float64{
		"issues":  testutil.ToFloat64(m.issues.WithLabelValues("pod.oom_killed", "critical")),
		"done":    testutil.ToFloat64(m.repairs.WithLabelValues("k8s.pod.restart", "true")),
		"failed":  testutil.ToFloat64(m.repairs.WithLabelValues("k8s.pod.restart", "false")),
		"refused": testutil.ToFloat64(m.claims.WithLabelValues("k8s.pod.restart")),
	} {
		if got != 1 {
			t.Errorf("%s: %v, want 1", name, got)
		}
	}
}

// Callers choose methods; they must not choose how many series there are.
func TestMethodsAreBounded(t *testing.T) {
	m := New("test")
	for _, method := range []string{"BREW", "WHEN", "PROPFIND", "GET"} {
		m.Request(method, "unmatched", 405, time.Millisecond, "")
	}
	if n := testutil.CollectAndCount(m.requests); n != 2 {
		t.Errorf("%d series of requests, want GET and other", n)
	}
}
