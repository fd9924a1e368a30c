package policy

import (
	"regexp"
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"

	"salve/internal/incident"
)

// Settings is what a policy says beside its rules. What a file leaves out keeps
// its default; Default writes every default out.
type Settings struct {
	Timezone           string
	DefaultCluster     string
	TrustedEvidence    []string // token subjects whose evidence counts without a lease
	Slack              SlackPeople
	ManualBaseline     time.Duration // how long a repair takes by hand, for what was saved
	Evidence           EvidenceSettings
	Approval           ApprovalSettings
	Groups             map[string][]string // people that approvers name as group:NAME
	Hold               HoldSettings
	IntentExpiresAfter time.Duration // ready, and nobody claimed it
	Verification       VerificationSettings
	Recurrence         time.Duration // a resolved incident reopens within it
	LeaseGrace         time.Duration // a lease lasts execute's time-out and this
	Channels           Channels
	Inventory          Inventory
	QuietHours         QuietHours
	Maintenance        []Hours
	Onboarding         Onboarding

	Budgets     Budgets
	Cooldown    time.Duration // a target is left alone so long after a repair
	Breaker     BreakerSettings
	BlastRadius BlastRadius
	Storm       StormSettings
	Monitoring  Monitoring
	Scaling     Scaling
	Autonomy    Autonomy
}

// EvidenceSettings bound the loop of asking for evidence.
type EvidenceSettings struct {
	Rounds      int
	MaxDuration time.Duration
	MaxBytes    int64
	FreshFor    time.Duration
}

// HoldSettings are about the abort window.
type HoldSettings struct {
	Window           time.Duration
	TransitGrace     time.Duration // for clicks that are under way when it closes
	DeliveryDeadline time.Duration // the announcement must be delivered by then
}

// VerificationSettings say how long a repair is watched.
type VerificationSettings struct {
	Window     time.Duration
	LookEvery  time.Duration
	HealthyFor time.Duration
}

// Channels are where people are told.
type Channels struct {
	Critical, High, Warning, Info string
	Repaired                      string

	SMS string // the list that n8n texts when something critical needs a human; none: nobody
}

// NoSMS is the list that means nobody.
const NoSMS = "none"

// For is the channel for news of one severity.
func (c Channels) For(s incident.Severity) string {
	switch s {
	case incident.Critical:
		return c.Critical
	case incident.High:
		return c.High
	case incident.Info:
		return c.Info
	}
	return c.Warning
}

// Next is the channel to try when one cannot be written to: the next other one.
func (c Channels) Next(channel string) string {
	all := [...]string{c.Critical, c.High, c.Warning, c.Info, c.Repaired}
	at := slices.Index(all[:], channel)
	for i := range all {
		if next := all[(at+1+i)%len(all)]; next != channel {
			return next
		}
	}
	return channel
}

func defaultSettings() Settings {
	s := Settings{
		Timezone:           "UTC",
		DefaultCluster:     "default",
		TrustedEvidence:    []string{"n8n"},
		Evidence:           EvidenceSettings{Rounds: 3, MaxDuration: 10 * time.Minute, MaxBytes: 5 << 20, FreshFor: 5 * time.Minute},
		Approval:           ApprovalSettings{ExpiresAfter: 30 * time.Minute, FreshFor: 5 * time.Minute, Quorum: 1},
		Groups:             map[string][]string{},
		Onboarding:         Onboarding{Services: map[string]time.Time{}},
		Hold:               HoldSettings{Window: 30 * time.Second, TransitGrace: 5 * time.Second, DeliveryDeadline: time.Minute},
		IntentExpiresAfter: 30 * time.Minute,
		Verification:       VerificationSettings{Window: 10 * time.Minute, LookEvery: 30 * time.Second, HealthyFor: 2 * time.Minute},
		Recurrence:         day,
		LeaseGrace:         time.Minute,
		ManualBaseline:     23 * time.Minute, // SPEC section 9
		Channels: Channels{
			Critical: "#incidents", High: "#incidents", Warning: "#alerts", Info: "#monitoring", Repaired: "#devops", SMS: "on-call",
		},
		Inventory: Inventory{Clusters: []string{"*"}, Namespaces: []string{"*", "!kube-*"}},
	}
	s.guardDefaults()
	s.autonomyDefaults()
	return s
}

var (
	wordShape    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._:@/-]{0,126}[A-Za-z0-9])?$`)
	channelShape = regexp.MustCompile(`^#[a-z0-9._-]{1,80}$`)
	smsList      = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// all is the table of the file's top level but for its rules.
func (s *Settings) all(r *reader, actions []string) []field {
	return slices.Concat(s.fields(r), s.hourFields(r), s.guardFields(r, actions))
}

