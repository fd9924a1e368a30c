package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"salve/internal/incident"
)

// AppendJSON writes the answer. One that is given again under its
// Idempotency-Key is given word for word.
func (a Answer) AppendJSON(dst []byte) ([]byte, error) {
	if a.Raw != nil {
		return append(dst, a.Raw...), nil
	}
	dst = append(dst, '{')
	if a.Capacity != nil {
		var err error
		if dst, err = a.Capacity.appendJSON(dst); err != nil {
			return nil, err
		}
	}
	dst = append(dst, `"status":"`...)
	dst = append(dst, a.Status...)
	dst = append(dst, `","results":[`...)
	dst, err := appendResults(dst, a.Results)
	if err != nil {
		return nil, err
	}
	dst = append(dst, `],"intents":[`...)
	for i, intent := range a.Intents {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = intent.AppendJSON(dst); err != nil {
			return nil, err
		}
	}
	return append(dst, `]}`...), nil
}

// MarshalJSON is AppendJSON for encoding/json.
func (a Answer) MarshalJSON() ([]byte, error) { return a.AppendJSON(nil) }

func appendResults(dst []byte, results []ItemResult) ([]byte, error) {
	for i := range results {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = results[i].appendJSON(dst); err != nil {
			return nil, fmt.Errorf("render result %d: %w", i, err)
		}
	}
	return dst, nil
}

// appendJSON writes by hand what every item of every answer has; diagnosis and
// decision are JSON already, as they were stored.
func (r *ItemResult) appendJSON(dst []byte) ([]byte, error) {
	dst = appendID(append(dst, `{"event_id":`...), r.EventID)
	dst = append(append(dst, `,"outcome":"`...), r.Outcome...)
	dst = appendID(append(dst, `","incident_id":`...), r.IncidentID)
	dst = appendRaw(append(dst, `,"diagnosis":`...), r.Diagnosis)
	dst = appendRaw(append(dst, `,"decision":`...), r.Decision)
	dst, err := appendValue(append(dst, `,"reasons":`...), r.Reasons)
	if err == nil && len(r.Errors) > 0 {
		dst, err = appendValue(append(dst, `,"errors":`...), r.Errors)
	}
	return append(dst, '}'), err
}

func appendID(dst []byte, id *incident.ID) []byte {
	if id == nil {
		return append(dst, "null"...)
	}
	dst, _ = id.AppendText(append(dst, '"'))
	return append(dst, '"')
}

func appendRaw(dst []byte, raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return append(dst, "null"...)
	}
	return append(dst, raw...)
}

func appendValue(dst []byte, v any) ([]byte, error) {
	out := bytes.NewBuffer(dst)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	out.Truncate(out.Len() - 1) // Encode ends its line
	return out.Bytes(), nil
}

// AppendJSON writes the intent: what may change in front of its document.
func (v IntentView) AppendJSON(dst []byte) ([]byte, error) {
	doc := bytes.TrimSpace(v.Doc)
	if len(doc) < len(`{"id":0}`) || doc[0] != '{' || doc[len(doc)-1] != '}' {
		return nil, fmt.Errorf("render intent %s: its document is no object with members", v.ID)
	}
	dst = append(append(dst, `{"short_id":"`...), v.ShortID...)
	dst = appendID(append(dst, `","incident_id":`...), &v.IncidentID)
	dst = append(append(dst, `,"state":"`...), v.State...)
	dst = v.NotBefore.UTC().AppendFormat(append(dst, `","not_before":"`...), time.RFC3339Nano)
	return append(append(dst, `",`...), doc[1:]...), nil
}

// MarshalJSON is AppendJSON for encoding/json.
func (v IntentView) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil) }
