package n8n

import "strings"

// unaccompanied says whether a request rightly goes without a credential of n8n's:
// one that carries the token signed for this one request, one to the address that
// Slack gave for this one answer, or the look at an address of the checklist.
func unaccompanied(n Node) bool {
	if !n.is("httpRequest") || n.at("authentication") != "none" || len(n.Credentials) > 0 {
		return false
	}
	return n.Name == "Relay" && strings.Contains(n.source(), "'Bearer ' + $json.token") || n.Name == "Answer Slack" && n.at("sendHeaders") == nil ||
		n.Name == "Look" && n.at("method") == "GET" && n.at("sendHeaders") == nil && n.at("sendBody") == nil
}
