package intake

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
)

func TestEvidenceWhole(t *testing.T) {
	pod := incident.Target{Cluster: "eu-1", Namespace: "shop", Kind: "Pod", Name: "cart-1", UID: "u-1", Container: "app"}
	tests := []struct {
		name, body string
		hint       string
		want       Unasked
	}{
		{"about an incident", `{"incident_id":"INC-7","evidence":{"pods":[]},"ours":{"kept":1}}`, "eu-2", Unasked{
			Incident: "INC-7",
			Item:     Item{Event: incident.Event{Payload: json.RawMessage(`{"incident_id":"INC-7","ours":{"kept":1}}`)}},
		}},
		{"about an incident, with its cluster", `{"incident_id":"INC-7","cluster":"eu-1","evidence":{"pods":[]}}`, "", Unasked{
			Incident: "INC-7",
			Item: Item{Event: incident.Event{
				Target: incident.Target{Cluster: "eu-1"}, Payload: json.RawMessage(`{"incident_id":"INC-7","cluster":"eu-1"}`),
			}},
		}},
		{"about an object", `{"target":{"cluster":"eu-1","namespace":"shop","kind":"pod","name":"cart-1","uid":"u-1","container":"app"},"evidence":{"pods":[]}}`, "eu-2",
			about(pod, "pod", `{"target":{"cluster":"eu-1","namespace":"shop","kind":"pod","name":"cart-1","uid":"u-1","container":"app"}}`)},
		{"about a host, in the request's cluster", `{"evidence":{"pods":[]},"target":{"host":"web-01"}}`, "eu-2",
			about(incident.Target{Cluster: "eu-2", Kind: "Host", Host: "web-01"}, "host", `{"target":{"host":"web-01"}}`)},
		{"about a service, in policy's cluster", `{"evidence":{"pods":[]},"target":{"service":"cart","namespace":"shop"}}`, "",
			about(incident.Target{Cluster: "main", Kind: "Service", Service: "cart"}, "unknown", `{"target":{"service":"cart","namespace":"shop"}}`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input(tt.body)
			in.ClusterHint = tt.hint
			got, err := Evidence(in)
			if err != nil {
				t.Fatal(err)
			}
			e := &tt.want.Event
			e.ID, e.Kind, e.Source, e.Subject, e.ReceivedAt = incident.ID{15: 1}, incident.EvidenceEvent, "evidence", "n8n", received
			e.Service, e.Evidence = e.Target.Service, json.RawMessage(`{"pods":[]}`)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("evidence (-want +got):\n%s", diff)
			}
		})
	}
}

func about(target incident.Target, family, payload string) Unasked {
	return Unasked{Item: Item{Event: incident.Event{Target: target, Family: family, Payload: json.RawMessage(payload)}}}
}

// The sender's word on the cluster, then the evidence's, then the request's.
func TestEvidenceCluster(t *testing.T) {
	tests := []struct{ name, fields, hint, want string }{
		{"field", `"cluster":"a","target":{"host":"h"},"evidence":{"cluster":"c","logs":[]}`, "d", "a"},
		{"target", `"target":{"host":"h","cluster":"b"},"evidence":{"cluster":"c","logs":[]}`, "d", "b"},
		{"evidence", `"target":{"host":"h"},"evidence":{"cluster":"c","logs":[]}`, "d", "c"},
		{"request", `"target":{"host":"h"},"evidence":{"cluster":7,"logs":[]}`, "d", "d"},
		{"policy", `"target":{"host":"h"},"evidence":{"logs":[]}`, "", "main"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input("{" + tt.fields + "}")
			in.ClusterHint = tt.hint
			got, err := Evidence(in)
			if err != nil || got.Rejected != nil || got.Event.Target.Cluster != tt.want {
				t.Errorf("cluster %q, want %q: %v %v", got.Event.Target.Cluster, tt.want, got.Rejected, err)
			}
		})
	}
}

