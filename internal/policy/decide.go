package policy

import (
	"fmt"
	"strings"
	"time"

	"salve/internal/incident"
)

// Decide says what may be done about a diagnosis, and why. The same facts give
// the same decision. Params of the steps are shared and not to be changed.
func (p *Policy) Decide(f Facts) incident.Decision {
	d := &decider{policy: p, facts: &f, cap: incident.Auto}
	d.out.PolicyVersion = p.version
	d.out.Guards = []incident.Reading{}
	d.out.Record = incident.Record{Rules: []incident.RuleReading{}, Facts: f.Kept()}
	d.decide()
	return d.out
}

// decider is one decision in the making.
type decider struct {
	policy *Policy
	facts  *Facts
	vars   map[string]any // filled when the first condition is evaluated
	cap    incident.Mode  // no change may be bolder; empty: no change at all
	capBy  string
	out    incident.Decision
}

func (d *decider) decide() {
	switch {
	case d.facts.Diagnosis.Cause == incident.CauseHealthy:
		d.end(incident.VerdictNothing, "nothing is wrong")
	case !d.facts.Diagnosis.Decided() && d.mayCollect():
		d.end(incident.VerdictCollect, fmt.Sprintf("the cause is not known yet: evidence round %d of %d",
			d.facts.Incident.Rounds+1, d.policy.settings.Evidence.Rounds))
	default:
		d.byRule()
	}
}

func (d *decider) end(v incident.Verdict, reason string) {
	d.out.Verdict = v
	d.say(reason)
}

func (d *decider) say(reason string) { d.out.Reasons = append(d.out.Reasons, reason) }

// mayCollect bounds the loop of asking: by what can be asked, rounds and time.
func (d *decider) mayCollect() bool {
	in, e := &d.facts.Incident, &d.policy.settings.Evidence
	began := in.BeganAt
	if began.IsZero() {
		began = in.OpenedAt
	}
	return len(d.facts.Diagnosis.Wants) > 0 && in.Rounds < e.Rounds && d.facts.Now.Sub(began) <= e.MaxDuration
}

func (d *decider) byRule() {
	r := d.match()
	if r == nil {
		d.end(incident.VerdictTell, fmt.Sprintf("no rule applies to %s: people are told", d.cause()))
		return
	}
	d.out.Rule, d.out.Level, d.out.Risk = r.name, r.level, r.risk
	d.say(fmt.Sprintf("rule %s applies to %s: level %d", r.name, d.cause(), r.level))
	isNew := d.policy.settings.Onboarding.until(d.facts.Incident.Service, d.facts.Now)
	switch {
	case len(r.ladder) == 0:
		d.end(incident.VerdictTell, "level 1: people are told, nothing is changed")
	case !isNew.IsZero():
		d.out.Level = 1
		d.end(incident.VerdictTell, fmt.Sprintf("service %s is new until %s: level 1, people are told", d.facts.Incident.Service, isNew.Format(time.DateOnly)))
	case d.underWay(), d.refused():
	default:
		d.lowered()
		d.climb(r)
	}
}

// lowered takes the levels down during a storm: a human says yes to each change.
func (d *decider) lowered() {
	if d.facts.State.Storming() && boldness(d.cap) > boldness(incident.Approve) {
		d.cap, d.capBy = incident.Approve, "there is a storm of incidents"
	}
}

func (d *decider) cause() string {
	if d.facts.Diagnosis.Cause == "" {
		return incident.CauseUnknown
	}
	return d.facts.Diagnosis.Cause
}

// match finds the first rule for the cause whose condition holds.
func (d *decider) match() *rule {
	tried := d.policy.byCause[d.cause()]
	d.out.Record.Others = len(d.policy.rules) - len(tried)
	for i, r := range tried {
		if d.holds(r.when, "rule "+r.name, r.boldest()) {
			d.read(r, true, "the first that names the cause and whose condition holds")
			for _, later := range tried[i+1:] {
				d.read(later, false, "rule "+r.name+" above it applies")
			}
			return r
		}
		d.read(r, false, d.out.Reasons[len(d.out.Reasons)-1])
	}
	return nil
}

func (d *decider) read(r *rule, applies bool, why string) {
	d.out.Record.Rules = append(d.out.Record.Rules, incident.RuleReading{Rule: r.name, Applies: applies, Why: why})
}

// holds evaluates a condition. One that cannot be evaluated does not hold, and
// whatever decides in its place may not be bolder than it would have been.
func (d *decider) holds(c *condition, what string, bold incident.Mode) bool {
	if c == nil {
		return true
	}
	if d.vars == nil {
		d.vars = variables(d.facts)
	}
	held, err := c.holds(d.vars)
	switch {
	case err != nil:
		d.say(fmt.Sprintf("%s does not apply: its condition (%s) failed: %s", what, c.text, clip(err.Error())))
		if boldness(bold) < boldness(d.cap) {
			d.cap, d.capBy = bold, what+" could not be read"
		}
	case !held:
		d.say(fmt.Sprintf("%s does not apply: %s does not hold", what, c.text))
	}
	return held && err == nil
}