// fields are those that are neither hours nor guards.
func (s *Settings) fields(r *reader) []field {
	return []field{
		{"timezone", func(n ast.Node) { r.timezone(n, &s.Timezone) }},
		{"default_cluster", func(n ast.Node) { r.word(n, "default_cluster", &s.DefaultCluster) }},
		{"trusted_evidence", func(n ast.Node) { r.words(n, "trusted_evidence", &s.TrustedEvidence) }},
		{"evidence", func(n ast.Node) { r.mapping(n, "evidence", s.Evidence.fields(r)) }},
		{"approval", func(n ast.Node) { r.mapping(n, "approval", s.Approval.fields(r)) }},
		{"groups", func(n ast.Node) { r.groups(n, &s.Groups) }},
		{"hold", func(n ast.Node) { r.mapping(n, "hold", s.Hold.fields(r)) }},
		{"intents", func(n ast.Node) {
			r.mapping(n, "intents", []field{r.durationField("expire_after", time.Minute, 7*day, &s.IntentExpiresAfter)})
		}},
		{"verification", func(n ast.Node) { r.mapping(n, "verification", s.Verification.fields(r)) }},
		r.durationField("recurrence", time.Minute, 90*day, &s.Recurrence),
		{"lease", func(n ast.Node) {
			r.mapping(n, "lease", []field{r.durationField("grace", 5*time.Second, time.Hour, &s.LeaseGrace)})
		}},
		{"channels", func(n ast.Node) { r.mapping(n, "channels", s.Channels.fields(r)) }},
		{"inventory", func(n ast.Node) { r.mapping(n, "inventory", s.Inventory.fields(r)) }},
		{"reports", func(n ast.Node) {
			r.mapping(n, "reports", []field{r.durationField("manual_baseline", time.Minute, day, &s.ManualBaseline)})
		}},
		{"slack", func(n ast.Node) { r.mapping(n, "slack", s.Slack.fields(r)) }},
	}
}

func (e *EvidenceSettings) fields(r *reader) []field {
	return []field{
		{"rounds", func(n ast.Node) { r.integer(n, "rounds", 1, 20, &e.Rounds) }},
		r.durationField("max_duration", 10*time.Second, day, &e.MaxDuration),
		{"max_bytes", func(n ast.Node) { r.bytes(n, "max_bytes", 1<<10, 64<<20, &e.MaxBytes) }},
		r.durationField("fresh_for", 10*time.Second, time.Hour, &e.FreshFor),
	}
}

func (h *HoldSettings) fields(r *reader) []field {
	return []field{
		r.durationField("window", minWindow, day, &h.Window),
		r.durationField("transit_grace", time.Second, 10*time.Minute, &h.TransitGrace),
		r.durationField("delivery_deadline", 5*time.Second, time.Hour, &h.DeliveryDeadline),
	}
}

func (v *VerificationSettings) fields(r *reader) []field {
	return []field{
		r.durationField("window", 30*time.Second, day, &v.Window),
		r.durationField("look_every", 5*time.Second, time.Hour, &v.LookEvery),
		r.durationField("healthy_for", 0, day, &v.HealthyFor),
	}
}

func (c *Channels) fields(r *reader) []field {
	channel := func(name string, into *string) field {
		return field{name, func(n ast.Node) {
			if s, ok := r.matching(n, name, channelShape, "a channel in quotes like \"#incidents\""); ok {
				*into = s
			}
		}}
	}
	return []field{
		channel("critical", &c.Critical), channel("high", &c.High), channel("warning", &c.Warning),
		channel("info", &c.Info), channel("repaired", &c.Repaired),
		{"sms", func(n ast.Node) {
			if s, ok := r.matching(n, "sms", smsList, "the name of a list that n8n keeps, such as on-call, or none"); ok {
				c.SMS = s
			}
		}},
	}
}

func (r *reader) durationField(name string, least, most time.Duration, into *time.Duration) field {
	return field{name, func(n ast.Node) { r.duration(n, name, least, most, into) }}
}

func (r *reader) word(n ast.Node, what string, into *string) {
	if s, ok := r.matching(n, what, wordShape, "letters, digits, dots and dashes"); ok {
		*into = s
	}
}

func (r *reader) words(n ast.Node, what string, into *[]string) {
	*into = nil
	r.texts(n, what, func(item ast.Node, s string) {
		switch {
		case !wordShape.MatchString(s):
			r.fail(item, "%s: %q cannot be; letters, digits, dots and dashes would be right", what, clip(s))
		case slices.Contains(*into, s):
			r.fail(item, "%s: %q is there twice", what, clip(s))
		default:
			*into = append(*into, s)
		}
	})
}

// timezone takes IANA names only: Local would mean something else on each replica.
func (r *reader) timezone(n ast.Node, into *string) {
	s, ok := r.text(n, "timezone")
	if !ok {
		return
	}
	if _, err := time.LoadLocation(s); err != nil || s == "" || s == "Local" {
		r.fail(n, "timezone %q is not known; a name like UTC or Europe/Amsterdam would be right", clip(s))
		return
	}
	*into = s
}
