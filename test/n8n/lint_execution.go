package n8n

import (
	"fmt"
	"slices"
	"strings"

	"salve/internal/checklist"
	"salve/internal/remedy"
)

// mayRetry are the only requests that may be sent again by n8n: intake, the
// question what is ready, the report of a result, and the report of a crash. A
// claim or an execution never. An answer to Slack may come twice, and reads may.
func mayRetry() []string {
	return []string{"Ask Salve", "Poll", "Result", "Report", "Answer Slack", "Closed", "Fetch"}
}

func requests(w Workflow) []string {
	var problems []string
	for _, n := range w.Nodes {
		if !n.is("httpRequest") {
			continue
		}
		if n.at("options", "timeout") == nil {
			problems = append(problems, n.Name+" has no timeout: n8n would wait five minutes")
		}
		if n.at("options", "redirect", "redirect", "followRedirects") != false {
			problems = append(problems, n.Name+" follows redirects: its token would go wherever it is sent")
		}
		answer := []string{"options", "response", "response"}
		if n.at(append(answer, "neverError")...) == true && n.at(append(answer, "fullResponse")...) != true {
			problems = append(problems, n.Name+" never errs and hides the status")
		}
		if n.at("contentType") == "raw" && n.at(append(answer, "responseFormat")...) != "autodetect" {
			problems = append(problems, n.Name+": with a raw body only autodetect reads the answer")
		}
		if len(n.Credentials) != 1 && !unaccompanied(n) && !personal(n) {
			problems = append(problems, n.Name+" needs exactly one credential")
		}
	}
	return problems
}

func retries(w Workflow) []string {
	var problems []string
	for _, n := range w.Nodes {
		if n.RetryOnFail && !slices.Contains(mayRetry(), n.Name) {
			problems = append(problems, n.Name+" may not be retried by n8n")
		}
		if !n.RetryOnFail && slices.Contains(mayRetry(), n.Name) {
			problems = append(problems, n.Name+" must be retried")
		}
	}
	return problems
}

// leaks: the error of a failed request carries its bearer token. It may go only
// to a node that takes the message out of it, never to one that sends.
func leaks(w Workflow) []string {
	var problems []string
	for _, n := range w.Nodes {
		if !n.is("httpRequest") || n.OnError == "" {
			continue
		}
		outs := w.outputs(n.Name)
		if n.OnError == "continueErrorOutput" && len(outs) > 1 {
			outs = outs[1:]
		} else if n.OnError == "continueErrorOutput" {
			outs = nil
		}
		for _, name := range slices.Concat(outs...) {
			to, _ := w.node(name)
			if !to.is("set") && !to.is("code") {
				problems = append(problems, fmt.Sprintf("the error of %s goes to %s, which may send it on with its token", n.Name, name))
			}
			for _, whole := range []string{"JSON.stringify($json)", "...$json", "JSON.stringify($json.error", "error: $json.error", "JSON.stringify(error"} {
				if strings.Contains(to.source(), whole) {
					problems = append(problems, fmt.Sprintf("%s passes on the whole error of %s: %s", name, n.Name, whole))
				}
			}
		}
	}
	return problems
}

// ends are where a claim's execution may end. Where it throws there, the error
// workflow tells Salve that nobody works on it any more.
var ends = []string{"Result", "Failed", "Known?", "Not known", "Not claimed"}

// afterClaim: whoever holds a lease reports a result, whatever happens.
func afterClaim(w Workflow) []string {
	claim, there := w.node("Claim")
	if !there {
		return nil
	}
	var problems []string
	if outs := w.outputs("Claim"); claim.OnError != "continueErrorOutput" || len(outs) != 2 || !slices.Equal(outs[1], []string{"Not claimed"}) {
		problems = append(problems, "what a refused Claim says must lead to Not claimed: continueErrorOutput")
	}
	for _, name := range w.after("Claim", "Result") {
		n, _ := w.node(name)
		if slices.Contains(ends, name) {
			continue
		}
		if outs := w.outputs(name); len(outs) == 0 {
			problems = append(problems, name+" ends without a result")
		}
		problems = append(problems, errorsReported(w, n)...)
	}
	return problems
}

func errorsReported(w Workflow, n Node) []string {
	if n.OnError != "continueErrorOutput" {
		return []string{n.Name + ": an error here would be no result"}
	}
	if outs := w.outputs(n.Name); len(outs) < 2 || !slices.Equal(outs[len(outs)-1], []string{"Failed"}) {
		return []string{n.Name + ": its error output must lead to Failed"}
	}
	return nil
}

// successes: an error that goes on where answers go looks like one of them. Only
// code that checks every answer's status may take it, and of no SSH node: there
// the item that went in comes out.
func successes(w Workflow) []string {
	var problems []string
	for _, n := range w.Nodes {
		if n.OnError != "continueRegularOutput" {
			continue
		}
		to, _ := w.node(strings.Join(slices.Concat(w.outputs(n.Name)...), ","))
		if !n.is("httpRequest") && !n.is("executeWorkflow") || !to.is("code") || !strings.Contains(to.source(), "statusCode") {
			problems = append(problems, n.Name+": an error that looks like success may only go to code that checks statusCode")
		}
	}
	return problems
}

// branches: one for each shape that a claim or a due check hands out and each place
// where a read looks, one for what is none of them, and one for errors.
func branches(w Workflow) []string {
	var problems []string
	for name, kinds := range map[string][]string{"Shape": remedy.Shapes(), "Where": remedy.Places(), "How": checklist.Shapes()} {
		if n, there := w.node(name); there {
			problems = append(problems, branchesOf(w, n, kinds)...)
		}
	}
	return problems
}

func branchesOf(w Workflow, n Node, kinds []string) []string {
	var problems []string
	values, _ := n.at("rules", "values").([]any)
	for _, kind := range kinds {
		if !slices.ContainsFunc(values, func(rule any) bool { return compares(rule, kind) }) {
			problems = append(problems, n.Name+" has no branch for "+kind)
		}
	}
	outs, want := w.outputs(n.Name), len(values)+1
	if n.OnError == "continueErrorOutput" {
		want++
	}
	if n.at("options", "fallbackOutput") != "extra" || len(outs) != want {
		return append(problems, n.Name+" needs a wired output for each rule, one for what it does not know, and one for its errors")
	}
	for i, to := range outs {
		if len(to) == 0 {
			problems = append(problems, fmt.Sprintf("output %d of %s leads nowhere", i, n.Name))
		}
	}
	return problems
}

// compares says whether a rule of a Switch looks for exactly this shape.
func compares(rule any, shape string) bool {
	r := Node{Parameters: map[string]any{"rule": rule}}
	conditions, _ := r.at("rule", "conditions", "conditions").([]any)
	if len(conditions) != 1 {
		return false
	}
	c := Node{Parameters: map[string]any{"condition": conditions[0]}}
	return c.at("condition", "rightValue") == shape && c.at("condition", "operator", "operation") == "equals"
}
