package triage

import (
	"fmt"
	"slices"

	"salve/internal/incident"
	"salve/internal/policy"
)

// MaxPieces is how many pieces of evidence an incident holds at one time: each
// look reads all of them again.
const MaxPieces = 100

// load is how much evidence there is.
type load struct {
	bytes  int64
	pieces int
}

func (l load) and(p Piece) load { return load{l.bytes + int64(len(p.Raw)), l.pieces + 1} }

// held is the evidence that an incident has. Trusted evidence has a measure of
// its own, so that nobody can fill it with what is not trusted.
type held struct{ all, trusted load }

// holding measures evidence that is stored with an incident already.
func holding(set policy.Settings, pieces []Piece) held {
	var h held
	for _, p := range pieces {
		h = h.and(set, p)
	}
	return h
}

func (h held) and(set policy.Settings, p Piece) held {
	h.all = h.all.and(p)
	if trusts(set, p) {
		h.trusted = h.trusted.and(p)
	}
	return h
}

// over says why a further piece goes beyond what one incident takes (SPEC
// section 3: bounded in rounds, size and time), or "".
func (h held) over(set policy.Settings, p Piece) string {
	have := h.all
	if trusts(set, p) {
		have = h.trusted
	}
	switch bound := set.Evidence; {
	case have.bytes+int64(len(p.Raw)) > bound.MaxBytes:
		return fmt.Sprintf("evidence: %d bytes beside the %d that are there are over the %d that one incident takes in %s; they are neither used nor kept",
			len(p.Raw), have.bytes, bound.MaxBytes, bound.MaxDuration)
	case have.pieces >= MaxPieces:
		return fmt.Sprintf("evidence: an incident takes %d pieces in %s; this one is neither used nor kept", MaxPieces, bound.MaxDuration)
	}
	return ""
}

func trusts(set policy.Settings, p Piece) bool {
	return p.Leased || slices.Contains(set.TrustedEvidence, p.Subject)
}

// TooMuch says why one piece of evidence alone is over the bound, or "".
func TooMuch(set policy.Settings, e incident.Event) string {
	return held{}.over(set, pieceOf(Arrival{Event: e}))
}

// boundEvidence takes away the evidence that is over the bound. The alert or the
// result that it came with counts all the same; evidence by itself is rejected.
func (r *round) boundEvidence() {
	for i, a := range r.arrivals {
		if len(a.Event.Evidence) == 0 || r.out.Taken[i].Outcome == incident.Duplicate {
			continue
		}
		if why := r.held.over(r.set, pieceOf(a)); why != "" {
			r.refuseEvidence(i, why)
			continue
		}
		r.held = r.held.and(r.set, pieceOf(a))
	}
}

func (r *round) refuseEvidence(i int, why string) {
	r.arrivals = slices.Clone(r.arrivals)
	r.arrivals[i].Event.Evidence = nil
	taken := &r.out.Taken[i]
	taken.OverBound = true
	taken.Reasons = append(taken.Reasons, why)
	if r.arrivals[i].Event.Kind == incident.EvidenceEvent {
		*taken = Taken{Outcome: incident.Rejected, Reasons: []string{why}, OverBound: true}
	}
}

// Kept is an event as it is to be stored: without what its incident does not take.
func (t Taken) Kept(e incident.Event) incident.Event {
	if t.OverBound {
		e.Evidence = nil
	}
	return e
}
