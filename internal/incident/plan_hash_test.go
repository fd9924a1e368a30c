package incident_test

import (
	"encoding/json"
	"strings"
	"testing"

	"salve/internal/incident"
)

var planTarget = incident.Target{
	Cluster: "prod", Namespace: "production", Kind: "Deployment", Name: "api-gateway",
	UID: "0b7a3f0e-6a5e-4c7e-9d55-8f1f8f8b1a11", Generation: 7,
}

const planParams = `{"from":"512Mi","to":"768Mi","factor":1.5,"count":9007199254740993,"list":[1,2,{"b":1,"a":null}]}`

const planExecute = `{"shape":"kubernetes","path":"/a?b=1&c=<2>","body":{"é":"\n","z":true}}`

func hash(t testing.TB, action string, target incident.Target, params, execute string) string {
	t.Helper()
	h, err := incident.PlanHash(action, target, json.RawMessage(params), json.RawMessage(execute))
	if err != nil {
		t.Fatalf("PlanHash(%s, %s): %v", params, execute, err)
	}
	return h
}

// The written value guards approvals that are stored: a new version of Salve
// must find the same hash for the same plan.
func TestPlanHashStays(t *testing.T) {
	got := hash(t, "k8s.deployment.resources", planTarget, planParams, planExecute)
	const want = "270b47e5f78b227dbdb351c0eb0fa7ecd9e2255d27222eacece87d6d0b09e30b"
	if got != want {
		t.Errorf("the hash of a known plan is %s, was %s", got, want)
	}
}

func TestPlanHashSame(t *testing.T) {
	want := hash(t, "a", planTarget, planParams, planExecute)
	cases := []struct{ name, params, execute string }{
		{"key order", `{"to":"768Mi","list":[1,2,{"a":null,"b":1}],"count":9007199254740993,"from":"512Mi","factor":1.5}`, planExecute},
		{"white space", " {\n\t\"from\" : \"512Mi\", \"to\":\"768Mi\" ,\r\n\"factor\": 1.5, \"count\":9007199254740993, \"list\": [ 1 , 2 , { \"b\":1,\"a\": null } ] } ", planExecute},
		{"number with zeros", strings.Replace(planParams, "1.5", "1.500", 1), planExecute},
		{"number with exponent", strings.Replace(planParams, "1.5", "0.15E+1", 1), planExecute},
		{"number with negative exponent", strings.Replace(planParams, "1.5", "15e-1", 1), planExecute},
		{"whole number as fraction", strings.Replace(planParams, "[1,2", "[1.0,0.2e1", 1), planExecute},
		{"escapes that need not be", planParams, strings.Replace(planExecute, "&c=<2>", `\u0026c=\u003c2\u003e`, 1)},
		{"letters as escapes", planParams, strings.Replace(planExecute, `"é":"\n"`, `"\u00e9":"\u000a"`, 1)},
		{"a slash as escape", planParams, strings.Replace(planExecute, `/a?`, `\/a?`, 1)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := hash(t, "a", planTarget, c.params, c.execute); got != want {
				t.Errorf("another hash for the same plan: %s and %s", c.params, c.execute)
			}
		})
	}
}

