package redact

import (
	"strings"
	"sync"
)

// Hole is what stands where a secret stood.
const Hole = "[redacted]"

// maxWork bounds how many bytes one call shows to gitleaks' expressions, which
// take about half a microsecond a byte. Lines with a suspicious word that come
// after it are left out unread.
const maxWork = 4 << 20

// maxPasses bounds how often a text is read again because what was left out
// brought other things together.
const maxPasses = 3

// text is one text that is being read.
type text struct {
	s    string
	done int // so far it is written
	work *int
}

// finder says which bytes of the text are the secret whose marker stands at at;
// none where from is not before to. It reads no further than it reports, than one
// run of like characters or than a fixed window, so that redaction stays linear.
type finder func(t *text, at int) (from, to int)

func (t *text) spend(n int) bool {
	*t.work -= n
	return *t.work >= 0
}

// detectors are what Text looks for: the signs of this package and the rules of
// gitleaks.
var detectors = sync.OnceValue(func() *marks {
	var m marks
	for _, mk := range signs {
		m.add(mk)
	}
	kept, err := rules()
	if err != nil {
		panic("redact: gitleaks' own configuration: " + err.Error()) // it is part of the program; every test reads it
	}
	for _, r := range kept {
		for _, mk := range r.markers {
			m.add(mk)
		}
	}
	return &m
})

// Text replaces what is or looks like a secret: values given to names such as
// password, bearer tokens, private keys, passwords in addresses, the tokens of
// some two hundred services, and what a command printed of environments and of
// Secrets. Redacting twice changes nothing more.
func Text(s string) string {
	work := maxWork
	return cleaned(s, &work)
}

// cleaned shares its work with other texts of the same value.
func cleaned(s string, work *int) string {
	first := *work
	for range maxPasses {
		left := first
		clean := pass(printed(s), &left)
		*work = min(*work, left)
		if clean == s {
			break
		}
		s = clean
	}
	return s
}

func pass(s string, work *int) string {
	var b strings.Builder
	d := detectors()
	t := text{s: s, work: work}
	for i, gram := d.next(s, 0); i < len(s); i, gram = d.next(s, i+1) {
		from, to := d.secretAt(&t, i, gram)
		if to <= from || from < t.done {
			continue
		}
		b.WriteString(s[t.done:from])
		b.WriteString(Hole)
		t.done, i = to, max(i, to-1)
	}
	if t.done == 0 {
		return s
	}
	b.WriteString(s[t.done:])
	return b.String()
}

func (m *marks) secretAt(t *text, i int, gram uint16) (from, to int) {
	list := m.after(gram)
	for k := range list {
		if !list[k].stands(t.s, i) {
			continue
		}
		if from, to = list[k].find(t, i); to > from {
			return from, to
		}
	}
	return 0, 0
}
