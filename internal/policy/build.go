package policy

import (
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"github.com/goccy/go-yaml/ast"

	"salve/internal/incident"
)

// builder reads the rules. Unlike reader it knows what a policy means.
type builder struct {
	*reader
	catalogue Catalogue
	env       *cel.Env
}

var nameShape = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

const (
	maxRules = 500
	maxRungs = 20
	maxSteps = 20
)

func (b *builder) rules(n ast.Node, s Settings) []*rule {
	var rules []*rule
	for _, item := range b.listOf(n, "rules", 0, maxRules) {
		r := b.rule(item, s)
		b.checkAgainst(item, r, rules)
		rules = append(rules, r)
	}
	return rules
}

// checkAgainst refuses a rule that no diagnosis could ever reach.
func (b *builder) checkAgainst(n ast.Node, r *rule, earlier []*rule) {
	var taken []string
	for _, e := range earlier {
		if e.name == r.name && r.name != "" {
			b.fail(n, "rule %q is there twice, first in line %d; each name once would be right", r.name, e.line)
		}
		if e.when == nil {
			taken = append(taken, e.causes...)
		}
	}
	left := slices.ContainsFunc(r.causes, func(c string) bool { return !slices.Contains(taken, c) })
	if len(r.causes) > 0 && !left {
		b.fail(n, "rule %q is never reached: the rules above take all its causes without a condition; it belongs above them", r.name)
	}
}

func (b *builder) rule(n ast.Node, s Settings) *rule {
	r := &rule{window: s.Hold.Window}
	r.line, _ = place(n)
	if !b.isMapping(n, "a rule") {
		return r
	}
	var ladder, level ast.Node
	b.mapping(n, "a rule", append([]field{
		{"name", func(n ast.Node) { r.name, _ = b.matching(n, "name", nameShape, "lower case, digits and dashes") }},
		{"cause", func(n ast.Node) { b.causes(n, r) }},
		{"if", func(n ast.Node) { r.when = b.condition(n) }},
		{"level", func(n ast.Node) { level = n; b.integer(n, "level", 1, 4, &r.level) }},
		{"risk", func(n ast.Node) {
			r.risk, _ = oneOf(b.reader, n, "risk", incident.RiskLow, incident.RiskMedium, incident.RiskHigh)
		}},
		{"dry_run", func(n ast.Node) { b.boolean(n, "dry_run", &r.dryRun) }},
		{"hold", func(n ast.Node) {
			b.mapping(n, "hold of a rule", []field{b.durationField("window", minWindow, day, &r.window)})
		}},
		{"ladder", func(n ast.Node) { ladder = n }},
	}, b.settingFields(r, s)...))
	b.required(n, r, level)
	if ladder != nil && r.level > 0 {
		b.ladder(ladder, r)
	}
	return r
}

func (b *builder) required(n ast.Node, r *rule, level ast.Node) {
	if !hasKey(n, "name") {
		b.fail(n, "a rule needs a name; it stands in every decision")
	}
	if !hasKey(n, "cause") {
		b.fail(n, "a rule needs a cause, like cause: pod.oom_killed or cause: [pod.*, job.*]")
	}
	if !hasKey(n, "level") {
		b.fail(n, "a rule needs a level: 1 tell, 2 suggest, 3 repair, then tell, 4 autonomous")
	}
	if r.level > 1 && !hasKey(n, "ladder") {
		b.fail(level, "level %d needs a ladder of remedies; level 1 only tells", r.level)
	}
	if r.level > 2 && slices.Contains(r.causes, incident.CauseUnknown) {
		b.fail(level, "level %d for cause unknown: nobody knows what would be repaired; level 1 or 2 would be right", r.level)
	}
}

func (b *builder) causes(n ast.Node, r *rule) {
	b.texts(n, "cause", func(item ast.Node, word string) {
		below := expandCause(word)
		if len(below) == 0 {
			b.fail(item, "cause %q is not known; %s", clip(word), causeHint(word))
			return
		}
		r.words = append(r.words, word)
		for _, c := range below {
			if !slices.Contains(r.causes, c) {
				r.causes = append(r.causes, c)
			}
		}
	})
	if seq, ok := n.(*ast.SequenceNode); ok && len(seq.Values) == 0 {
		b.fail(n, "cause is an empty list; an empty list is not everything: name the causes")
	}
}

func (b *builder) ladder(n ast.Node, r *rule) {
	for _, item := range b.listOf(n, "ladder", 1, maxRungs) {
		g := b.rung(item, r)
		b.checkClimb(item, g, r)
		r.ladder = append(r.ladder, g)
	}
}

// checkClimb keeps a failed rung from leading to a bolder one.
func (b *builder) checkClimb(n ast.Node, g rung, r *rule) {
	if len(r.ladder) == 0 {
		return
	}
	before := r.ladder[len(r.ladder)-1].boldest()
	if boldness(g.boldest()) > boldness(before) {
		b.fail(n, "rung %d changes by %s where the one before it only goes as far as %s: a failure must not make Salve bolder; write mode: %s",
			len(r.ladder)+1, g.boldest(), modeWords(before), modeWords(before))
	}
}

