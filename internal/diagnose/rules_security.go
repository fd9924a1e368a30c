package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"salve/internal/evidence"
)

var securityRules = []row[auditFinding]{
	securityRule("audit-secret", "security.exposed_secret", "the audit found a secret where everybody can read it"),
	securityRule("audit-privileged", "security.privileged_container", "the audit found a container that runs privileged or as the host"),
	securityRule("audit-access", "security.broad_access", "the audit found rights that reach too far"),
	securityRule("audit-vulnerable", "security.vulnerable_image", "the audit found a known vulnerability in an image"),
}

// securityWords are how audits name what they found, for each cause.
var securityWords = map[string][]string{
	"security.exposed_secret":       {"exposedsecret", "secret", "secretinconfig", "secretinenv", "hardcodedsecret", "leakedsecret", "secretexposed", "credential", "plaintextsecret"},
	"security.privileged_container": {"privilegedcontainer", "privileged", "hostnetwork", "hostpid", "hostpath", "rootcontainer", "runasroot", "capabilities", "allowprivilegeescalation"},
	"security.broad_access":         {"broadaccess", "rbac", "wildcardrole", "clusteradmin", "overpermissive", "publicaccess", "openport", "networkpolicymissing", "anonymousaccess", "broadrole"},
	"security.vulnerable_image":     {"vulnerableimage", "vulnerability", "cve", "knownvulnerability", "outdatedimage", "imagevulnerability"},
}

func securityRule(name, cause, when string) row[auditFinding] {
	return row[auditFinding]{Rule{Name: name, Cause: cause, Confidence: strong, When: when, Quotes: "the finding: object, severity and message"},
		func(a auditFinding) (finding, bool) { return a.is(cause) }}
}

// auditFinding is one line of a security audit.
type auditFinding struct {
	x *examination
	evidence.Finding
}

func (x *examination) auditFindings() []auditFinding {
	var out []auditFinding
	for _, f := range x.ev.Findings {
		out = append(out, auditFinding{x, f})
	}
	return out
}

// place: what is worse is more acute; nothing here is down.
func (a auditFinding) place() place {
	acute := 0
	if s := word(a.Severity); s == "critical" || s == "high" {
		acute = 1
	}
	return a.x.factPlace("Audit", "", a.Kind+"/"+a.Object, acute)
}

func (a auditFinding) is(cause string) (finding, bool) {
	kind := strings.TrimPrefix(word(strings.TrimPrefix(a.Kind, "security.")), "security.")
	if !slices.Contains(securityWords[cause], kind) && !(strings.HasPrefix(kind, "cve") && cause == "security.vulnerable_image") {
		return finding{}, false
	}
	return finding{
		symptom: "the security audit has a finding of severity " + orElse(a.Severity, "?"),
		because: strings.TrimSpace(orElse(a.Message, a.Kind) + " (" + orElse(a.Object, "?") + ")"),
		quotes:  []string{fmt.Sprintf("finding %s: object=%s severity=%s: %s", a.Kind, a.Object, a.Severity, a.Message)},
	}, true
}

// auditWell: a finding that no rule knows is no health.
func auditWell(a auditFinding) (string, bool) {
	return "finding " + a.Kind + " on " + a.Object, false
}
