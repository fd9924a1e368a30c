package intake

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"salve/internal/incident"
)

// Unasked is one POST /v1/evidence: evidence that nobody asked for, with the
// incident or the target that it is about.
type Unasked struct {
	Item
	Incident string // its id or short id; empty where a target is given
}

// maxIncidentName is longer than any id of an incident.
const maxIncidentName = 64

type givenEvidence struct {
	IncidentID string         `json:"incident_id"`
	Cluster    string         `json:"cluster"`
	Target     *givenTarget   `json:"target"`
	Evidence   jsontext.Value `json:"evidence"`
}

// Evidence reads the body of POST /v1/evidence. The error is a *BodyError.
func Evidence(in Input) (Unasked, error) {
	b := newBody(in.Body)
	whole := b.whole()
	if whole.from == whole.to || b.text[whole.from] != '{' {
		return Unasked{}, b.wrongKind("the body is no object; send {incident_id or target, evidence}")
	}
	raw, f := b.item(whole), &findings{notes: b.notes(whole)}
	g, ok := decode[givenEvidence](raw, f)
	if !ok {
		return Unasked{Item: f.rejected("")}, b.readable()
	}
	event := g.event(in, f)
	if len(f.problems) > 0 {
		return Unasked{Item: f.rejected("")}, nil
	}
	event.Payload = without(raw, "evidence")
	return Unasked{Item: Item{Event: event, Notes: f.notes}, Incident: g.IncidentID}, nil
}

// event finds everything for which the evidence is refused. Beside an incident
// the cluster counts only where the sender says it.
func (g *givenEvidence) event(in Input, f *findings) incident.Event {
	g.check(f)
	e := incident.Event{
		ID: in.IDs(), Kind: incident.EvidenceEvent, Source: "evidence", Subject: in.Subject, ReceivedAt: in.ReceivedAt,
		Evidence: []byte(g.Evidence), Target: incident.Target{Cluster: g.Cluster},
	}
	if g.IncidentID == "" && g.Target != nil && len(f.problems) == 0 {
		e.Target = g.about(in, f)
		e.Family, _ = f.hypothesis("", alert{}, e.Target)
		e.Service = e.Target.Service
	}
	return e
}

func (g *givenEvidence) check(f *findings) {
	switch {
	case g.IncidentID == "" && g.Target == nil:
		f.refuse("", "nothing says what the evidence is about; give incident_id (INC-1042, or its id) or target")
	case g.IncidentID != "" && g.Target != nil:
		f.refuse("/target", "incident_id says already what the evidence is about; give one of the two")
	}
	if len(g.IncidentID) > maxIncidentName {
		f.refuse("/incident_id", "is %d bytes long; it is of the form INC-1042, or a UUID", len(g.IncidentID))
	}
	f.checkName("/cluster", g.Cluster)
	g.Target.check(f)
	if given := g.Target.cluster(); g.Cluster != "" && given != "" && g.Cluster != given {
		f.refuse("/target/cluster", "%s, but cluster says %q", saw(given), clip(g.Cluster, quoted))
	}
	switch kind := g.Evidence.Kind(); {
	case len(g.Evidence) == 0:
		f.refuse("/evidence", "is missing; it is an object with keys such as pods and events")
	case kind != '{':
		f.refuse("/evidence", "must be an object with keys such as pods and events, not %s", article(kind))
	}
}

// about is the target. What names nothing that could exist is refused: no
// alert's name stands behind it here.
func (g *givenEvidence) about(in Input, f *findings) incident.Target {
	notes := len(f.notes)
	t := incident.Target{}
	if g.Target.names() {
		t = clues{given: g.Target}.spelledOut(f)
	}
	t.Cluster = in.cluster(g.Cluster, g.Target.Cluster, clusterOf(g.Evidence))
	if t.IsZero() {
		why := "names nothing; give kind and name (and namespace), or host, or service"
		if found := f.notes[notes:]; len(found) > 0 {
			why = strings.Join(found, "; ")
		}
		f.refuse("/target", "%s", why)
	}
	return t
}

// clusterOf is the cluster that evidence says it comes from.
func clusterOf(evidence jsontext.Value) string {
	var says struct {
		Cluster jsontext.Value `json:"cluster"`
	}
	var name string
	if json.Unmarshal(evidence, &says) != nil || json.Unmarshal(says.Cluster, &name) != nil || len(name) > maxName {
		return ""
	}
	return name
}

// without is an object without one of its members, the others in their order:
// evidence is kept once, and not in the payload too.
func without(raw []byte, member string) []byte {
	w := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if token, err := w.ReadToken(); err != nil || token.Kind() != '{' {
		return raw
	}
	rest := []byte{'{'}
	for w.PeekKind() == '"' {
		name, err := w.ReadToken()
		if err != nil {
			return raw
		}
		leave := name.String() == member
		quotedName, _ := jsontext.AppendQuote(nil, name.String())
		value, err := w.ReadValue()
		switch {
		case err != nil:
			return raw
		case leave:
			continue
		case len(rest) > 1:
			rest = append(rest, ',')
		}
		rest = append(append(append(rest, quotedName...), ':'), value...)
	}
	return append(rest, '}')
}
