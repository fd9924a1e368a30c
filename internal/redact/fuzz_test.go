package redact_test

import (
	"encoding/json"
	"testing"

	"salve/internal/redact"
)

func FuzzRedact(f *testing.F) {
	for _, doc := range []string{`{"env":[{"name":"A","value":"x"}]}`, `{"kind":"Secret","data":{"a":"b"},"x":[1,{}]}`, `{"managedFields":[{}],"password":"p"}`, `"token: \u0041bcdef0123"`, `[" Bearer abcdefghijklmnop1234 ","{\"token\":\"a1\"}"]`, `@`} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		once, err := redact.JSON(doc)
		if err != nil {
			if json.Valid(doc) {
				t.Fatalf("valid JSON refused: %v", err)
			}
			return
		}
		if json.Valid(doc) && !json.Valid(once) {
			t.Fatalf("%q became invalid: %q", doc, once)
		}
		if twice, err := redact.JSON(once); err != nil || string(twice) != string(once) {
			t.Fatalf("redacting %q again gives %q (%v)", once, twice, err)
		}
	})
}
