package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// AppendJSON writes the answer. One that is given again under its
// Idempotency-Key is given word for word.
func (a Answer) AppendJSON(dst []byte) ([]byte, error) {
	if a.Raw != nil {
		return append(dst, a.Raw...), nil
	}
	dst = append(dst, `{"status":"`...)
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
	out := bytes.NewBuffer(dst)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for i, result := range results {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := encoder.Encode(result); err != nil {
			return nil, fmt.Errorf("render result %d: %w", i, err)
		}
		out.Truncate(out.Len() - 1) // Encode ends its line
	}
	return out.Bytes(), nil
}

// AppendJSON writes the intent: what changes or the database gave in front of
// Doc, which must be an object with members and without short_id and state.
func (v IntentView) AppendJSON(dst []byte) ([]byte, error) {
	doc := bytes.TrimSpace(v.Doc)
	if len(doc) < len(`{"id":0}`) || doc[0] != '{' || doc[len(doc)-1] != '}' {
		return nil, fmt.Errorf("render intent %s: its document is no object with members", v.ID)
	}
	dst = append(dst, `{"short_id":"`...)
	dst = append(dst, v.ShortID...)
	dst = append(dst, `","state":"`...)
	dst = append(dst, v.State...)
	dst = append(dst, `",`...)
	return append(dst, doc[1:]...), nil
}

// MarshalJSON is AppendJSON for encoding/json.
func (v IntentView) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil) }
