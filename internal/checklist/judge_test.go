package checklist

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"salve/internal/incident"
	"salve/internal/intake"
)

var night = time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)

func ids() incident.IDs {
	var serial byte
	return func() incident.ID {
		serial++
		return incident.NewID(night, [10]byte{9: serial})
	}
}

func disk(use int) string {
	return fmt.Sprintf(`{"disk":{"host":"web-01","filesystems":[{"mount":"/","usePercent":%d}]}}`, use)
}

func result(minute int, status intake.CheckStatus, evidence string) intake.CheckResult {
	at := night.Add(time.Duration(minute) * time.Minute)
	r := intake.CheckResult{Name: "c", Status: status, ObservedAt: at, ReceivedAt: at, Subject: "n8n", Message: "said"}
	if evidence != "" {
		r.Evidence = []byte(evidence)
	}
	return r
}

func by(subject string, r intake.CheckResult) intake.CheckResult {
	r.Subject = subject
	return r
}

var diskCheck = Check{Name: "c", Kind: Disk, Every: 15 * time.Minute, Host: "web-01"}

// told gives the alerts of a verdict in words: + begins or goes on, - is over.
func told(v Verdict) string {
	var out []string
	for _, e := range v.Events {
		out = append(out, map[incident.AlertStatus]string{incident.Firing: "+", incident.Resolved: "-"}[e.Status]+e.Family)
	}
	return strings.Join(out, " ")
}

// A check's life: each line is one result, what is told by it, and how it stands then.
func TestJudge(t *testing.T) {
	const noFinding, podsUnread = `{"raw":[]}`, `{"events":[]}`
	for name, c := range map[string]struct {
		check   Check
		results []intake.CheckResult
		told    []string
		status  []Status
	}{
		"it fills and empties": {diskCheck,
			[]intake.CheckResult{result(0, "", disk(50)), result(1, "", disk(90)), result(2, "", disk(91)), result(3, "", disk(60)), result(4, "", disk(60))},
			[]string{"", "+host", "+host", "-host", ""}, []Status{Healthy, Unhealthy, Unhealthy, Healthy, Healthy}},
		"nobody could look": {diskCheck,
			[]intake.CheckResult{result(0, "", disk(90)), result(1, "error", ""), result(2, "error", disk(50)), result(3, "", disk(50))},
			[]string{"+host", "", "", "-host"}, []Status{Unhealthy, Broken, Broken, Healthy}},
		"what was seen does not decide": {diskCheck,
			[]intake.CheckResult{result(0, "", disk(90)), result(1, "", noFinding), result(2, "passed", noFinding)},
			[]string{"+host", "", "-host"}, []Status{Unhealthy, Unknown, Healthy}},
		"an older result comes late": {diskCheck,
			[]intake.CheckResult{result(5, "", disk(50)), result(1, "", disk(90))}, []string{"", ""}, []Status{Healthy, Healthy}},
		"the sender's word": {Check{Name: "c", Kind: Custom},
			[]intake.CheckResult{result(0, "failed", ""), result(1, "passed", "")}, []string{"+slo", "-slo"}, []Status{Unhealthy, Healthy}},
		"the evidence decides, not the word": {diskCheck,
			[]intake.CheckResult{result(0, "passed", disk(90))}, []string{"+host"}, []Status{Unhealthy}},
		"failed though the evidence is well": {diskCheck,
			[]intake.CheckResult{result(0, "failed", disk(40))}, []string{"+host"}, []Status{Unhealthy}},
		"somebody else says that it is well": {diskCheck,
			[]intake.CheckResult{result(0, "", disk(90)), by("stranger", result(1, "", disk(50))), result(2, "", disk(50))},
			[]string{"+host", "", "-host"}, []Status{Unhealthy, Healthy, Healthy}},
		"no pods were read": {Check{Name: "c", Kind: Pods, Cluster: "prod", Namespace: "shop"},
			[]intake.CheckResult{result(0, "", podsUnread)}, []string{""}, []Status{Unknown}},
		"a namespace without pods": {Check{Name: "c", Kind: Pods, Cluster: "prod", Namespace: "shop"},
			[]intake.CheckResult{result(0, "", `{"pods":[]}`)}, []string{""}, []Status{Healthy}},
		"the unit is not among what was read": {Check{Name: "c", Kind: Services, Host: "web-01", Unit: "nginx.service"},
			[]intake.CheckResult{result(0, "", noFinding)}, []string{""}, []Status{Unknown}},
	} {
		t.Run(name, func(t *testing.T) {
			state := State{Status: Never}
			for i, r := range c.results {
				v := Judge(Case{Check: c.check, Result: r, Before: state}, ids())
				if got := told(v); got != c.told[i] || v.State.Status != c.status[i] {
					t.Fatalf("result %d: told %q, %s: %s; want %q, %s", i, got, v.State.Status, v.State.Finding, c.told[i], c.status[i])
				}
				state = kept(t, v.State)
			}
		})
	}
}

