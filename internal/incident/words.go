package incident

// Severity is the one scale of the product; senders' words are mapped to it.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Warning  Severity = "warning"
	Info     Severity = "info"
)

// Mark is how a severity begins a message: seen before it is read.
func (s Severity) Mark() string {
	switch s {
	case Critical, High:
		return "🚨"
	case Warning:
		return "⚠️"
	default:
		return "🔵"
	}
}

// Severities lists them, worst first.
func Severities() []Severity { return []Severity{Critical, High, Warning, Info} }

// Valid says whether s is one of the four words.
func (s Severity) Valid() bool { return s.rank() > 0 }

// Worse returns the worse of two severities.
func (s Severity) Worse(o Severity) Severity {
	if o.rank() > s.rank() {
		return o
	}
	return s
}

func (s Severity) rank() int {
	switch s {
	case Critical:
		return 4
	case High:
		return 3
	case Warning:
		return 2
	case Info:
		return 1
	}
	return 0
}

// Risk is what may go wrong with an action.
type Risk string

// The risks.
const (
	RiskLow    Risk = "low"
	RiskMedium Risk = "medium"
	RiskHigh   Risk = "high"
)

// Effect says what kind of thing an action does. Modes and guards stop Change only.
type Effect string

// The effects.
const (
	Observe Effect = "observe"
	Tell    Effect = "tell"
	Change  Effect = "change"
)

// Mode says how one intent may be executed.
type Mode string

// The modes of an intent.
const (
	Auto    Mode = "auto"
	Hold    Mode = "hold"
	Approve Mode = "approve"
	DryRun  Mode = "dry_run"
)

// Automation is the mode of the whole service: the kill switch.
type Automation string

// The automation modes.
const (
	Paused    Automation = "paused"
	DryRunAll Automation = "dry_run"
	Live      Automation = "live"
)

// Valid says whether a is one of the three words.
func (a Automation) Valid() bool { return a == Paused || a == DryRunAll || a == Live }

// Outcome is what became of one delivered item.
type Outcome string

// The outcomes of intake.
const (
	Accepted   Outcome = "accepted"
	Duplicate  Outcome = "duplicate"
	Suppressed Outcome = "suppressed"
	Rejected   Outcome = "rejected"
)