// underWay says whether an urgent step has not ended: nothing is repaired twice.
func (d *decider) underWay() bool {
	for _, t := range d.facts.Tried {
		if t.Rung > 0 && !t.Independent && !t.State.Terminal() {
			d.end(incident.VerdictWait, fmt.Sprintf("%s of rung %d is %s: its end is awaited", t.Action, t.Rung, t.State))
			return true
		}
	}
	return false
}

// refused says whether a human stopped a step. Salve does not look for a way
// around a human's no.
func (d *decider) refused() bool {
	for _, t := range d.facts.Tried {
		if t.Rung > 0 && !t.Independent && (t.State == incident.Aborted || t.State == incident.RejectedState) {
			d.end(incident.VerdictEscalate, fmt.Sprintf("%s of rung %d was %s by a human", t.Action, t.Rung, t.State))
			return true
		}
	}
	return false
}

// climb takes the next rung whose condition holds.
func (d *decider) climb(r *rule) {
	tried := highest(d.facts.Tried)
	for i := tried; i < len(r.ladder); i++ {
		g := &r.ladder[i]
		if d.holds(g.when, fmt.Sprintf("rung %d", i+1), g.boldest()) && !d.wasNoHelp(r, g, i+1) {
			d.out.Rung = i + 1
			d.take(r, g)
			return
		}
	}
	d.end(incident.VerdictEscalate, "no rung is left; "+triedWords(d.facts.Tried))
}

// wasNoHelp says whether a rung's remedy did not help the last time: then the next
// rung is taken, and not this one again.
func (d *decider) wasNoHelp(r *rule, g *rung, number int) bool {
	first, changes := g.first()
	if !changes {
		return false
	}
	facts := d.facts.guardFacts(r.name, number, first)
	why, stops := readIneffective(d.policy, &facts)
	if stops {
		d.say(fmt.Sprintf("rung %d is left out: %s", number, why))
	}
	return stops
}

// highest is the highest rung of which anything came to an end of its own.
// What was only shown or superseded was never tried.
func highest(tried []Tried) int {
	most := 0
	for _, t := range tried {
		if t.State != incident.Shown && t.State != incident.Superseded {
			most = max(most, t.Rung)
		}
	}
	return most
}

func triedWords(tried []Tried) string {
	var words []string
	for _, t := range tried {
		if t.Rung > 0 {
			words = append(words, fmt.Sprintf("%s (rung %d, %s)", t.Action, t.Rung, t.State))
		}
	}
	if len(words) == 0 {
		return "nothing was tried"
	}
	return "tried were " + strings.Join(words, ", ")
}

// take turns a rung into the decision, as far as the guards let it.
func (d *decider) take(r *rule, g *rung) {
	g = d.promoted(r, g)
	if d.capBy != "" && boldness(g.boldest()) > boldness(d.cap) {
		d.say(fmt.Sprintf("%s, so nothing bolder than %s", d.capBy, modeWords(d.cap)))
		g = g.careful(d.cap, r.window)
	}
	g = d.atNight(r, g)
	d.out.Risk, d.out.Steps = g.risk, append([]incident.Step(nil), g.steps...)
	d.inWindow(r, g)
	if g.boldest() == "" {
		d.end(incident.VerdictTell, fmt.Sprintf("rung %d tells and changes nothing", d.out.Rung))
		return
	}
	first, _ := g.first()
	facts := d.facts.guardFacts(r.name, d.out.Rung, first)
	d.out.Guards = d.policy.Guard(facts)
	d.verdict(&facts, first.Mode)
}

// verdict weighs the guards. Evidence comes first, because a look is harmless
// and may change everything; a dry run is shown whatever else would stop it.
func (d *decider) verdict(f *GuardFacts, first incident.Mode) {
	evidence, mode, any := "", "", ""
	for _, reading := range d.out.Guards {
		switch {
		case !reading.Stops:
			continue
		case reading.Guard == GuardEvidence:
			evidence = reading.Reading
		case reading.Guard == GuardMode:
			mode = reading.Reading
		}
		any += "; guard " + reading.Guard + ": " + reading.Reading
	}
	switch {
	case evidence != "":
		d.lookFirst(evidence)
	case mode != "" && d.policy.shown(f):
		d.end(incident.VerdictDryRun, "shown only"+any)
	case any != "":
		d.end(incident.VerdictBlocked, "stopped"+any)
	default:
		d.end(verdictOf(first), fmt.Sprintf("rung %d: %s", d.out.Rung, modeReason(first)))
	}
}

// lookFirst asks for evidence instead of a change, as long as there are rounds.
func (d *decider) lookFirst(why string) {
	d.out.Steps = nil
	rounds, limit := d.facts.Incident.Rounds, d.policy.settings.Evidence.Rounds
	if rounds < limit {
		d.end(incident.VerdictCollect, why+": evidence is asked for before anything is changed")
		return
	}
	d.end(incident.VerdictEscalate, fmt.Sprintf("%s, and all %d rounds of asking are used up", why, limit))
}

func verdictOf(m incident.Mode) incident.Verdict {
	switch m {
	case incident.Auto:
		return incident.VerdictRepair
	case incident.Hold:
		return incident.VerdictHold
	}
	return incident.VerdictApprove
}

func modeReason(m incident.Mode) string {
	switch m {
	case incident.Auto:
		return "it may run now"
	case incident.Hold:
		return "it runs after a window unless somebody aborts it"
	}
	return "a human must say yes first"
}
