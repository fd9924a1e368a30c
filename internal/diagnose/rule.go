package diagnose

import "strings"

// Rule is one row of a family's table, in words: docs/causes.md is made of them.
type Rule struct {
	Name       string   // once in all tables: oom-status
	Cause      string   // what it names
	When       string   // the condition
	Quotes     string   // the evidence that is quoted
	Confidence float64  // the most that it can be sure of itself, 0 to 1
	RulesOut   []string // causes that the same signs could be taken for, and that are not the answer where this holds; pod.* is a family
	Explains   []string // causes that are symptoms of this one, where one is about a part of what the other is about
}

// How sure a rule can be.
const (
	certain = 0.97 // the status itself names the cause
	strong  = 0.9  // two independent signs agree
	likely  = 0.8  // one sign, and nothing against it
	fair    = 0.65 // inferred, or one of two readings
	slight  = 0.35 // the other reading
)

// thing is anything that can be ill: a container, a pod, a workload, a node, a
// file system, a certificate.
type thing interface{ place() place }

// row is a rule with the look that tells whether it holds. The look gives a
// finding's quotes and words; where it lies is the thing's to say.
type row[T thing] struct {
	Rule
	match func(T) (finding, bool)
}

// table is the rules about one sort of thing.
type table struct {
	family string // of most of its causes
	rules  []Rule
	find   func(*examination) []finding
	well   func(*examination) wellness // nil: these things are never a reason to call something healthy
}

// wellness is what the things of one table say of health.
type wellness struct {
	lines []string // one for each thing that is well
	ill   []string // one for each that is not, though no rule names why
}

// over makes a table. Things lists what the question is about; well says in a
// few words how a thing fares, and whether that is health. A thing that well has
// no words for counts for neither.
func over[T thing](family string, things func(*examination) []T, well func(T) (string, bool), rows []row[T]) table {
	t := table{family: family}
	for _, r := range rows {
		t.rules = append(t.rules, r.Rule)
	}
	t.find = func(x *examination) (found []finding) {
		for _, one := range things(x) {
			for i, r := range rows {
				if f, ok := r.match(one); ok {
					found = append(found, f.fill(&rows[i].Rule, one.place()))
				}
			}
		}
		return found
	}
	if well != nil {
		t.well = func(x *examination) (w wellness) {
			for _, one := range things(x) {
				switch line, ok := well(one); {
				case !ok:
					w.ill = append(w.ill, line)
				case line != "":
					w.lines = append(w.lines, line)
				}
			}
			return w
		}
	}
	return t
}

// matchesCause says whether a cause is the one a pattern names, or of the family
// that pod.* or pod.unschedulable.* names.
func matchesCause(pattern, cause string) bool {
	if prefix, wild := strings.CutSuffix(pattern, "*"); wild {
		return strings.HasPrefix(cause, prefix)
	}
	return pattern == cause
}

func matchesAny(patterns []string, cause string) bool {
	for _, p := range patterns {
		if matchesCause(p, cause) {
			return true
		}
	}
	return false
}