func TestEvidenceRefusals(t *testing.T) {
	const good = `"evidence":{"pods":[]}`
	long := strings.Repeat("x", maxName+1)
	tests := []struct {
		name, body string
		want       []Problem
	}{
		{"about nothing", `{` + good + `}`, []Problem{{"", "nothing says what the evidence is about; give incident_id (INC-1042, or its id) or target"}}},
		{"about both", `{"incident_id":"INC-1","target":{"host":"h"},` + good + `}`,
			[]Problem{{"/target", "incident_id says already what the evidence is about; give one of the two"}}},
		{"no evidence", `{"incident_id":"INC-1"}`, []Problem{{"/evidence", "is missing; it is an object with keys such as pods and events"}}},
		{"evidence null", `{"incident_id":"INC-1","evidence":null}`, []Problem{{"/evidence", "must be an object with keys such as pods and events, not null"}}},
		{"evidence an array", `{"incident_id":"INC-1","evidence":[]}`, []Problem{{"/evidence", "must be an object with keys such as pods and events, not an array"}}},
		{"nothing at all", `{}`, []Problem{
			{"", "nothing says what the evidence is about; give incident_id (INC-1042, or its id) or target"},
			{"/evidence", "is missing; it is an object with keys such as pods and events"},
		}},
		{"wrong types, all named", `{"incident_id":7,"cluster":[],"target":"x",` + good + `}`, []Problem{
			{"/incident_id", "must be a string, not a number"}, {"/cluster", "must be a string, not an array"}, {"/target", "must be an object, not a string"},
		}},
		{"a target that names nothing", `{"target":{"kind":"Pod","namespace":"shop"},` + good + `}`,
			[]Problem{{"/target", "names nothing; give kind and name (and namespace), or host, or service"}}},
		{"a pod of no namespace", `{"target":{"kind":"Pod","name":"cart-1"},` + good + `}`,
			[]Problem{{"/target", `Pod "cart-1" has no namespace: not taken as the target`}}},
		{"a name of no kind", `{"target":{"name":"cart-1","namespace":"shop"},` + good + `}`,
			[]Problem{{"/target", `target "cart-1" has no Kubernetes kind, like Pod or Deployment: not taken as the target`}}},
		{"no host", `{"target":{"host":"a b"},` + good + `}`, []Problem{{"/target", `"a b" is no name of a host: not taken as the target`}}},
		{"two clusters", `{"cluster":"eu-1","target":{"host":"h","cluster":"eu-2"},` + good + `}`,
			[]Problem{{"/target/cluster", `"eu-2" is not possible, but cluster says "eu-1"`}}},
		{"names too long", `{"cluster":"` + long + `","target":{"host":"` + long + `"},` + good + `}`,
			[]Problem{{"/cluster", "is 254 bytes long; at most 253 are taken"}, {"/target/host", "is 254 bytes long; at most 253 are taken"}}},
		{"an id too long", `{"incident_id":"` + long + `",` + good + `}`, []Problem{{"/incident_id", "is 254 bytes long; it is of the form INC-1042, or a UUID"}}},
		{"a name twice", `{"incident_id":"INC-1","incident_id":"INC-2",` + good + `}`, []Problem{{"/incident_id", "duplicate object member name"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Evidence(input(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Rejected); diff != "" || got.Event.Evidence != nil {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
		})
	}
	for _, body := range []string{``, ` `, `[]`, `[{}]`, `"x"`, `null`, `{`, `{"incident_id":"INC-1"} {}`} {
		if got, err := Evidence(input(body)); err == nil {
			t.Errorf("%q is %+v, want an unreadable body", body, got)
		}
	}
}

// Evidence is kept once: the payload holds what came beside it, as it came.
func TestWithout(t *testing.T) {
	tests := [][2]string{
		{`{"a":1,"evidence":{"x":[1,{"evidence":2}]},"b":{"evidence":3}}`, `{"a":1,"b":{"evidence":3}}`},
		{`{"evidence":1}`, `{}`},
		{`{ "z" : 1.50 ,"evidence":2, "a\"b" : "c" }`, `{"z":1.50,"a\"b":"c"}`},
		{`{"\u0065vidence":1,"a":"\u0041"}`, `{"a":"\u0041"}`},
		{`[1]`, `[1]`},
		{`{"a":`, `{"a":`},
	}
	for _, tt := range tests {
		if got := string(without([]byte(tt[0]), "evidence")); got != tt[1] {
			t.Errorf("%s without evidence is %s, want %s", tt[0], got, tt[1])
		}
	}
}

func FuzzEvidence(f *testing.F) {
	f.Add([]byte(`{"incident_id":"INC-1","evidence":{"pods":[]}}`))
	f.Add([]byte(`{"cluster":"c","target":{"kind":"Pod","namespace":"n","name":"a","host":"h"},"evidence":{"cluster":"\ud83d\u0000"},"a\"":[1.5e3]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := Evidence(input(body))
		e := got.Event
		switch {
		case err != nil || got.Rejected != nil:
			if e.Evidence != nil {
				t.Fatalf("refused, and there: %s", e.Evidence)
			}
		case !json.Valid(e.Evidence), !json.Valid(e.Payload):
			t.Fatalf("evidence %q, payload %q", e.Evidence, e.Payload)
		case (got.Incident == "") == e.Target.IsZero():
			t.Fatalf("incident %q and target %+v", got.Incident, e.Target)
		case got.Incident == "" && e.Target.Cluster == "":
			t.Fatalf("no cluster: %+v", e.Target)
		}
	})
}
