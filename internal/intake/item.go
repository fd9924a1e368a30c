package intake

import "salve/internal/incident"

// item completes an event whose source has read its words: what it is about,
// the first hypothesis, and the episode. It is the same for every source.
func (in Input) item(e incident.Event, c clues, kind string, f *findings) Item {
	a := alerts.find(e.Name, c.labels)
	c = c.read(a, e.Name)
	e.ID, e.Kind = in.IDs(), incident.AlertEvent
	e.Subject, e.ReceivedAt = in.Subject, in.ReceivedAt
	e.OpenEnded = e.StartsAt.IsZero()
	e.Episode = episode(e.Source, c.cluster, e.Fingerprint, e.StartsAt)
	e.Target = c.target(f)
	e.Service = c.serviceName(f)
	e.Family, e.Hypothesis = f.hypothesis(kind, a, e.Target)
	if a.suppress != "" {
		e.Severity = incident.Info
	}
	return Item{Event: e, Suppress: a.suppress, Notes: f.notes}
}
