package diagnose

import (
	"fmt"
	"strings"

	"salve/internal/evidence"
)

// auditFinding is one line of a security audit, or its word that there is none.
type auditFinding struct {
	x *examination
	evidence.Finding
	clean bool // the audit found nothing
}

func (x *examination) auditFindings() []auditFinding {
	var out []auditFinding
	for _, f := range x.ev.Findings {
		if !auditPassed[word(f.Status)] {
			out = append(out, auditFinding{x, f, false})
		}
	}
	if x.ev.Findings != nil && len(out) == 0 {
		out = append(out, auditFinding{x: x, clean: true})
	}
	return out
}

// severities by weight; what is not said weighs like medium.
var severities = map[string]float64{"critical": 4, "high": 3, "error": 3, "medium": 2, "moderate": 2, "warning": 2, "": 2, "low": 1, "info": 0, "informational": 0, "negligible": 0, "note": 0}

// place: what is worse is more acute; nothing here is down.
func (a auditFinding) place() place {
	acute := 0
	if severities[word(a.Severity)] >= severities["high"] {
		acute = 1
	}
	return a.x.factPlace("Audit", "", a.Kind+"/"+a.Object, acute)
}

// signed finds the cause that a text stands for.
func signed(text string) string {
	text = strings.ReplaceAll(word(clip(text, 2_000)), ":", "")
	for _, s := range auditSigns {
		for _, w := range s.words {
			if strings.Contains(text, w) {
				return s.cause
			}
		}
	}
	return ""
}

func (a auditFinding) is(cause string) (finding, bool) {
	byKind := signed(strings.TrimPrefix(a.Kind, "security."))
	if byKind == "" && signed(a.Message) != cause || byKind != "" && byKind != cause || a.clean {
		return finding{}, false
	}
	f := finding{
		symptom: "the security audit has a finding of severity " + orElse(a.Severity, "unknown"),
		because: orElse(a.Message, a.Kind),
		quotes:  []string{fmt.Sprintf("finding %s: object=%s severity=%s: %s", orElse(a.Kind, "?"), orElse(a.Object, "?"), orElse(a.Severity, "?"), a.Message)},
		grave:   severities[word(a.Severity)],
	}
	if a.Object != "" {
		f.symptom += " on " + a.Object
	}
	if byKind == "" {
		f.confidence = fair
		f.missing = []string{"what kind of finding " + orElse(a.Kind, "this") + " is: its kind is not one that is known"}
	}
	return f, true
}

// auditWell: a finding that no rule knows is no health.
func auditWell(a auditFinding) (string, bool) {
	if a.clean {
		return "the security audit found nothing", true
	}
	return "finding " + orElse(a.Kind, "of no kind") + " on " + orElse(a.Object, "?") + ": " + a.Message, false
}
