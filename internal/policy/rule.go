package policy

import (
	"time"

	"salve/internal/incident"
)

// minWindow keeps a hold from being an auto in disguise.
const minWindow = 5 * time.Second

// rule says for some causes how far Salve may go.
type rule struct {
	name   string
	line   int
	words  []string // as written: pod.*
	causes []string // what the words stand for
	when   *condition
	level  int
	risk   incident.Risk // empty: that of the rung's riskiest step
	dryRun bool
	window time.Duration
	ladder []rung

	ruleSettings
}

// rung is one step up the ladder: steps in order that belong together.
type rung struct {
	when    *condition
	steps   []incident.Step
	effects []incident.Effect // of the steps
	chosen  []bool            // the step's mode was written out
	risk    incident.Risk
}

// RuleInfo is a rule for people: what explain and the console show.
type RuleInfo struct {
	Name   string
	Line   int
	Causes []string // as written
	If     string
	Level  int
	DryRun bool
	Rungs  []RungInfo
}

// RungInfo is one rung of a rule for people.
type RungInfo struct {
	If    string
	Risk  incident.Risk
	Steps []incident.Step
}

func (r *rule) info() RuleInfo {
	info := RuleInfo{Name: r.name, Line: r.line, Causes: r.words, If: r.when.String(), Level: r.level, DryRun: r.dryRun}
	for i := range r.ladder {
		g := &r.ladder[i]
		info.Rungs = append(info.Rungs, RungInfo{If: g.when.String(), Risk: g.risk, Steps: g.steps})
	}
	return info
}

// boldness orders what may happen: nothing, after a yes, after a window, at once.
func boldness(m incident.Mode) int {
	switch m {
	case incident.Auto:
		return 3
	case incident.Hold:
		return 2
	case incident.Approve:
		return 1
	}
	return 0
}

// boldest is the mode of the boldest change of the rung, empty where it changes nothing.
func (g *rung) boldest() incident.Mode {
	var most incident.Mode
	for i, s := range g.steps {
		if g.effects[i] == incident.Change && boldness(s.Mode) > boldness(most) {
			most = s.Mode
		}
	}
	return most
}

// first is the rung's first change: nothing is changed before it.
func (g *rung) first() (incident.Step, bool) {
	for i, s := range g.steps {
		if g.effects[i] == incident.Change {
			return s, true
		}
	}
	return incident.Step{}, false
}

// holds says whether an abort window stands before one of its changes.
func (g *rung) holds() bool {
	for i, s := range g.steps {
		if g.effects[i] == incident.Change && s.Mode == incident.Hold {
			return true
		}
	}
	return false
}

// careful is the rung with no change bolder than most; none at all when most is empty.
func (g *rung) careful(most incident.Mode, window time.Duration) *rung {
	if boldness(g.boldest()) <= boldness(most) {
		return g
	}
	capped := rung{when: g.when, risk: g.risk}
	for i, s := range g.steps {
		switch {
		case g.effects[i] != incident.Change, boldness(s.Mode) <= boldness(most):
		case most == "":
			continue
		default:
			s.Mode = most
			s.Window = windowOf(most, window)
		}
		capped.steps = append(capped.steps, s)
		capped.effects = append(capped.effects, g.effects[i])
		capped.chosen = append(capped.chosen, g.chosen[i])
	}
	return &capped
}

func windowOf(m incident.Mode, window time.Duration) time.Duration {
	if m == incident.Hold {
		return window
	}
	return 0
}

// boldest is the boldest mode of the whole rule.
func (r *rule) boldest() incident.Mode {
	var most incident.Mode
	for i := range r.ladder {
		if m := r.ladder[i].boldest(); boldness(m) > boldness(most) {
			most = m
		}
	}
	return most
}

// levelMode is what a level allows a change of some risk at most, and what a
// step gets that says nothing else.
func levelMode(level int, risk incident.Risk) incident.Mode {
	switch {
	case level >= 4:
		return incident.Auto
	case level == 3 && risk == incident.RiskHigh:
		return incident.Hold
	case level == 3:
		return incident.Auto
	case level == 2:
		return incident.Approve
	}
	return ""
}

func riskier(a, b incident.Risk) incident.Risk {
	if riskRank(b) > riskRank(a) {
		return b
	}
	return a
}

func riskRank(r incident.Risk) int {
	switch r {
	case incident.RiskHigh:
		return 3
	case incident.RiskMedium:
		return 2
	case incident.RiskLow:
		return 1
	}
	return 0
}