func modeWords(m incident.Mode) string {
	if m == "" {
		return "telling"
	}
	return string(m)
}

func (b *builder) rung(n ast.Node, r *rule) rung {
	var g rung
	var steps ast.Node
	if !b.isMapping(n, "a rung") {
		return g
	}
	b.mapping(n, "a rung", []field{
		{"if", func(n ast.Node) { g.when = b.condition(n) }},
		{"steps", func(n ast.Node) { steps = n }},
	})
	if steps == nil {
		if !hasKey(n, "steps") {
			b.fail(n, "a rung needs steps, a list of actions")
		}
		return g
	}
	b.steps(steps, &g, r)
	return g
}

func (b *builder) steps(n ast.Node, g *rung, r *rule) {
	nodes := b.listOf(n, "steps", 1, maxSteps)
	drafts := make([]draft, len(nodes))
	for i, item := range nodes {
		drafts[i] = b.step(item)
		g.risk = riskier(g.risk, drafts[i].risk)
	}
	if r.risk != "" {
		g.risk = r.risk
	}
	b.settleModes(g, drafts, r)
}

// draft is a step before its mode is settled.
type draft struct {
	incident.Step
	node, modeNode ast.Node
	effect         incident.Effect
	risk           incident.Risk
}

func (b *builder) step(n ast.Node) draft {
	d := draft{node: n}
	var action, params ast.Node
	if !b.isMapping(n, "a step") {
		return d
	}
	b.mapping(n, "a step", []field{
		{"action", func(n ast.Node) { action = n }},
		{"mode", func(n ast.Node) {
			d.modeNode = n
			d.Mode, _ = oneOf(b.reader, n, "mode", incident.Auto, incident.Hold, incident.Approve)
		}},
		{"params", func(n ast.Node) { params = n; d.Params = b.values(n, "params") }},
		{"independent", func(n ast.Node) { b.boolean(n, "independent", &d.Independent) }},
	})
	switch {
	case action != nil:
		b.action(action, params, &d)
	case !hasKey(n, "action"):
		b.fail(n, "a step needs an action; known are %s", strings.Join(b.catalogue.Actions(), ", "))
	}
	return d
}

func (b *builder) action(n, params ast.Node, d *draft) {
	name, ok := b.text(n, "action")
	if !ok {
		return
	}
	if d.effect, d.risk, ok = b.catalogue.Effect(name); !ok {
		b.fail(n, "action %q is not known; %s", clip(name), didYouMean(name, b.catalogue.Actions()))
		return
	}
	d.Action = name
	if err := b.catalogue.CheckParams(name, d.Params); err != nil {
		b.fail(b.blamed(n, params, err), "%s: %v", name, err)
	}
}

// blamed is the parameter that the error speaks of, else what it is about.
func (b *builder) blamed(action, params ast.Node, err error) ast.Node {
	if params == nil {
		return action
	}
	for _, kv := range b.pairs(params, "params") {
		if key := keyOf(kv); key != "" && strings.Contains(err.Error(), key) {
			return kv.Key
		}
	}
	return params
}

// settleModes gives each step its mode. A step may be more careful than its
// level, never bolder; one hold holds all that would run by itself.
func (b *builder) settleModes(g *rung, drafts []draft, r *rule) {
	allowed := levelMode(r.level, g.risk)
	holds := false
	for i := range drafts {
		b.settleMode(&drafts[i], allowed, g.risk, r.level)
		holds = holds || drafts[i].effect == incident.Change && drafts[i].Mode == incident.Hold
	}
	for _, d := range drafts {
		if holds && d.effect == incident.Change && d.Mode == incident.Auto {
			d.Mode = incident.Hold
		}
		if d.effect == incident.Change {
			d.Window = windowOf(d.Mode, r.window)
		}
		g.steps, g.effects = append(g.steps, d.Step), append(g.effects, d.effect)
		g.chosen = append(g.chosen, d.modeNode != nil)
	}
}

func (b *builder) settleMode(d *draft, allowed incident.Mode, risk incident.Risk, level int) {
	switch {
	case d.Action == "":
	case d.effect != incident.Change && d.modeNode != nil:
		b.fail(d.modeNode, "%s changes nothing and needs no mode; leave it out", d.Action)
	case d.effect != incident.Change:
		d.Mode = incident.Auto
	case allowed == "":
		b.fail(d.node, "level 1 only tells, and %s is a change; level 2 asks before it", d.Action)
	case d.Mode == "":
		d.Mode = allowed
	case boldness(d.Mode) > boldness(allowed):
		b.fail(d.modeNode, "mode %s is bolder than level %d allows at risk %s; %s would be right", d.Mode, level, risk, allowed)
	}
}
