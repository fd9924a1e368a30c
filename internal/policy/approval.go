package policy

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// ruleSettings are what a rule says for itself. What it leaves out is what the
// file says for all.
type ruleSettings struct {
	approvers    []string // subjects, slack:U123, group:NAME; empty: whoever holds the scope
	quorum       int
	verification time.Duration // zero: the file's
	channels     Channels      // empty members: the file's
	limits       limits
	inWindow     bool // changes wait for the next maintenance window
}

// limits are the guards that a rule may make tighter, never wider.
type limits struct {
	cooldown    time.Duration
	budget      int // of the target
	blastRadius BlastRadius
}

func (s Settings) limits() limits { return limits{s.Cooldown, s.Budgets.Target, s.BlastRadius} }

// limitsOf are those of a rule; of the file where no rule is known.
func (p *Policy) limitsOf(rule string) limits {
	if r, ok := p.byName[rule]; ok {
		return r.limits
	}
	return p.settings.limits()
}

// Approvers are who may say yes to what a rule brings: subjects, slack:U123 and
// group:NAME. A group that policy itself lists stands for its members as well.
// Empty: whoever holds the scope.
func (p *Policy) Approvers(rule string) []string {
	r, ok := p.byName[rule]
	if !ok {
		return nil
	}
	var all []string
	for _, name := range r.approvers {
		all = append(all, name)
		if group, is := strings.CutPrefix(name, "group:"); is {
			all = append(all, p.settings.Groups[group]...)
		}
	}
	return all
}

// Quorum is how many different people must say yes to what a rule brings.
func (p *Policy) Quorum(rule string) int {
	if r, ok := p.byName[rule]; ok {
		return r.quorum
	}
	return p.settings.Approval.Quorum
}

// Verification is how long what a rule brings is watched.
func (p *Policy) Verification(rule string) time.Duration {
	if r, ok := p.byName[rule]; ok && r.verification > 0 {
		return r.verification
	}
	return p.settings.Verification.Window
}

// Channels are where people are told of what a rule is about.
func (p *Policy) Channels(rule string) Channels {
	all := p.settings.Channels
	r, ok := p.byName[rule]
	if !ok {
		return all
	}
	for _, c := range [...]struct{ from, into *string }{
		{&r.channels.Critical, &all.Critical}, {&r.channels.High, &all.High}, {&r.channels.Warning, &all.Warning},
		{&r.channels.Info, &all.Info}, {&r.channels.Repaired, &all.Repaired}, {&r.channels.SMS, &all.SMS},
	} {
		if *c.from != "" {
			*c.into = *c.from
		}
	}
	return all
}

// ApprovalSettings are about a human's yes.
type ApprovalSettings struct {
	ExpiresAfter time.Duration // silence is a no
	FreshFor     time.Duration // older evidence is looked at again at the yes
	Quorum       int
}

func (a *ApprovalSettings) fields(r *reader) []field {
	return []field{
		r.durationField("expires_after", time.Minute, 7*day, &a.ExpiresAfter),
		r.durationField("fresh_for", 10*time.Second, time.Hour, &a.FreshFor),
		r.integerField("quorum", 1, 10, &a.Quorum),
	}
}

var approverShape = regexp.MustCompile(`^((slack|group):)?[A-Za-z0-9]([A-Za-z0-9._@/-]{0,126}[A-Za-z0-9])?$`)

const approverExample = "a token's subject, slack:U0123ABC, or group:sre"

func (r *reader) approvers(n ast.Node, what string, into *[]string) {
	*into = nil
	r.texts(n, what, func(item ast.Node, s string) {
		switch {
		case !approverShape.MatchString(s):
			r.fail(item, "%s: %q cannot be; %s would be right", what, clip(s), approverExample)
		case slices.Contains(*into, s):
			r.fail(item, "%s: %q is there twice", what, clip(s))
		default:
			*into = append(*into, s)
		}
	})
}

func (r *reader) groups(n ast.Node, into *map[string][]string) {
	*into = map[string][]string{}
	for _, kv := range r.pairs(n, "groups") {
		var members []string
		r.approvers(kv.Value, keyOf(kv), &members)
		(*into)[keyOf(kv)] = members
	}
}

// settingFields are the keys of a rule that set something for it alone.
func (b *builder) settingFields(r *rule, s Settings) []field {
	r.quorum, r.limits = s.Approval.Quorum, s.limits()
	return []field{
		{"approvers", func(n ast.Node) { b.approvers(n, "approvers", &r.approvers) }},
		b.integerField("quorum", 1, 10, &r.quorum),
		{"verification", func(n ast.Node) {
			b.mapping(n, "verification of a rule", []field{b.durationField("window", 30*time.Second, day, &r.verification)})
		}},
		{"channels", func(n ast.Node) { b.mapping(n, "channels", r.channels.fields(b.reader)) }},
		{"guards", func(n ast.Node) { b.tighter(n, r, s) }},
		{"when", func(n ast.Node) {
			_, r.inWindow = oneOf(b.reader, n, "when", whenWindow)
			if r.inWindow && len(s.Maintenance) == 0 {
				b.fail(n, "when: window needs a window; maintenance: [{days: [sun], from: \"02:00\", to: \"05:00\"}] would be right")
			}
		}},
	}
}

type whenWord string

const whenWindow whenWord = "window"

// tighter reads the guards of a rule. A rule may be more careful than the file.
func (b *builder) tighter(n ast.Node, r *rule, s Settings) {
	all := s.limits()
	b.mapping(n, "guards of a rule", []field{
		{"cooldown", func(n ast.Node) {
			b.duration(n, "cooldown", 0, day, &r.limits.cooldown)
			if r.limits.cooldown < all.cooldown {
				b.fail(n, "cooldown: a rule may only be more careful than the file, which says %s", formatDuration(all.cooldown))
			}
		}},
		{"budget", func(n ast.Node) {
			b.integer(n, "budget", 0, maxBudget, &r.limits.budget)
			if r.limits.budget > all.budget {
				b.fail(n, "budget: a rule may only be more careful than the file, which says %d a target", all.budget)
			}
		}},
		{"blast_radius", func(n ast.Node) {
			b.mapping(n, "blast_radius", r.limits.blastRadius.fields(b.reader))
			if tight := r.limits.blastRadius; tight.Pods > all.blastRadius.Pods || tight.Percent > all.blastRadius.Percent {
				b.fail(n, "blast_radius: a rule may only be more careful than the file, which says pods %d, percent %d", all.blastRadius.Pods, all.blastRadius.Percent)
			}
		}},
	})
}