// kept is a state as the database gives it back.
func kept(t interface{ Fatal(...any) }, s State) (back State) {
	raw, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(raw, &back)
	}
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func TestSeverityFollowsTheNumbers(t *testing.T) {
	certificate := Check{Name: "c", Kind: Certificates, Host: "api.example.com"}
	for name, c := range map[string]struct {
		check    Check
		evidence string
		want     incident.Severity
	}{
		"20 days":     {certificate, `{"certificate":{"subject":"api.example.com","daysLeft":20}}`, incident.Warning},
		"5 days":      {certificate, `{"certificate":{"subject":"api.example.com","notAfter":"2026-12-02T03:00:00Z"}}`, incident.High},
		"expired":     {certificate, `{"certificate":{"subject":"api.example.com","daysLeft":-1}}`, incident.Critical},
		"87 per cent": {diskCheck, disk(87), incident.Warning},
		"97 per cent": {diskCheck, disk(97), incident.High},
	} {
		v := Judge(Case{Check: c.check, Result: result(0, "", c.evidence)}, ids())
		if len(v.Events) != 1 || v.Events[0].Severity != c.want {
			t.Errorf("%s: %s, %+v", name, v.State.Finding, v.Events)
		}
	}
}

func pod(name, set, problem string) string {
	status := `"phase":"Running","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"app","ready":true,"image":"a","imageID":"x","state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]`
	if problem != "" {
		status = `"phase":"Pending","containerStatuses":[{"name":"app","ready":false,"image":"a","imageID":"","state":{"waiting":{"reason":"` + problem + `","message":"manifest unknown: not found"}}}]`
	}
	return `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"` + name + `","namespace":"shop","uid":"u-` + name + `","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"` + set + `","uid":"` + set + `","controller":true}]},"spec":{"containers":[{"name":"app","image":"a"}]},"status":{` + status + `}}`
}

func replicaSet(name, deployment string) string {
	return `{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"` + name + `","namespace":"shop","uid":"` + name + `","ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"` + deployment + `","uid":"d","controller":true}]}}`
}

// An alert about a pod brings along its owner's pods, whichever release they are of,
// and nobody else's.
func TestAlertsOfPodsBringTheirKin(t *testing.T) {
	evidence := `{"cluster":"prod","pods":[` + strings.Join([]string{
		pod("cart-1-a", "cart-1", ""), pod("cart-2-a", "cart-2", "ImagePullBackOff"), pod("cart-2-b", "cart-2", "ImagePullBackOff"), pod("till-1-a", "till-1", "ImagePullBackOff"), pod("well-1-a", "well-1", ""),
		strings.Replace(pod("gone-1-a", "gone-1", "ImagePullBackOff"), `"uid"`, `"deletionTimestamp":"2026-11-27T02:59:00Z","uid"`, 1),
	}, ",") + `],"replicaSets":[` + replicaSet("cart-1", "cart") + "," + replicaSet("cart-2", "cart") + `],
	"events":[{"apiVersion":"v1","kind":"Event","metadata":{"name":"e1","namespace":"shop"},"involvedObject":{"kind":"Pod","name":"cart-2-a","namespace":"shop"}},
	{"apiVersion":"v1","kind":"Event","metadata":{"name":"e2","namespace":"shop"},"involvedObject":{"kind":"Pod","name":"well-1-a","namespace":"shop"}}]}`
	v := Judge(Case{Check: Check{Name: "c", Kind: Pods, Cluster: "prod", Namespace: "shop"}, Result: result(0, "", evidence)}, ids())
	if told(v) != "+pod +pod" {
		t.Fatalf("told %q: %+v", told(v), v.State)
	}
	for i, want := range [][]string{{"cart-1", "cart-1-a", "cart-2", "cart-2-a", "cart-2-b", "e1"}, {"till-1-a"}} {
		var got struct {
			Pods, ReplicaSets, Events []struct{ Metadata struct{ Name string } }
		}
		if err := json.Unmarshal(v.Events[i].Evidence, &got); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, o := range slices.Concat(got.Pods, got.ReplicaSets, got.Events) {
			names = append(names, o.Metadata.Name)
		}
		if slices.Sort(names); !slices.Equal(names, want) {
			t.Errorf("alert %d brings %v, want %v", i, names, want)
		}
	}
}

