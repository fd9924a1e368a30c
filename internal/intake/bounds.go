package intake

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The bounds. A native sender that breaks one is told, because it can do
// better; Alertmanager can not, so its alert is carried with a note.
const (
	maxName       = 253 // Kubernetes' longest name
	maxLabelValue = 4 << 10
	maxText       = 16 << 10 // messages and annotations
	maxPairs      = 128
	maxAhead      = 5 * time.Minute // what clocks may differ by
	quoted        = 64              // how much of a sender's word an answer repeats
	maxTitle      = 120
)

// checkName refuses a name that is too long.
func (f *findings) checkName(pointer, value string) {
	if len(value) > maxName {
		f.refuse(pointer, "is %d bytes long; at most %d are taken", len(value), maxName)
	}
}

// checkPairs refuses labels or annotations that are too many or too long.
func (f *findings) checkPairs(pointer string, pairs map[string]string, maxValue int) {
	if len(pairs) > maxPairs {
		f.refuse(pointer, "holds %d entries; at most %d are taken", len(pairs), maxPairs)
		return
	}
	for name, value := range pairs {
		if len(name) > maxName || len(value) > maxValue {
			f.refusePairs(pointer, pairs, maxValue)
			return
		}
	}
}

// refusePairs names the long ones, in an order that does not change.
func (f *findings) refusePairs(pointer string, pairs map[string]string, maxValue int) {
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		switch {
		case len(name) > maxName:
			f.refuse(pointer, "the name %q… is %d bytes long; at most %d are taken", clip(name, quoted), len(name), maxName)
		case len(pairs[name]) > maxValue:
			f.refuse(pointer+"/"+pointerEscape.Replace(name), "is %d bytes long; at most %d are taken", len(pairs[name]), maxValue)
		}
	}
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// fitPairs cuts what is too long and leaves out what is too much.
func (f *findings) fitPairs(what string, pairs map[string]string, maxValue int) map[string]string {
	for name, value := range pairs {
		if len(pairs) > maxPairs || len(name) > maxName || len(value) > maxValue {
			return f.cutPairs(what, pairs, maxValue)
		}
	}
	return pairs
}

func (f *findings) cutPairs(what string, pairs map[string]string, maxValue int) map[string]string {
	fit := make(map[string]string, min(len(pairs), maxPairs))
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		value := pairs[name]
		if len(name) > maxName || len(fit) == maxPairs {
			f.note("%s %q was left out: at most %d of at most %d bytes are taken", what, clip(name, quoted), maxPairs, maxName)
			continue
		}
		if len(value) > maxValue {
			f.note("%s %q was cut from %d to %d bytes", what, name, len(value), maxValue)
		}
		fit[name] = clip(value, maxValue)
	}
	return fit
}

// time reads a time. Go's zero time and Unix' are how senders say "none", and
// both are read so.
func (f *findings) time(pointer, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		f.refuse(pointer, "%q is not a time; times are RFC 3339, like 2026-01-31T12:00:00Z", clip(text, quoted))
		return time.Time{}
	}
	if t.IsZero() || t.Unix() == 0 {
		return time.Time{}
	}
	return t.UTC()
}

// clip cuts a string to at most n bytes and never within a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
