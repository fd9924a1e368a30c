package incident

import (
	"fmt"
	"slices"
)

// IntentState is where an intent stands. See Transitions.
type IntentState string

// The states of an intent.
const (
	Waiting          IntentState = "waiting"           // what it is after has not ended yet
	AwaitingApproval IntentState = "awaiting_approval" // a human must say yes
	Rechecking       IntentState = "rechecking"        // evidence is looked at again before it may run
	Holding          IntentState = "holding"           // its abort window is open
	Blocked          IntentState = "blocked"           // a guard refuses
	Ready            IntentState = "ready"             // may be claimed
	Running          IntentState = "running"           // leased
	Succeeded        IntentState = "succeeded"
	Failed           IntentState = "failed"
	Lost             IntentState = "lost" // the lease ended without a result
	Aborted          IntentState = "aborted"
	RejectedState    IntentState = "rejected"
	Expired          IntentState = "expired"
	Superseded       IntentState = "superseded"
	Shown            IntentState = "shown" // dry run: what would have been done
)

// Transition is one named way from a state to another.
type Transition struct {
	Name string
	From []IntentState
	To   IntentState
}

var unclaimed = []IntentState{Waiting, AwaitingApproval, Rechecking, Holding, Blocked, Ready}

// The transitions. They are the only ways an intent changes: the store applies
// each as compare-and-swap, and docs/state-machine.md is checked against them.
var (
	Release    = Transition{"release", []IntentState{Waiting, Blocked, Rechecking}, Ready}
	OpenWindow = Transition{"open_window", []IntentState{Waiting}, Holding}
	CloseHold  = Transition{"window_over", []IntentState{Holding}, Ready}
	Ask        = Transition{"ask", []IntentState{Waiting, Holding, Rechecking}, AwaitingApproval}
	ApproveIt  = Transition{"approve", []IntentState{AwaitingApproval, Blocked}, Ready}
	Recheck    = Transition{"recheck", []IntentState{AwaitingApproval, Blocked}, Rechecking}
	Block      = Transition{"block", []IntentState{Waiting, Holding, Ready}, Blocked}
	Claim      = Transition{"claim", []IntentState{Ready, Holding, Blocked}, Running}
	Succeed    = Transition{"succeed", []IntentState{Running}, Succeeded}
	Fail       = Transition{"fail", []IntentState{Running}, Failed}
	Lose       = Transition{"lose", []IntentState{Running}, Lost}
	Abort      = Transition{"abort", unclaimed, Aborted}
	Reject     = Transition{"reject", []IntentState{AwaitingApproval, Rechecking}, RejectedState}
	Expire     = Transition{"expire", unclaimed, Expired}
	Supersede  = Transition{"supersede", unclaimed, Superseded}
)

// Transitions lists every transition once.
func Transitions() []Transition {
	return []Transition{
		Release, OpenWindow, CloseHold, Ask, ApproveIt, Recheck, Block, Claim,
		Succeed, Fail, Lose, Abort, Reject, Expire, Supersede,
	}
}

// IntentStates lists every state once.
func IntentStates() []IntentState {
	return []IntentState{
		Waiting, AwaitingApproval, Rechecking, Holding, Blocked, Ready, Running,
		Succeeded, Failed, Lost, Aborted, RejectedState, Expired, Superseded, Shown,
	}
}

// Allows says whether the transition may start from the given state.
func (t Transition) Allows(from IntentState) bool {
	for _, s := range t.From {
		if s == from {
			return true
		}
	}
	return false
}

// Apply moves the intent, or says why it cannot be moved.
func (t Transition) Apply(in *Intent) error {
	if !t.Allows(in.State) {
		return fmt.Errorf("intent %s is %s: %s is not possible from there", in.ID, in.State, t.Name)
	}
	in.State = t.To
	return nil
}

// terminal are the states that no transition leaves, worked out from the table once.
var terminal = func() map[IntentState]bool {
	ends := map[IntentState]bool{}
	for _, s := range IntentStates() {
		ends[s] = !slices.ContainsFunc(Transitions(), func(t Transition) bool { return t.Allows(s) })
	}
	return ends
}()

// Terminal says whether no transition leaves the state.
func (s IntentState) Terminal() bool { return terminal[s] }

// Unclaimed says whether the state is before any claim and not an end.
func (s IntentState) Unclaimed() bool { return !s.Terminal() && s != Running }
