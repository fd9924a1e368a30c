package http

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzCheckJSON holds the scanner against encoding/json: it accepts exactly
// what json.Valid accepts, if it is UTF-8 and not too deep.
func FuzzCheckJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-0.5e+3,true,false,null,"\u00e9\n"]}`, ` [ ] `, `{}`, `"\ud800"`, `01`, `-`, `1.`, `1e`, `.5`, `tru`, `truee`, `[1,]`, `{"a"}`, `{"a":}`, `{,}`, `{"a":1,}`,
		`"\x"`, `"\u12g4"`, "\"\t\"", `"`, `{"`, ``, "\xef\xbb\xbf{}", `[[[[`, strings.Repeat("[", 64) + strings.Repeat("]", 64), strings.Repeat("[", 65) + strings.Repeat("]", 65), "\"\xff\"", `nul`, `{"a":1}}`, "1\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := checkJSON(data)
		want := utf8.Valid(data) && json.Valid(data) && depth(data) <= maxJSONDepth
		if (err == nil) != want {
			t.Fatalf("%q: got %v, want accepted: %v", data, err, want)
		}
	})
}

// depth is the nesting of JSON that is known to be valid.
func depth(data []byte) (deepest int) {
	at, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			at++
			deepest = max(deepest, at)
		case c == '}' || c == ']':
			at--
		}
	}
	return deepest
}

func BenchmarkCheckJSON(b *testing.B) {
	data, err := os.ReadFile("openapi.yaml")
	if err != nil {
		b.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"severity": "high", "labels": map[string]string{"a": "b", "pod": "api-gateway-7d9f5b8c6-x7k2m"}, "message": string(data[:1500])})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.Run("here", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if checkJSON(body) != nil {
				b.Fatal("refused")
			}
		}
	})
	b.Run("json.Valid", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if !json.Valid(body) {
				b.Fatal("refused")
			}
		}
	})
}
