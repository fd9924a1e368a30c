package redact_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"salve/internal/redact"
)

// A text of the size of a hole is the smallest that a hole may replace.
const growth = len(redact.Hole)

func FuzzText(f *testing.F) {
	for _, s := range []string{"password=a", "env:\n- name: A\n  value: |\n    x\n    y\nb: c", "kind: Secret\ndata:\n  a: b\n---\ndata:\n  c: d", "    Environment:\n      A:  b\n      C:  <set to the key 'x' in secret 'y'>\n",
		"Data\n====\na:\n----\nx\n\nEvents:  <none>", "args:\n- --token\n- x\n", "token=[\"a\",\"b\"]", "key='x' auth => \"abcdefgh12345678ABCD\"", "last-applied-configuration: |\n  {}\n", "Authorization: Bearer x, y", "a://b:c/d@e@f", "auth\":\"YTpi\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := redact.Text(s)
		if twice := redact.Text(once); twice != once {
			t.Fatalf("redacting %q gives %q, then %q", s, once, twice)
		}
		if len(once) > growth*len(s)+growth {
			t.Fatalf("%d bytes became %d", len(s), len(once))
		}
		if utf8.ValidString(s) && !utf8.ValidString(once) {
			t.Fatalf("%q is no text any more: %q", s, once)
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, doc := range []string{`{"env":[{"name":"A","value":"x"}]}`, `{"kind":"Secret","data":{"a":"b"},"x":[1,{}]}`, `{"managedFields":[{}],"password":"p"}`, `"token: \u0041bcdef0123"`, `[" Bearer abcdefghijklmnop1234 ","{\"token\":\"a1\"}"]`, `@`} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		once, err := redact.JSON(doc)
		if err != nil {
			if len(once) > 2*growth*len(doc) {
				t.Fatalf("%d bytes became %d", len(doc), len(once))
			}
			if json.Valid(doc) {
				t.Fatalf("valid JSON refused: %v", err)
			}
			return
		}
		if len(once) > 2*growth*len(doc) {
			t.Fatalf("%d bytes became %d", len(doc), len(once))
		}
		if json.Valid(doc) && !json.Valid(once) {
			t.Fatalf("%q became invalid: %q", doc, once)
		}
		if twice, err := redact.JSON(once); err != nil || string(twice) != string(once) {
			t.Fatalf("redacting %q again gives %q (%v)", once, twice, err)
		}
	})
}
