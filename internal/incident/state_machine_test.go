package incident_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
)

// The matrix says it once more, by state, so that a change of the table is a
// change of mind in two places.
func TestIntentMoves(t *testing.T) {
	want := map[incident.IntentState]string{
		incident.Waiting:          "release:ready open_window:holding ask:awaiting_approval block:blocked abort:aborted expire:expired supersede:superseded",
		incident.AwaitingApproval: "approve:ready recheck:rechecking abort:aborted reject:rejected expire:expired supersede:superseded",
		incident.Rechecking:       "release:ready ask:awaiting_approval abort:aborted reject:rejected expire:expired supersede:superseded",
		incident.Holding:          "window_over:ready ask:awaiting_approval block:blocked claim:running abort:aborted expire:expired supersede:superseded",
		incident.Blocked:          "release:ready approve:ready recheck:rechecking claim:running abort:aborted expire:expired supersede:superseded",
		incident.Ready:            "block:blocked claim:running abort:aborted expire:expired supersede:superseded",
		incident.Running:          "succeed:succeeded fail:failed lose:lost",
		incident.Succeeded:        "",
		incident.Failed:           "",
		incident.Lost:             "",
		incident.Aborted:          "",
		incident.RejectedState:    "",
		incident.Expired:          "",
		incident.Superseded:       "",
		incident.Shown:            "",
	}
	got := map[incident.IntentState]string{}
	for _, from := range incident.IntentStates() {
		var moves []string
		for _, tr := range incident.Transitions() {
			in := incident.Intent{State: from}
			if err := tr.Apply(&in); err == nil {
				moves = append(moves, tr.Name+":"+string(in.State))
			} else if in.State != from {
				t.Errorf("%s refused from %s, and yet the state is %s", tr.Name, from, in.State)
			}
		}
		got[from] = strings.Join(moves, " ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
}

func TestRefusedMoveSaysWhy(t *testing.T) {
	in := incident.Intent{State: incident.Succeeded}
	const want = "intent 00000000-0000-0000-0000-000000000000 is succeeded: claim is not possible from there"
	if err := incident.Claim.Apply(&in); err == nil || err.Error() != want {
		t.Errorf("refused with %v, want %q", err, want)
	}
}

// No path leaves a terminal state, and from every other state an end can be reached.
func TestTerminalStates(t *testing.T) {
	want := []incident.IntentState{
		incident.Succeeded, incident.Failed, incident.Lost, incident.Aborted,
		incident.RejectedState, incident.Expired, incident.Superseded, incident.Shown,
	}
	var got []incident.IntentState
	for _, s := range incident.IntentStates() {
		switch {
		case s.Terminal():
			got = append(got, s)
			if reached := reachable(s); len(reached) != 1 {
				t.Errorf("%s is terminal, and yet leads to %v", s, reached)
			}
			if s.Unclaimed() {
				t.Errorf("%s is an end and cannot be unclaimed", s)
			}
		case !slices.ContainsFunc(reachable(s), incident.IntentState.Terminal):
			t.Errorf("%s never ends", s)
		case s.Unclaimed() == (s == incident.Running):
			t.Errorf("%s: Unclaimed is %t", s, s.Unclaimed())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("terminal states (-want +got):\n%s", diff)
	}
}

func reachable(from incident.IntentState) []incident.IntentState {
	reached := []incident.IntentState{from}
	for i := 0; i < len(reached); i++ {
		for _, tr := range incident.Transitions() {
			if tr.Allows(reached[i]) && !slices.Contains(reached, tr.To) {
				reached = append(reached, tr.To)
			}
		}
	}
	return reached
}

// Whatever was claimed ends with a result or is lost: nobody aborts, expires or
// supersedes what is running.
func TestRunningEndsByResultOnly(t *testing.T) {
	want := []incident.IntentState{incident.Running, incident.Succeeded, incident.Failed, incident.Lost}
	if diff := cmp.Diff(want, reachable(incident.Running)); diff != "" {
		t.Errorf("reachable from running (-want +got):\n%s", diff)
	}
}

func TestTablesNameEachThingOnce(t *testing.T) {
	var names []string
	for _, tr := range incident.Transitions() {
		names = append(names, tr.Name)
		for _, s := range append(slices.Clone(tr.From), tr.To) {
			if !slices.Contains(incident.IntentStates(), s) {
				t.Errorf("%s names the unknown state %s", tr.Name, s)
			}
		}
	}
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("a transition is listed twice: %v", names)
	}
}

func TestIncidentMoves(t *testing.T) {
	for _, from := range incident.States() {
		for _, to := range incident.States() {
			in := incident.Incident{State: from}
			err := in.MoveTo(to)
			allowed := from == to || slices.Contains(incident.StateMoves(from), to)
			if (err == nil) != allowed {
				t.Errorf("%s to %s: %v, want allowed %t", from, to, err, allowed)
			}
			if want := map[bool]incident.State{true: to, false: from}[allowed]; in.State != want {
				t.Errorf("%s to %s left the incident %s", from, to, in.State)
			}
		}
	}
}

func TestRefusedIncidentMoveSaysWhy(t *testing.T) {
	in := incident.Incident{State: incident.StateResolved}
	const want = "incident 00000000-0000-0000-0000-000000000000 is resolved: it cannot become verifying"
	if err := in.MoveTo(incident.StateVerifying); err == nil || err.Error() != want {
		t.Errorf("refused with %v, want %q", err, want)
	}
	if in.MoveTo("asleep") == nil {
		t.Error("an unknown state was taken")
	}
}

func TestOnlyResolvedGivesUpItsKey(t *testing.T) {
	for _, s := range incident.States() {
		if got := (incident.Incident{State: s}).Open(); got != (s != incident.StateResolved) {
			t.Errorf("%s: open is %t", s, got)
		}
	}
}

// The document's diagrams and the tables say the same.
func TestDiagrams(t *testing.T) {
	text, err := os.ReadFile("../../docs/state-machine.md")
	if err != nil {
		t.Fatal(err)
	}
	diagrams := regexp.MustCompile("(?s)```mermaid\nstateDiagram-v2\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(diagrams) != 2 {
		t.Fatalf("docs/state-machine.md holds %d state diagrams, want one for intents and one for incidents", len(diagrams))
	}
	if diff := cmp.Diff(intentArrows(), arrows(t, diagrams[0][1])); diff != "" {
		t.Errorf("intents: the table (-) and the diagram (+) differ:\n%s", diff)
	}
	if diff := cmp.Diff(incidentArrows(), arrows(t, diagrams[1][1])); diff != "" {
		t.Errorf("incidents: the table (-) and the diagram (+) differ:\n%s", diff)
	}
}

func arrows(t *testing.T, diagram string) []string {
	arrow := regexp.MustCompile(`^    (\w+|\[\*\]) --> (\w+|\[\*\])( : \w+)?$`)
	var found []string
	for line := range strings.Lines(diagram) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "":
		case arrow.MatchString(line):
			found = append(found, strings.TrimSpace(line))
		default:
			t.Errorf("the diagram has a line that is no arrow: %q", line)
		}
	}
	slices.Sort(found)
	return found
}

// intentArrows draws the table. A state no transition leads to must be a start.
func intentArrows() []string {
	var drawn []string
	entered := map[incident.IntentState]bool{}
	for _, tr := range incident.Transitions() {
		entered[tr.To] = true
		for _, from := range tr.From {
			drawn = append(drawn, string(from)+" --> "+string(tr.To)+" : "+tr.Name)
		}
	}
	for _, s := range incident.IntentStates() {
		if s.Terminal() {
			drawn = append(drawn, string(s)+" --> [*]")
		}
		if !entered[s] {
			drawn = append(drawn, "[*] --> "+string(s))
		}
	}
	slices.Sort(drawn)
	return drawn
}

func incidentArrows() []string {
	drawn := []string{"[*] --> " + string(incident.StateOpen)}
	for _, from := range incident.States() {
		for _, to := range incident.StateMoves(from) {
			drawn = append(drawn, string(from)+" --> "+string(to))
		}
	}
	slices.Sort(drawn)
	return drawn
}
