package incident

import (
	"cmp"
	"time"
)

// Repair is one rung that was begun: its first claim spends, and what it changed
// is judged by what was seen afterwards. Budgets, cooldown, breaker and the
// record of what helps are all read from it.
type Repair struct {
	ID         ID            `json:"id"`
	IncidentID ID            `json:"incident_id"`
	IntentID   ID            `json:"intent_id"` // whose claim began it
	Rung       int           `json:"rung"`
	Action     string        `json:"action"`
	Cause      string        `json:"cause"`
	Target     string        `json:"target"` // Target.Key of the top controller, host or service, without a family
	Cluster    string        `json:"cluster"`
	Namespace  string        `json:"namespace"`
	Service    string        `json:"service"`
	BeganAt    time.Time     `json:"began_at"`
	EndedAt    time.Time     `json:"ended_at,omitzero"`
	Outcome    RepairOutcome `json:"outcome"`
}

// RepairOutcome says how a repair ended.
type RepairOutcome string

// The outcomes of a repair. Empty: it is under way, or being watched.
const (
	RepairVerified     RepairOutcome = "verified"     // health was seen
	RepairIneffective  RepairOutcome = "ineffective"  // illness was seen
	RepairInconclusive RepairOutcome = "inconclusive" // nothing was seen that decides
	RepairFailed       RepairOutcome = "failed"       // it was not done
	RepairSkipped      RepairOutcome = "skipped"      // the executor left it: nobody's failure
)

// Bad says whether a breaker counts it.
func (o RepairOutcome) Bad() bool { return o == RepairIneffective || o == RepairFailed }

// Breaker stops repairs that keep failing, until a human resets it.
type Breaker struct {
	ID       ID        `json:"id"`
	Scope    string    `json:"scope"` // see TargetScope and ActionScope
	Reason   string    `json:"reason"`
	OpenedAt time.Time `json:"opened_at"`
	ResetAt  time.Time `json:"reset_at,omitzero"`
	ResetBy  string    `json:"reset_by,omitempty"`
	Note     string    `json:"note,omitempty"` // why it was reset
}

// Open says whether it stops anything.
func (b Breaker) Open() bool { return b.ResetAt.IsZero() }

// TargetScope is the breaker of everything that is done to one target.
func (r Repair) TargetScope() string { return "target " + r.Target }

// ActionScope is the breaker of one action in one cluster, or outside all of them.
func (r Repair) ActionScope() string {
	return "action " + r.Action + " in " + cmp.Or(r.Cluster, "no cluster")
}

// Scope is where a repair is judged together with others of its kind.
func (r Repair) Scope() string {
	if r.Cluster == "" {
		return "hosts"
	}
	return r.Cluster + "/" + cmp.Or(r.Namespace, "*")
}

// Promotion lets a remedy be done without a yes where policy asks for one. It is
// proposed by what was seen, decided by a human, and taken back by one failure.
type Promotion struct {
	ID        ID        `json:"id"`
	Cause     string    `json:"cause"`
	Action    string    `json:"action"`
	Scope     string    `json:"scope"` // cluster/namespace, or hosts
	State     string    `json:"state"` // proposed, promoted, rejected, demoted
	Helped    int       `json:"helped"`
	Failed    int       `json:"failed"`
	Reason    string    `json:"reason"`
	At        time.Time `json:"at"` // of this state
	DecidedBy string    `json:"decided_by,omitempty"`
}

// The states of a promotion.
const (
	Proposed          = "proposed"
	Promoted          = "promoted"
	PromotionRejected = "rejected"
	Demoted           = "demoted"
)

// Blast is what a change makes worse while it runs, in replicas.
type Blast struct {
	Unavailable int    `json:"unavailable"` // replicas that become additionally unavailable
	Replicas    int    `json:"replicas"`    // wanted
	Ready       int    `json:"ready"`       // now
	Known       bool   `json:"known"`       // false: counts as the worst case
	Words       string `json:"words,omitempty"`
}

// StormKind is the kind of target that a storm's own incident is about; its name
// is the storm's id.
const StormKind = "Storm"

// Storm is too many new incidents at once.
type Storm struct {
	ID       ID
	BeganAt  time.Time
	LastAt   time.Time // when there were last too many
	EndedAt  time.Time
	Opened   int // incidents opened since it began
	Collects int // asked for since, for this incident's hypothesis and cluster
}
