package redact

import (
	"math/rand/v2"
	"regexp/syntax"
	"strings"
	"testing"
)

// Whatever a rule of gitleaks would call a secret must not pass: neither our
// prefilter nor the window around a keyword may hide a match from it. The texts
// are made from the rules' own expressions.
func TestEveryRuleOfGitleaksCounts(t *testing.T) {
	all, err := rules()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 200 {
		t.Fatalf("only %d rules were read", len(all))
	}
	tried := 0
	for _, r := range all {
		tried += r.try(t, rand.New(rand.NewPCG(1, uint64(len(r.id)))))
	}
	if tried < 30*len(all) {
		t.Errorf("only %d matches were made for %d rules", tried, len(all))
	}
}

func (r *rule) try(t *testing.T, rnd *rand.Rand) (tried int) {
	t.Helper()
	c := r.compile()
	re, err := syntax.Parse(c.Regex.String(), syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	for range 400 {
		var b strings.Builder
		generate(&b, re.Simplify(), rnd)
		given := "at " + b.String() + "\nok"
		m := c.Regex.FindStringSubmatchIndex(given)
		if m == nil {
			continue
		}
		from, to := secretOf(m, c.SecretGroup)
		secret := given[from:to]
		if !r.accepts(c, secret, given[m[0]:m[1]]) || len(given) > windowAfter || !r.hasKeyword(given) {
			continue
		}
		if tried++; strings.Contains(Text(given), secret) {
			t.Errorf("%s: %q stays in %q", r.id, secret, Text(given))
			return tried
		}
		if tried == 40 {
			return tried
		}
	}
	return tried
}

// hasKeyword is gitleaks' own condition for looking at all.
func (r *rule) hasKeyword(s string) bool {
	for _, k := range r.keywords {
		if strings.Contains(strings.ToLower(s), strings.ToLower(k)) {
			return true
		}
	}
	return false
}

// generate writes a text that the expression matches, most of the time.
func generate(b *strings.Builder, re *syntax.Regexp, rnd *rand.Rand) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(oneOf(re.Rune, rnd))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('.')
	case syntax.OpCapture:
		generate(b, re.Sub[0], rnd)
	case syntax.OpConcat:
		for _, part := range re.Sub {
			generate(b, part, rnd)
		}
	case syntax.OpAlternate:
		generate(b, re.Sub[rnd.IntN(len(re.Sub))], rnd)
	case syntax.OpQuest:
		if rnd.IntN(3) > 0 {
			generate(b, re.Sub[0], rnd)
		}
	case syntax.OpStar, syntax.OpPlus:
		n := rnd.IntN(6)
		if re.Op == syntax.OpPlus {
			n++
		}
		for range n {
			generate(b, re.Sub[0], rnd)
		}
	case syntax.OpEndText, syntax.OpEndLine:
		b.WriteByte('\n')
	}
}

// oneOf picks a rune of a class that can be printed.
func oneOf(ranges []rune, rnd *rand.Rand) rune {
	for range 100 {
		i := 2 * rnd.IntN(len(ranges)/2)
		low, high := ranges[i], min(ranges[i+1], 126)
		if high < low {
			continue
		}
		if r := low + rune(rnd.IntN(int(high-low+1))); r >= ' ' {
			return r
		}
	}
	return ranges[0]
}