func TestPlanHashChanges(t *testing.T) {
	other := func(change func(*incident.Target)) incident.Target {
		target := planTarget
		change(&target)
		return target
	}
	cases := []struct {
		name, action    string
		target          incident.Target
		params, execute string
	}{
		{"the plan", "a", planTarget, planParams, planExecute},
		{"action", "b", planTarget, planParams, planExecute},
		{"uid", "a", other(func(x *incident.Target) { x.UID = "1" }), planParams, planExecute},
		{"generation", "a", other(func(x *incident.Target) { x.Generation++ }), planParams, planExecute},
		{"cluster", "a", other(func(x *incident.Target) { x.Cluster = "dev" }), planParams, planExecute},
		{"container", "a", other(func(x *incident.Target) { x.Container = "app" }), planParams, planExecute},
		{"a parameter", "a", planTarget, strings.Replace(planParams, "768Mi", "769Mi", 1), planExecute},
		{"a number", "a", planTarget, strings.Replace(planParams, "1.5", "1.51", 1), planExecute},
		{"a sign", "a", planTarget, strings.Replace(planParams, "1.5", "-1.5", 1), planExecute},
		{"a power of ten", "a", planTarget, strings.Replace(planParams, "1.5", "15", 1), planExecute},
		{"beyond what a float holds", "a", planTarget, strings.Replace(planParams, "740993", "740992", 1), planExecute},
		{"a number as text", "a", planTarget, strings.Replace(planParams, "1.5", `"1.5"`, 1), planExecute},
		{"order of a list", "a", planTarget, strings.Replace(planParams, "1,2", "2,1", 1), planExecute},
		{"a key less", "a", planTarget, strings.Replace(planParams, `"from":"512Mi",`, "", 1), planExecute},
		{"execute", "a", planTarget, planParams, strings.Replace(planExecute, "b=1", "b=2", 1)},
		{"an escape as text", "a", planTarget, planParams, strings.Replace(planExecute, `"\n"`, `"\\u000a"`, 1)},
		{"true and false", "a", planTarget, planParams, strings.Replace(planExecute, "true", "false", 1)},
		{"params and execute change places", "a", planTarget, planExecute, planParams},
		{"nothing", "a", planTarget, "", ""},
		{"empty object", "a", planTarget, "{}", "{}"},
		{"empty list", "a", planTarget, "[]", "[]"},
	}
	seen := map[string]string{}
	for _, c := range cases {
		h := hash(t, c.action, c.target, c.params, c.execute)
		if before, ok := seen[h]; ok {
			t.Errorf("%q hashes as %q does", c.name, before)
		}
		seen[h] = c.name
	}
}

// A pod's generation says nothing about its template: its UID alone counts.
func TestPlanHashOfPodIgnoresGeneration(t *testing.T) {
	pod := planTarget
	pod.Kind = "Pod"
	later := pod
	later.Generation++
	if hash(t, "a", pod, "{}", "{}") != hash(t, "a", later, "{}", "{}") {
		t.Error("the generation of a pod changed the hash")
	}
}

func TestPlanHashRefuses(t *testing.T) {
	cases := []struct{ name, params, reason string }{
		{"truncated", `{"a":`, "plan hash of a: not JSON: unexpected end of JSON input"},
		{"two values", `{} {}`, "plan hash of a: not JSON: invalid character '{' after top-level value"},
		{"no number", `{"a":NaN}`, "plan hash of a: not JSON: invalid character 'N' looking for beginning of value"},
		{"giant exponent", `1e99999999999`, "plan hash of a: number 1e99999999999: its exponent is out of range"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := incident.PlanHash("a", planTarget, json.RawMessage(c.params), nil)
			if err == nil || err.Error() != c.reason {
				t.Errorf("refused with %v, want %q", err, c.reason)
			}
		})
	}
}

// What encoding/json reads and writes again keeps its hash.
func FuzzPlanHash(f *testing.F) {
	for _, seed := range []string{planParams, planExecute, `[]`, `"\ud800"`, `-0.0`, `{"a":{"b":[1e3]},"":0}`, "\"\xff\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		first, err := incident.PlanHash("a", planTarget, raw, nil)
		if err != nil {
			return
		}
		dec := json.NewDecoder(strings.NewReader(string(raw)))
		dec.UseNumber()
		var v any
		if dec.Decode(&v) != nil || hasDuplicates(raw, v) {
			return
		}
		again, err := json.MarshalIndent(v, " ", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if second := hash(t, "a", planTarget, string(again), ""); first != second {
			t.Errorf("%s and %s hash differently", raw, again)
		}
	})
}

// hasDuplicates says whether decoding lost something: JSON that names a key
// twice has no single meaning.
func hasDuplicates(raw []byte, v any) bool {
	return countKeys(v) != strings.Count(unquoted(raw), ":")
}

func countKeys(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		for _, child := range v {
			n += 1 + countKeys(child)
		}
	case []any:
		for _, child := range v {
			n += countKeys(child)
		}
	}
	return n
}

// unquoted leaves out every string, so that what remains is structure.
func unquoted(raw []byte) string {
	var b strings.Builder
	inside := false
	for i := 0; i < len(raw); i++ {
		switch {
		case raw[i] == '"':
			inside = !inside
		case inside && raw[i] == '\\':
			i++
		case !inside:
			b.WriteByte(raw[i])
		}
	}
	return b.String()
}

func BenchmarkPlanHash(b *testing.B) {
	for b.Loop() {
		hash(b, "collect.pod", planTarget, planParams, planExecute)
	}
}
