//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// startSources plays what cannot be had here of monitoring: CloudWatch, Datadog, PagerDuty
// and GitHub's deployments, each as its documentation says that it answers. What does
// not carry its credential is refused.
func startSources() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /cloudwatch/", playing(func(r *http.Request) bool {
		return strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AK/") && r.URL.Query().Get("Action") == "GetMetricData"
	}, func(r *http.Request) any {
		result := object{"Id": r.URL.Query().Get("MetricDataQueries.member.1.Id"), "Label": "errors", "StatusCode": "Complete",
			"Timestamps": []any{time.Now().Add(-15 * time.Minute).Unix()}, "Values": []any{12.25}}
		return object{"GetMetricDataResponse": object{"GetMetricDataResult": object{"MetricDataResults": []any{result}, "Messages": []any{}}}}
	}))
	mux.HandleFunc("GET /datadog/api/v1/query", playing(func(r *http.Request) bool { return r.Header.Get("DD-API-KEY") == outsideSecret }, func(*http.Request) any {
		at := float64(time.Now().Add(-time.Minute).UnixMilli())
		return object{"status": "ok", "series": []any{object{"metric": "errors", "pointlist": []any{[]any{at - 60000, 12.0}, []any{at, 12.5}, []any{at + 1, nil}}}}}
	}))
	mux.HandleFunc("GET /pagerduty/incidents", playing(func(r *http.Request) bool {
		return r.Header.Get("Authorization") == "Token token="+outsideSecret && r.URL.Query().Get("service_ids[]") == "PDEF456"
	}, func(*http.Request) any {
		return object{"incidents": []any{object{"id": "PT4KHLK", "title": "carts are lost", "status": "triggered"}}, "more": false}
	}))
	mux.HandleFunc("GET /github/repos/acme/cart/deployments", playing(func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+githubToken }, func(*http.Request) any {
		ago := func(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }
		return []any{
			object{"id": 2, "sha": "b", "ref": "v2.8.0", "task": "deploy", "environment": "production", "created_at": ago(20 * time.Minute)},
			object{"id": 1, "sha": "a", "ref": "v2.7.9", "task": "deploy", "environment": "production", "created_at": ago(48 * time.Hour)},
		}
	}))
	return httptest.NewServer(mux)
}

func playing(let func(*http.Request) bool, with func(*http.Request) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if !let(r) {
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(object{"message": "not with that credential, or not for that"})
			return
		}
		_ = json.NewEncoder(w).Encode(with(r))
	}
}
