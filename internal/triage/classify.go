package triage

import "salve/internal/incident"

// Class says what one alert delivery means, given what is known of its episode.
type Class struct {
	Outcome incident.Outcome
	Change  bool // it changes the incident: the episode begins or ends
	Reason  string
}

// Classify is the whole rule of idempotent intake (SPEC section 1): the delivery
// key is the episode plus status, and a repeat delivery changes nothing.
func Classify(e incident.Event, known *incident.Alert) Class {
	switch {
	case known == nil && e.Status == incident.Firing:
		return Class{incident.Accepted, true, "the alert began to fire"}
	case known == nil:
		return Class{incident.Suppressed, false, "resolved, but nothing is open for this alert"}
	case known.Status == incident.Firing && e.Status == incident.Firing && pastQuiet(e, known):
		return Class{incident.Accepted, true, "the alert still fires, long after its incident was resolved"}
	case known.Status == e.Status:
		return Class{incident.Duplicate, false, "this delivery is known already"}
	case e.Status == incident.Firing && e.OpenEnded:
		return Class{incident.Accepted, true, "the alert fires again"}
	case e.Status == incident.Firing:
		return Class{incident.Suppressed, false, "this episode has ended already; a late delivery opens nothing"}
	case known.Subject != e.Subject:
		return Class{incident.Suppressed, false, "resolved by " + e.Subject + ", but it was sent firing by " + known.Subject + "; only the same sender resolves it"}
	default:
		return Class{incident.Accepted, true, "the alert resolved"}
	}
}

// pastQuiet says whether a repeat comes too late to be a look-back after a good
// repair: the sender still means it.
func pastQuiet(e incident.Event, known *incident.Alert) bool {
	return !known.QuietUntil.IsZero() && e.ReceivedAt.After(known.QuietUntil)
}
