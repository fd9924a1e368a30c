package triage_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
	"salve/internal/triage"
)

const reopensNothing = "the incident is resolved: the evidence is kept with it and does not reopen it; an alert that fires does"

func TestUnaskedEvidence(t *testing.T) {
	cases := []struct {
		name  string
		given func(t *testing.T) *world
		look  func(w *world) triage.Taken
		want  triage.Taken
		then  func(w *world)
	}{
		{"from a trusted sender it decides, as a result's does",
			alerted, func(w *world) triage.Taken { return w.look("n8n", w.ill()) },
			triage.Taken{Outcome: incident.Accepted, Reasons: []string{"taken"}},
			func(w *world) {
				w.wantState(incident.StateRepairing)
				w.wantLive("collect.pod ready", "k8s.pod.restart ready", "k8s.deployment.resources waiting")
				if w.facts.Incident.Key != owner || !w.last.Judged {
					w.t.Errorf("key %s, judged %t", w.facts.Incident.Key, w.last.Judged)
				}
			}},
		{"from anybody else it leads to a look and moves nothing",
			alerted, func(w *world) triage.Taken { return w.look("somebody", w.ill()) },
			triage.Taken{Outcome: incident.Accepted, Reasons: []string{"taken"}},
			func(w *world) {
				w.wantState(incident.StateDiagnosing)
				w.wantLive("collect.pod ready")
				w.wantVerdict(incident.VerdictCollect, "trusted")
				if w.last.Diagnosis.Cause != "pod.oom_killed" || w.facts.Incident.Target != pod {
					w.t.Errorf("cause %s, target %s", w.last.Diagnosis.Cause, w.facts.Incident.Target)
				}
			}},
		{"what cannot be read is named, the rest is used",
			alerted, func(w *world) triage.Taken {
				return w.look("n8n", strings.Replace(w.ill(), `"pods":[`, `"logs":7,"pods":["x",`, 1))
			},
			triage.Taken{Outcome: incident.Accepted, Reasons: []string{
				"taken", "evidence/pods/0: an object was expected, this is a string",
				"evidence/logs: must be an object {pod, container, previous, text}",
			}},
			func(w *world) { w.wantState(incident.StateRepairing) }},
		{"the same again changes nothing",
			func(t *testing.T) *world {
				w := alerted(t)
				w.look("n8n", w.ill())
				return w
			},
			func(w *world) triage.Taken { return w.look("n8n", w.ill()) },
			triage.Taken{Outcome: incident.Accepted, Reasons: []string{"taken"}},
			func(w *world) {
				w.wantLive("collect.pod ready", "k8s.pod.restart ready", "k8s.deployment.resources waiting")
				w.wantVerdict(incident.VerdictWait, "one live rung")
			}},
		{"a resolved incident stays resolved",
			repaired, func(w *world) triage.Taken { return w.look("n8n", w.ill()) },
			triage.Taken{Outcome: incident.Suppressed, Reasons: []string{reopensNothing}},
			func(w *world) {
				w.wantState(incident.StateResolved)
				if w.last.Changed || w.last.Judged || w.facts.Incident.Recurrence != 0 {
					w.t.Errorf("changed %t, judged %t, %d recurrences", w.last.Changed, w.last.Judged, w.facts.Incident.Recurrence)
				}
			}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := c.given(t)
			w.advance(time.Second)
			if diff := cmp.Diff(c.want, c.look(w)); diff != "" {
				t.Errorf("taken (-want +got):\n%s", diff)
			}
			c.then(w)
		})
	}
}

func alerted(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.alert(crash)
	return w
}

