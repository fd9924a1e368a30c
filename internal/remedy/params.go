package remedy

import (
	"fmt"
	"slices"
	"strings"
)

// reader takes typed values out of what policy wrote. It collects every problem
// instead of stopping at the first one.
type reader struct {
	given    map[string]any
	known    []string
	problems []string
}

func (p *reader) take(name string) (any, bool) {
	p.known = append(p.known, name)
	v, ok := p.given[name]
	return v, ok
}

func (p *reader) wrong(name string, value any, want string) {
	p.problems = append(p.problems, fmt.Sprintf("%s is %s: want %s", name, clip(fmt.Sprintf("%#v", value), 60), want))
}

// number reads a number between low and high, both included.
func (p *reader) number(name string, otherwise, low, high float64) float64 {
	v, ok := p.take(name)
	if !ok {
		return otherwise
	}
	n, ok := asNumber(v)
	if !ok || !(n >= low && n <= high) { // so written that NaN is refused
		p.wrong(name, v, fmt.Sprintf("a number from %v to %v", low, high))
		return otherwise
	}
	return n
}

// whole reads a whole number between low and high, both included.
func (p *reader) whole(name string, otherwise, low, high int) int {
	v, ok := p.take(name)
	if !ok {
		return otherwise
	}
	n, ok := asNumber(v)
	if !ok || !(n >= float64(low) && n <= float64(high)) || n != float64(int(n)) {
		p.wrong(name, v, fmt.Sprintf("a whole number from %d to %d", low, high))
		return otherwise
	}
	return int(n)
}

// flag reads true or false; false when it is not given.
func (p *reader) flag(name string) bool {
	v, ok := p.take(name)
	if !ok {
		return false
	}
	set, ok := v.(bool)
	if !ok {
		p.wrong(name, v, "true or false")
	}
	return set
}

// text reads a text that the rule takes; empty when it is not given.
func (p *reader) text(name, want string, rule func(string) bool) string {
	v, ok := p.take(name)
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok || !rule(s) {
		p.wrong(name, v, want)
		return ""
	}
	return s
}

// done refuses what was not read, and whatever was wrong.
func (p *reader) done() error {
	for name := range p.given {
		if !slices.Contains(p.known, name) {
			p.problems = append(p.problems, fmt.Sprintf("unknown parameter %q%s", clip(name, 60), p.hint()))
		}
	}
	if len(p.problems) == 0 {
		return nil
	}
	slices.Sort(p.problems)
	return fmt.Errorf("%s", strings.Join(p.problems, "; "))
}

func (p *reader) hint() string {
	if len(p.known) == 0 {
		return ": there are none"
	}
	return ": there are " + strings.Join(p.known, ", ")
}

// asNumber takes what YAML and JSON readers make of a number.
func asNumber(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case uint64:
		return float64(n), true
	}
	return 0, false
}

// checkNone is for actions without parameters.
func checkNone(params map[string]any) error {
	if len(params) == 0 {
		return nil
	}
	p := reader{given: params}
	return p.done()
}
