package policy

import (
	"time"

	"salve/internal/incident"
)

// The views are what conditions see. Their cel tags are part of the policy
// language: a name may be added, never changed.

type incidentView struct {
	Severity    string        `cel:"severity"`
	State       string        `cel:"state"`
	Service     string        `cel:"service"`
	Title       string        `cel:"title"`
	Family      string        `cel:"family"`
	Recurrences int           `cel:"recurrences"`
	Repeats     int64         `cel:"repeats"`
	OpenedAt    time.Time     `cel:"opened_at"`
	Age         time.Duration `cel:"age"`
}

type targetView struct {
	Cluster     string            `cel:"cluster"`
	Namespace   string            `cel:"namespace"`
	Kind        string            `cel:"kind"`
	Name        string            `cel:"name"`
	Container   string            `cel:"container"`
	Host        string            `cel:"host"`
	Service     string            `cel:"service"`
	Environment string            `cel:"environment"`
	Labels      map[string]string `cel:"labels"`
	Annotations map[string]string `cel:"annotations"`
}

type objectView struct {
	Namespace string `cel:"namespace"`
	Kind      string `cel:"kind"`
	Name      string `cel:"name"`
}

type diagnosisView struct {
	Cause        string     `cel:"cause"`
	Confidence   float64    `cel:"confidence"`
	Container    string     `cel:"container"`
	Summary      string     `cel:"summary"`
	Chain        []string   `cel:"chain"`
	Evidence     []string   `cel:"evidence"`
	Missing      []string   `cel:"missing"`
	Likely       string     `cel:"likely"`
	Alternatives []string   `cel:"alternatives"`
	Subject      objectView `cel:"subject"`
	Owner        objectView `cel:"owner"`
}

type triedView struct {
	Action string `cel:"action"`
	Rung   int    `cel:"rung"`
	State  string `cel:"state"`
}

type historyView struct {
	Tried       []triedView `cel:"tried"`
	Failures    int         `cel:"failures"` // tried intents that failed or were lost
	Recurrences int         `cel:"recurrences"`
}

// variables fills the views; it is called only when a condition must be evaluated.
func variables(f *Facts) map[string]any {
	in, d := &f.Incident, &f.Diagnosis
	return map[string]any{
		"incident": incidentView{
			Severity: string(f.severity()), State: string(in.State), Service: in.Service, Title: in.Title,
			Family: in.Family, Recurrences: in.Recurrence, Repeats: in.Repeats,
			OpenedAt: in.OpenedAt, Age: f.Now.Sub(in.OpenedAt),
		},
		"target": viewTarget(f),
		"diagnosis": diagnosisView{
			Cause: d.Cause, Confidence: d.Confidence, Container: d.Container, Summary: d.Summary,
			Chain: d.Chain, Evidence: d.Evidence, Missing: d.Missing, Likely: d.Likely, Alternatives: otherCauses(d),
			Subject: viewObject(d.Subject), Owner: viewObject(d.Owner),
		},
		"history": viewHistory(f),
		"now":     f.Now,
	}
}

func viewTarget(f *Facts) targetView {
	t := &f.Incident.Target
	return targetView{
		Cluster: t.Cluster, Namespace: t.Namespace, Kind: t.Kind, Name: t.Name, Container: t.Container,
		Host: t.Host, Service: t.Service, Environment: Environment(f.Labels),
		Labels: f.Labels, Annotations: f.Annotations,
	}
}

// Environment is the first of the labels that senders use for it.
func Environment(labels map[string]string) string {
	for _, key := range [...]string{"environment", "env", "stage"} {
		if v := labels[key]; v != "" {
			return v
		}
	}
	return ""
}

func viewObject(t incident.Target) objectView {
	return objectView{Namespace: t.Namespace, Kind: t.Kind, Name: t.Name}
}

func otherCauses(d *incident.Diagnosis) []string {
	causes := make([]string, len(d.Alternatives))
	for i, a := range d.Alternatives {
		causes[i] = a.Cause
	}
	return causes
}

func viewHistory(f *Facts) historyView {
	h := historyView{Recurrences: f.Incident.Recurrence}
	for _, t := range f.Tried {
		h.Tried = append(h.Tried, triedView{t.Action, t.Rung, string(t.State)})
		if t.State == incident.Failed || t.State == incident.Lost {
			h.Failures++
		}
	}
	return h
}