// Which open incident takes evidence about a target.
func TestHomeOfEvidence(t *testing.T) {
	w := newWorld(t)
	dep := incident.Target{Cluster: "default", Namespace: "production", Kind: "Deployment", Name: "api-gateway"}
	rs := incident.Target{Cluster: "default", Namespace: "production", Kind: "ReplicaSet", Name: replicaSet}
	sibling := incident.Target{Cluster: "default", Namespace: "production", Kind: "Pod", Name: freshPod.name}
	elsewhere, other := dep, dep
	elsewhere.Cluster, other.Name = "dev", "billing"
	host := incident.Target{Cluster: "default", Kind: "Host", Host: "web-01"}
	open := func(about incident.Target, family string, hours int) incident.Incident {
		return incident.Incident{ID: w.id(), Key: about.Key(family), Target: about, Family: family, State: incident.StateOpen,
			OpenedAt: night.Add(time.Duration(hours) * time.Hour)}
	}
	both := w.seen("512Mi", 23, illPod, freshPod)
	cases := []struct {
		name     string
		about    incident.Target
		evidence string
		open     []incident.Incident
		want     int // which of them; -1: none
	}{
		{"none is open", pod, both, nil, -1},
		{"of the object itself", pod, both, []incident.Incident{open(pod, "pod", 0)}, 0},
		{"of its owner, as the evidence shows it", pod, both, []incident.Incident{open(dep, "pod", 0)}, 0},
		{"of what stands between", pod, both, []incident.Incident{open(rs, "pod", 0)}, 0},
		{"of a pod whose owner it is", dep, both, []incident.Incident{open(pod, "pod", 0)}, 0},
		{"of another pod of the same owner: a pod counts as its owner", pod, both, []incident.Incident{open(sibling, "pod", 0)}, 0},
		{"the evidence shows no owner: the object alone", pod, `{"events":[]}`, []incident.Incident{open(dep, "pod", 0), open(sibling, "pod", 0)}, -1},
		{"of another owner", pod, both, []incident.Incident{open(other, "pod", 0)}, -1},
		{"of another cluster", pod, both, []incident.Incident{open(elsewhere, "pod", 0)}, -1},
		{"the evidence is of another cluster: it shows no owner", pod, strings.Replace(both, `"cluster":"default"`, `"cluster":"dev"`, 1),
			[]incident.Incident{open(dep, "pod", 0)}, -1},
		{"of several families the one that fits, though another is newer", pod, both,
			[]incident.Incident{open(dep, "workload", 2), open(dep, "pod", 0), open(dep, "resource", 1)}, 1},
		{"of several that do not fit, the newest", pod, `{"events":[]}`,
			[]incident.Incident{open(pod, "job", 1), open(pod, "workload", 2), open(pod, "resource", 0)}, 1},
		{"of several that fit, the nearest though another is newer", pod, both,
			[]incident.Incident{open(sibling, "pod", 3), open(dep, "pod", 1)}, 1},
		{"a family that nobody could name", host, `{"logs":[]}`, []incident.Incident{open(host, "unknown", 0)}, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sight := triage.See(incident.Event{Kind: incident.EvidenceEvent, ReceivedAt: night, Target: c.about, Family: "pod", Evidence: raw(c.evidence)})
			keys := sight.Keys()
			known := slices.DeleteFunc(slices.Clone(c.open), func(i incident.Incident) bool { return !slices.Contains(keys, i.Key) })
			id, found := sight.Home(known)
			got := -1
			if found {
				got = slices.IndexFunc(c.open, func(i incident.Incident) bool { return i.ID == id })
			}
			if got != c.want {
				t.Errorf("home is %d, want %d; keys are\n%s", got, c.want, strings.Join(keys, "\n"))
			}
		})
	}
}

// What evidence shows where nobody is ill that is known.
func TestSeen(t *testing.T) {
	w := newWorld(t)
	e := incident.Event{Kind: incident.EvidenceEvent, ReceivedAt: night, Target: pod, Family: "pod", Evidence: raw(w.ill())}
	s := triage.See(e)
	if s.Diagnosis.Cause != "pod.oom_killed" || len(s.Reasons) > 0 {
		t.Errorf("cause %s, reasons %q", s.Diagnosis.Cause, s.Reasons)
	}
	e.Evidence = raw(strings.Replace(w.ill(), `"cluster":"default"`, `"cluster":"dev","unheardOf":1,"logs":[1]`, 1))
	s = triage.See(e)
	want := []string{
		"evidence/cluster: dev is not the cluster of the target, default; the evidence is kept and not used",
		"evidence/logs/0: must be an object {pod, container, previous, text}",
	}
	if diff := cmp.Diff(want, s.Reasons); diff != "" || s.Diagnosis.Cause != incident.CauseUnknown {
		t.Errorf("cause %s, reasons (-want +got):\n%s", s.Diagnosis.Cause, diff)
	}
}
