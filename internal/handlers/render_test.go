package handlers

import (
	"encoding/json"
	"testing"

	"salve/internal/incident"
)

func TestAnswerRenders(t *testing.T) {
	intent := IntentView{ShortID: "INT-7", Doc: json.RawMessage(`{"id":"1","action":"collect.pod"}`), State: incident.Ready}
	tests := map[string]struct {
		answer Answer
		want   string
	}{
		"nothing":      {Answer{Status: StatusHealthy}, `{"status":"healthy","results":[],"intents":[]}`},
		"word by word": {Answer{Status: StatusHealthy, Raw: []byte(`{"status": "duplicate"}`)}, `{"status": "duplicate"}`},
		"items": {Answer{Status: StatusDiagnosing, Results: []ItemResult{{Outcome: incident.Accepted}, {Outcome: incident.Rejected, Reasons: []string{"a < b"}}}, Intents: []IntentView{intent, intent}},
			`{"status":"diagnosing","results":[{"event_id":null,"outcome":"accepted","incident_id":null,"diagnosis":null,"decision":null,"reasons":null},` +
				`{"event_id":null,"outcome":"rejected","incident_id":null,"diagnosis":null,"decision":null,"reasons":["a < b"]}],` +
				`"intents":[{"short_id":"INT-7","incident_id":"00000000-0000-0000-0000-000000000000","state":"ready","not_before":"0001-01-01T00:00:00Z","id":"1","action":"collect.pod"},{"short_id":"INT-7","incident_id":"00000000-0000-0000-0000-000000000000","state":"ready","not_before":"0001-01-01T00:00:00Z","id":"1","action":"collect.pod"}]}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := test.answer.AppendJSON([]byte("x"))
			if err != nil || string(got) != "x"+test.want || !json.Valid(got[1:]) {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

func TestIntentWithoutDocument(t *testing.T) {
	for _, doc := range []string{"", "{}", "null", "[1,2,3,4,5]"} {
		if got, err := (IntentView{ShortID: "INT-7", Doc: json.RawMessage(doc)}).AppendJSON(nil); err == nil {
			t.Errorf("%q gave %s", doc, got)
		}
	}
}