func TestAuditNamesWhatReachesTheNode(t *testing.T) {
	spec := func(spec string) string {
		return `{"pods":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"shop"},"spec":` + spec + `,"status":{"phase":"Running"}}]}`
	}
	for name, c := range map[string]struct{ spec, want string }{
		"nothing":      {`{"containers":[{"name":"a","securityContext":{"privileged":false,"capabilities":{"add":["CHOWN"]}}}]}`, "the security audit found nothing"},
		"privileged":   {`{"containers":[{"name":"a","securityContext":{"privileged":true}}]}`, "container a runs privileged"},
		"init":         {`{"initContainers":[{"name":"i","securityContext":{"privileged":true}}],"containers":[{"name":"a"}]}`, "container i runs privileged"},
		"capabilities": {`{"containers":[{"name":"a","securityContext":{"capabilities":{"add":["SYS_ADMIN"]}}}]}`, "container a has capabilities beyond the usual"},
		"network":      {`{"hostNetwork":true,"containers":[{"name":"a"}]}`, "shares hostNetwork with its node"},
		"secret":       {`{"containers":[{"name":"a","env":[{"name":"DB_PASSWORD","value":"hunter2"}]}]}`, "container a has DB_PASSWORD written in its spec"},
		"redacted":     {`{"containers":[{"name":"a","env":[{"name":"apiKey","value":"[redacted]"}]}]}`, "container a has apiKey written in its spec"},
		"no secret": {`{"containers":[{"name":"a","env":[{"name":"TOKEN_URL","value":"https://x"},{"name":"PASSWORD_FILE","value":"/run/p"},{"name":"SECRET","value":"/run/s"},
			{"name":"PASSWORD","value":"$(OTHER)"},{"name":"TOKEN","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}]}]}`, "the security audit found nothing"},
		"path": {`{"containers":[{"name":"a"}],"volumes":[{"name":"v","hostPath":{"path":"/etc"}}]}`, "mounts /etc of its node"},
	} {
		v := Judge(Case{Check: Check{Name: "c", Kind: SecurityAudit, Cluster: "prod", Namespace: "shop"}, Result: result(0, "", spec(c.spec))}, ids())
		if !strings.Contains(v.State.Finding, c.want) {
			t.Errorf("%s: %s", name, v.State.Finding)
		}
		for _, e := range v.Events {
			if strings.Contains(string(e.Evidence), `"pods"`) {
				t.Errorf("%s: the pods themselves go along", name)
			}
		}
	}
}

// Every check that is handed out can be run by one of the shapes that n8n knows.
func TestEveryKindCanBeRun(t *testing.T) {
	for _, k := range kinds {
		for _, p := range k.places {
			c := Check{Name: "c", Kind: k.kind}
			for _, need := range p.needs {
				switch need {
				case "cluster":
					c.Cluster = "prod"
				case "namespace":
					c.Namespace = "shop"
				case "object":
					c.Object = "tls"
				case "host":
					c.Host = "web-01"
				case "url":
					c.URL = "https://example.com"
				}
			}
			raw, err := c.Execute()
			if c.ByItself() != (err != nil) {
				t.Errorf("%s by %s: %v", k.kind, p, err)
			}
			var x struct{ Shape string }
			if err == nil && (json.Unmarshal(raw, &x) != nil || !slices.Contains(Shapes(), x.Shape)) {
				t.Errorf("%s: %s", k.kind, raw)
			}
		}
	}
}

// Whatever comes in whatever order, what fires in the state is what was begun and is
// not over, and the same result twice begins nothing new.
func TestJudgeKeepsCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state, firing := State{Status: Never}, map[string]bool{}
		for range rapid.IntRange(1, 12).Draw(t, "results") {
			status := rapid.SampledFrom([]intake.CheckStatus{"", "", intake.CheckPassed, intake.CheckFailed, intake.CheckError}).Draw(t, "status")
			r := result(rapid.IntRange(0, 5).Draw(t, "minute"), status, rapid.SampledFrom([]string{disk(20), disk(85), `{"raw":[]}`}).Draw(t, "evidence"))
			v := Judge(Case{Check: diskCheck, Result: r, Before: state}, ids())
			for _, e := range v.Events {
				firing[e.Fingerprint] = e.Status == incident.Firing
			}
			again := Judge(Case{Check: diskCheck, Result: r, Before: v.State}, ids())
			for _, e := range again.Events {
				if e.Status == incident.Resolved || !firing[e.Fingerprint] {
					t.Fatalf("the same result again tells %+v", e)
				}
			}
			state = kept(t, v.State)
			for fingerprint, on := range firing {
				if on != slices.ContainsFunc(state.Firing, func(f Finding) bool { return f.Fingerprint == fingerprint }) {
					t.Fatalf("alert fires: %v; the state holds %+v", on, state.Firing)
				}
			}
		}
	})
}
