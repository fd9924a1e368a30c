package redact

import (
	"bytes"
	"encoding/json"
	"strings"
)

// The places that the rewriter tells apart.
type placeKind int

const (
	plain     placeKind = iota
	envList             // the value of env: a list of name and value
	envItem             // one element of it
	blank               // every string here is secret
	named               // a value that its key calls a secret, or a list of such values
	kindItems           // items of a SecretList or ConfigMapList
	kindItem            // one of them
)

// rewriter copies valid JSON from s to out and leaves out what must not stay.
type rewriter struct {
	s       string
	pos     int
	out     []byte
	kinds   []objectKind // of each object, in the order of opening
	objects int
	levels  int
	work    *int
	changed bool
}

func (r *rewriter) value(place placeKind) {
	r.pos = skipBlank(r.s, r.pos)
	switch r.s[r.pos] {
	case '{':
		r.object(place)
	case '[':
		r.array(place)
	case '"':
		r.text(place)
	default:
		r.literal(place)
	}
}

// literal leaves true, false and null alone: they tell nothing.
func (r *rewriter) literal(place placeKind) {
	end := run(r.s, r.pos, isLiteral)
	from := r.pos
	r.pos = end
	if place == named && !isLetter(r.s[from]) {
		r.out, r.changed = append(r.out, `"`+Hole+`"`...), true
		return
	}
	r.out = append(r.out, r.s[from:end]...)
}

// inside is where the elements of a list stand, by where the list stands.
var inside = map[placeKind]placeKind{envList: envItem, kindItems: kindItem, blank: blank, named: named}

// array knows that what comes after --token is one.
func (r *rewriter) array(place placeKind) {
	inner := inside[place]
	option := false
	r.members(']', func() {
		here := inner
		if c := r.s[r.pos]; option && c == '"' && r.s[r.pos+1] != '-' {
			here = named
		}
		from := r.pos
		r.value(here)
		option = r.s[from] == '"' && isOption(unquote(r.s[from:r.pos]))
	})
}

func (r *rewriter) object(place placeKind) {
	kind := r.kinds[r.objects]
	kind.secret = kind.secret || place == kindItem
	r.objects++
	r.members('}', func() {
		from := len(r.out)
		end := skipString(r.s, r.pos)
		key := r.s[r.pos:end]
		r.key(key)
		r.pos = skipBlank(r.s, skipBlank(r.s, end)+1) // the colon
		r.out = append(r.out, ':')
		name := unquote(key)
		if r.drops(place, name) {
			r.value(plain)
			r.out, r.changed = r.out[:from], true
			return
		}
		r.value(r.placeOf(place, name, kind))
	})
}

// key is text too: an address that something is counted by.
func (r *rewriter) key(raw string) {
	clean := raw
	if len(raw) > 16 && suspicious(raw) {
		clean = r.redactString(raw)
	}
	r.changed = r.changed || clean != raw
	r.out = append(r.out, clean...)
}

// members copies what stands between brackets, with commas between what stays.
func (r *rewriter) members(closing byte, one func()) {
	r.out = append(r.out, r.s[r.pos])
	start := len(r.out)
	for {
		r.pos = skipBlank(r.s, r.pos+1)
		if r.s[r.pos] == closing {
			break
		}
		before := len(r.out)
		if before > start {
			r.out = append(r.out, ',')
		}
		from := len(r.out)
		one()
		if len(r.out) == from {
			r.out = r.out[:before]
		}
		r.pos = skipBlank(r.s, r.pos)
		if r.s[r.pos] == closing {
			break
		}
	}
	r.out = append(r.out, closing)
	r.pos++
}

func (r *rewriter) drops(place placeKind, key string) bool {
	switch key {
	case "value":
		return place == envItem
	case "managedFields":
		return r.s[r.pos] == '['
	}
	return isApplied(key)
}

// applied are the annotations in which tools keep the whole object once more.
var applied = []string{"last-applied-configuration", "last-applied", "kapp.k14s.io/original", "objectset.rio.cattle.io/applied"}

func isApplied(key string) bool {
	for _, end := range applied {
		if strings.HasSuffix(key, end) {
			return true
		}
	}
	return false
}

func (r *rewriter) placeOf(place placeKind, key string, kind objectKind) placeKind {
	c := r.s[r.pos]
	holds := c == '[' || c == '{'
	switch {
	case place == blank, key == "stringData", kind.secret && (key == "data" || key == "binaryData"):
		return blank
	case holds && isEnv(key):
		return envPlace[c]
	case key == "items" && c == '[' && kind.secret:
		return kindItems
	case place == named && c != '{', key == "value" && kind.named && !holds:
		return named
	case secretKey(key) && (c == '"' || c == '[' || isNumber(c) && isPassword(key)):
		return named
	case key == "auth" && c == '"' && isUserAndPassword(unquote(r.s[r.pos:skipString(r.s, r.pos)])):
		return named
	}
	return plain
}

// envPlace is where the values of an environment stand: a list of name and value
// (or name=value), or an object of names.
var envPlace = map[byte]placeKind{'[': envList, '{': named}

func isEnv(key string) bool {
	return strings.EqualFold(key, "env") || strings.EqualFold(key, "environment")
}

func isPassword(key string) bool {
	return strings.HasSuffix(strings.ToLower(key), "password") || strings.HasSuffix(strings.ToLower(key), "passphrase")
}

func isOption(arg string) bool {
	return strings.HasPrefix(arg, "-") && !strings.ContainsAny(arg, "= ") && secretKey(arg)
}

func (r *rewriter) text(place placeKind) {
	end := skipString(r.s, r.pos)
	raw := r.s[r.pos:end]
	r.pos = end
	replaced := raw
	switch {
	case raw == `""`:
	case place == blank:
		replaced = `""`
	case place == named:
		replaced = `"` + Hole + `"`
	case place == envItem:
		if name, value, ok := strings.Cut(raw, "="); ok && value != `"` {
			replaced = name + "=" + Hole + `"`
		}
	case suspicious(raw):
		replaced = r.redactString(raw)
	}
	r.changed = r.changed || replaced != raw
	r.out = append(r.out, replaced...)
}

// redactString gives the JSON string as it was where nothing in it is secret.
func (r *rewriter) redactString(raw string) string {
	text := unquote(raw)
	clean := text
	if c := firstByte(text); r.levels > 0 && (c == '{' || c == '[') {
		if inner, err := redact(json.RawMessage(text), r.levels-1, r.work); err == nil {
			clean = string(inner)
		}
	}
	if clean = cleaned(clean, r.work); clean == text {
		return raw
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(clean) != nil { // a string always encodes
		return `"` + Hole + `"`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
