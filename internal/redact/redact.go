package redact

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
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
	work := maxWork
	return redact(raw, 2, &work)
}

// Pairs makes names with values fit to be stored, such as the labels of an alert.
// Where nothing is secret it gives the same map.
func Pairs(pairs map[string]string) map[string]string {
	var clean map[string]string
	for name, value := range pairs {
		fit := Text(value)
		if secretKey(name) && value != "" {
			fit = Hole
		}
		if fit == value {
			continue
		}
		if clean == nil {
			clean = maps.Clone(pairs)
		}
		clean[name] = fit
	}
	if clean == nil {
		return pairs
	}
	return clean
}

// redact also looks into strings that hold JSON themselves, as many levels deep
// as it is told.
func redact(raw json.RawMessage, levels int, work *int) (json.RawMessage, error) {
	s := string(raw)
	if !suspicious(s) {
		return raw, nil
	}
	if !json.Valid(raw) {
		return nil, fmt.Errorf("redact: not valid JSON (%d bytes)", len(raw))
	}
	r := rewriter{s: s, out: make([]byte, 0, len(s)), levels: levels, work: work}
	k := kindScan{s: s}
	k.value()
	r.kinds = k.kinds
	r.value(plain)
	if !r.changed {
		return raw, nil
	}
	return r.out, nil
}

// triggers are what suspicious looks for: the marks of secrets in text, where an
// @ stands for the much more common ://, the keys and heads of what is dropped,
// and \u, behind which any of them may hide.
var triggers = sync.OnceValue(func() *marks {
	var m marks
	for _, mk := range detectors().all {
		if mk.text != "://" {
			m.add(mk)
		}
	}
	for _, key := range []string{"managedfields", "last-applied", `"configmap`, "kind: configmap", `"stringdata"`, `\u`, "credential", `creds"`, "connectionstring", "connection_string",
		"dockercfg", "signingkey", "encryptionkey", "clientkeydata", `.key"`, "tlskey", "tls_key", "kubeconfig", "objectset.rio.cattle.io/applied", "kapp.k14s.io/original", "data\\n===", "environment:\\n", "env:\\n", "env:\\r", "environment:\\r"} {
		m.add(marker{text: key})
	}
	for _, key := range []string{`"env"`, `"environment"`} {
		m.add(marker{text: key, check: opensValue}) // also the most common of labels: only a list or an object is suspicious
	}
	return &m
})

// opensValue says whether a list or an object stands behind a key.
func opensValue(s string, at int) bool {
	i := skipBlank(s, at+1+strings.IndexByte(s[at+1:], '"')+1)
	if i >= len(s) || s[i] != ':' {
		return false
	}
	i = skipBlank(s, i+1)
	return i < len(s) && (s[i] == '[' || s[i] == '{')
}

func suspicious(s string) bool {
	if strings.IndexByte(s, '@') >= 0 {
		return true
	}
	m := triggers()
	for i, gram := m.next(s, 0); i < len(s); i, gram = m.next(s, i+1) {
		list := m.after(gram)
		for k := range list {
			if list[k].stands(s, i) {
				return true
			}
		}
	}
	return false
}
