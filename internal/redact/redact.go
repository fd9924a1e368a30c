package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// JSON makes a JSON value fit to be stored: environment values, the data of
// Secrets and ConfigMaps, managedFields and last-applied annotations are dropped,
// and secrets within any string are replaced by a marked hole. Numbers, order and
// everything else stay as written.
//
// It is called on every alert, so a value without any mark of a secret comes back
// as it is, unread; only what has to be rewritten must be valid JSON. Redacting
// twice changes nothing more. What was redacted must never be written back.
func JSON(raw json.RawMessage) (json.RawMessage, error) {
	return redact(raw, 2)
}

// redact also looks into strings that hold JSON themselves, as many levels deep
// as it is told.
func redact(raw json.RawMessage, levels int) (json.RawMessage, error) {
	s := string(raw)
	if !suspicious(s) {
		return raw, nil
	}
	if !json.Valid(raw) {
		return nil, fmt.Errorf("redact: not valid JSON (%d bytes)", len(raw))
	}
	r := rewriter{s: s, out: make([]byte, 0, len(s)), levels: levels}
	k := kindScan{s: s}
	k.value()
	r.kinds = k.kinds
	r.value(plain)
	if !r.changed {
		return raw, nil
	}
	return r.out, nil
}

// triggers are what suspicious looks for, by first byte in lower case: the marks
// of secrets in text, where an @ stands for the much more common ://, the keys of
// what is dropped, and \u, behind which any of them may hide.
var triggers = func() (table [256][]string) {
	for _, list := range signs {
		for _, g := range list {
			if g.marker != "://" {
				table[g.marker[0]] = append(table[g.marker[0]], g.marker)
			}
		}
	}
	for _, m := range []string{envKey, "managedfields", "last-applied-configuration", `"configmap`, `"stringdata"`, `\u`} {
		table[m[0]] = append(table[m[0]], m)
	}
	return table
}()

// envKey is also the most common of labels: only a list makes it suspicious.
const envKey = `"env"`

func opensArray(s string, i int) bool {
	i = skipBlank(s, i)
	if i >= len(s) || s[i] != ':' {
		return false
	}
	i = skipBlank(s, i+1)
	return i < len(s) && s[i] == '['
}

// hints knows the beginnings of all triggers.
var hints = func() (p pairs) {
	for _, list := range triggers {
		for _, m := range list {
			p.add(m)
		}
	}
	return p
}()

func suspicious(s string) bool {
	if strings.IndexByte(s, '@') >= 0 {
		return true
	}
	for i := hints.next(s, 0); i < len(s); i = hints.next(s, i+1) {
		for _, m := range triggers[lower(s[i])] {
			if len(s)-i < len(m) || lower(s[i+1]) != m[1] || !strings.EqualFold(s[i:i+len(m)], m) {
				continue
			}
			if m != envKey || opensArray(s, i+len(m)) {
				return true
			}
		}
	}
	return false
}

// The places that the rewriter tells apart.
type placeKind int

const (
	plain     placeKind = iota
	envList             // the value of env: a list of name and value
	envItem             // one element of it
	blank               // every string here is secret
	named               // a string that its key calls a secret
	kindItems           // items of a SecretList or ConfigMapList
	kindItem            // one of them
)

// rewriter copies valid JSON from s to out and leaves out what must not stay.
type rewriter struct {
	s       string
	pos     int
	out     []byte
	kinds   []bool // for each object in the order of opening: is it a Secret or ConfigMap
	objects int
	levels  int
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
		end := run(r.s, r.pos, isLiteral)
		r.out = append(r.out, r.s[r.pos:end]...)
		r.pos = end
	}
}

func (r *rewriter) array(place placeKind) {
	inner := plain
	switch place {
	case envList:
		inner = envItem
	case kindItems:
		inner = kindItem
	case blank:
		inner = blank
	}
	r.members(']', func() { r.value(inner) })
}

func (r *rewriter) object(place placeKind) {
	secret := r.kinds[r.objects] || place == kindItem
	r.objects++
	r.members('}', func() {
		from := len(r.out)
		end := skipString(r.s, r.pos)
		key := r.s[r.pos:end]
		r.out = append(r.out, key...)
		r.pos = skipBlank(r.s, skipBlank(r.s, end)+1) // the colon
		r.out = append(r.out, ':')
		name := unquote(key)
		if r.drops(place, name) {
			r.value(plain)
			r.out, r.changed = r.out[:from], true
			return
		}
		r.value(r.placeOf(place, name, secret))
	})
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
	return strings.HasSuffix(key, "last-applied-configuration")
}

func (r *rewriter) placeOf(place placeKind, key string, secret bool) placeKind {
	c := r.s[r.pos]
	switch {
	case place == blank, key == "stringData", secret && (key == "data" || key == "binaryData"):
		return blank
	case key == "env" && c == '[':
		return envList
	case key == "items" && c == '[' && secret:
		return kindItems
	case c == '"' && secretKey(key):
		return named
	}
	return plain
}

// secretKey says whether a key's plain text value is a secret by its name. The
// bare word secret is not among them: it mostly names a Secret.
func secretKey(key string) bool {
	if !suspicious(key) {
		return false
	}
	key = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(key))
	for _, end := range []string{"password", "passwd", "passphrase", "token", "apikey", "accesskey", "secretkey", "privatekey", "clientsecret", "authorization", "cookie"} {
		if strings.HasSuffix(key, end) {
			return true
		}
	}
	return false
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
		replaced = `"` + hole + `"`
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
		if inner, err := redact(json.RawMessage(text), r.levels-1); err == nil {
			clean = string(inner)
		}
	}
	if clean = Text(clean); clean == text {
		return raw
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(clean) != nil { // a string always encodes
		return `"` + hole + `"`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
