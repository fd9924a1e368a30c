package incident_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"salve/internal/incident"
)

func drawID(t *rapid.T) incident.ID {
	millis := rapid.Int64Range(0, 1<<48-1).Draw(t, "millis")
	var entropy [10]byte
	copy(entropy[:], rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "entropy"))
	return incident.NewID(time.UnixMilli(millis), entropy)
}

func TestIDRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := drawID(t)
		parsed, err := incident.ParseID(id.String())
		if err != nil || parsed != id {
			t.Fatalf("%s came back as %s, %v", id, parsed, err)
		}
		text, err := json.Marshal(map[string]incident.ID{"id": id})
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]incident.ID
		if err := json.Unmarshal(text, &back); err != nil || back["id"] != id {
			t.Fatalf("%s came back as %s, %v", text, back["id"], err)
		}
	})
}

func TestIDIsUUIDv7(t *testing.T) {
	at := time.Date(2026, 3, 1, 3, 15, 0, 0, time.UTC)
	got := []string{
		incident.NewID(at, [10]byte{}).String(),
		incident.NewID(at, [10]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255}).String(),
	}
	want := []string{"019ca764-6320-7000-8000-000000000000", "019ca764-6320-7fff-bfff-ffffffffffff"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

// Later ids sort after earlier ones, as bytes and as text: they are page keys.
func TestIDsSortByTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawID(t), drawID(t)
		if byBytes, byText := strings.Compare(string(a[:]), string(b[:])), strings.Compare(a.String(), b.String()); byBytes != byText {
			t.Fatalf("%s and %s compare as %d in bytes and %d in text", a, b, byBytes, byText)
		}
		if string(a[:6]) < string(b[:6]) && a.String() >= b.String() {
			t.Fatalf("%s is earlier than %s and sorts later", a, b)
		}
	})
}

func TestParseIDRefuses(t *testing.T) {
	const hint = "; ids look like 01890a5d-ac96-774b-bcce-b302099a8057"
	cases := []struct{ name, in, reason string }{
		{"empty", "", `"" is not an id` + hint},
		{"short id", "INT-2077", `"INT-2077" is not an id` + hint},
		{"no dashes", "01890a5dac96774bbcceb302099a8057", `"01890a5dac96774bbcceb302099a8057" is not an id` + hint},
		{"braces", "{1890a5d-ac96-774b-bcce-b302099a8057}", `"{1890a5d-ac96-774b-bcce-b302099a8057}" is not an id` + hint},
		{"a dash too many", "01890a5d-ac96-774b-bcce-b302099a80-7", `"01890a5d-ac96-774b-bcce-b302099a80-7" is not an id: encoding/hex: invalid byte: U+002D '-'`},
		{"no hex", "01890a5d-ac96-774b-bcce-b302099a805g", `"01890a5d-ac96-774b-bcce-b302099a805g" is not an id: encoding/hex: invalid byte: U+0067 'g'`},
		{"sql", "' OR 1=1 --", `"' OR 1=1 --" is not an id` + hint},
		{"long", strings.Repeat("a", 5000), `"` + strings.Repeat("a", 48) + `…" is not an id` + hint},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			id, err := incident.ParseID(c.in)
			if err == nil || err.Error() != c.reason {
				t.Errorf("refused with %v, want %s", err, c.reason)
			}
			if !id.IsZero() {
				t.Errorf("a refused id is %s, want zero", id)
			}
		})
	}
}

// What is accepted is written again as it came.
func FuzzParseID(f *testing.F) {
	for _, seed := range []string{
		"", "01890a5d-ac96-774b-bcce-b302099a8057", "01890A5D-AC96-774B-BCCE-B302099A8057",
		"--------------------------------------", "01890a5d-ac96-774b-bcce-b302099a805\x00", strings.Repeat("é", 18),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := incident.ParseID(s)
		if err != nil {
			if !id.IsZero() {
				t.Errorf("%q is refused, and yet gives %s", s, id)
			}
			return
		}
		if id.String() != strings.ToLower(s) {
			t.Errorf("%q came back as %s", s, id)
		}
	})
}

func TestNumbersForPeople(t *testing.T) {
	if got := incident.IncidentNumber(1042) + " " + incident.IntentNumber(2077); got != "INC-1042 INT-2077" {
		t.Errorf("numbers are %s", got)
	}
}

func TestPaths(t *testing.T) {
	in := incident.Intent{ID: incident.NewID(time.UnixMilli(0), [10]byte{})}
	in.Paths()
	const want = "/v1/intents/00000000-0000-7000-8000-000000000000/"
	if diff := cmp.Diff([]string{want + "claim", want + "result"}, []string{in.ClaimPath, in.ResultPath}); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

// All intents of an incident are spans of one trace (W3C trace context).
func TestTraceParent(t *testing.T) {
	var inc, in incident.ID
	for i := range inc {
		inc[i], in[i] = byte(i), byte(0xf0+i)
	}
	const want = "00-000102030405060708090a0b0c0d0e0f-f8f9fafbfcfdfeff-01"
	if got := incident.TraceParent(inc, in); got != want {
		t.Errorf("traceparent is %s, want %s", got, want)
	}
}
