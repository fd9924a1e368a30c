package n8n

import (
	"fmt"
	"strings"
)

// personal says whether a request carries the token that a person gave in a form,
// in place of a credential of n8n's. Only the decision does.
func personal(n Node) bool {
	headers, _ := n.at("jsonHeaders").(string)
	return n.Name == "Decide" && n.is("httpRequest") && n.at("authentication") == "none" && len(n.Credentials) == 0 &&
		n.at("specifyHeaders") == "json" && strings.Contains(headers, "authorization: 'Bearer ' + $json.token")
}

// keepsNothing: where a person's token passes, n8n must not save executions, and
// must not hand what failed to another workflow.
func keepsNothing(w Workflow) []string {
	var problems []string
	for _, n := range w.Nodes {
		if !personal(n) {
			continue
		}
		s := w.Settings
		if s.SaveDataSuccessExecution != "none" || s.SaveDataErrorExecution != "none" || s.SaveManualExecutions == nil || *s.SaveManualExecutions ||
			s.SaveExecutionProgress == nil || *s.SaveExecutionProgress {
			problems = append(problems, n.Name+" carries a person's token: the settings must save no execution, neither good nor bad, by hand or in progress")
		}
		if s.ErrorWorkflow != "" {
			problems = append(problems, n.Name+" carries a person's token: there must be no error workflow that is told of it")
		}
	}
	return problems
}

// linksOnlyShow: mail scanners follow links. What a GET opens may only read.
func linksOnlyShow(w Workflow) []string {
	var problems []string
	for _, n := range w.Nodes {
		if method, _ := n.at("httpMethod").(string); !n.is("webhook") || method != "" && method != "GET" {
			continue
		}
		for _, name := range w.after(n.Name) {
			to, _ := w.node(name)
			method, _ := to.at("method").(string)
			if to.is("executeWorkflow") || to.is("httpRequest") && method != "" && method != "GET" {
				problems = append(problems, fmt.Sprintf("%s is opened by a link and leads to %s, which does more than read", n.Name, name))
			}
		}
	}
	return problems
}
