package intake

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"salve/internal/incident"
)

// CloudEvents 1.0, structured or batched, in JSON: data is a native alert, and what it
// leaves out is taken from the event. Source: CloudEvents, "JSON Event Format".

type cloudEvent struct {
	SpecVersion string         `json:"specversion"`
	ID          string         `json:"id"`
	Source      string         `json:"source"`
	Type        string         `json:"type"`
	Subject     string         `json:"subject"`
	Time        string         `json:"time"`
	Data        jsontext.Value `json:"data"`
	DataBase64  string         `json:"data_base64"`
}

// parseCloudEvents reads one event or an array of them.
func parseCloudEvents(in Input) (Parsed, error) {
	b := newBody(in.Body)
	whole := b.whole()
	if whole.from == whole.to || b.text[whole.from] != '{' && b.text[whole.from] != '[' {
		return Parsed{}, b.wrongKind("the body is neither an object nor an array; send one CloudEvent in structured mode, or a batch")
	}
	spans := []span{whole}
	if b.text[whole.from] == '[' {
		w := b.walk()
		var err error
		if spans, err = w.elements(); err == nil {
			err = w.end()
		}
		if err != nil {
			return Parsed{}, unreadable(err)
		}
	}
	items := make([]Item, len(spans))
	for i, s := range spans {
		root := ""
		if b.text[whole.from] == '[' {
			root = "/" + strconv.Itoa(i)
		}
		items[i] = cloudEventItem(in, b, s, root)
	}
	if len(items) == 1 && len(items[0].Rejected) > 0 {
		if err := b.readable(); err != nil {
			return Parsed{}, err
		}
	}
	return Parsed{Items: items}, nil
}

func cloudEventItem(in Input, b body, s span, root string) Item {
	raw, f := b.item(s), &findings{notes: b.notes(s)}
	if len(raw) == 0 || raw[0] != '{' {
		f.refuse("", "must be an object")
		return f.rejected(root)
	}
	e, ok := decodeLoose[cloudEvent](raw, f)
	if ok {
		e.check(f)
	}
	if len(f.problems) > 0 {
		return f.rejected(root)
	}
	data, err := e.alert()
	if err != nil {
		f.refuse("/data", "%v", err)
		return f.rejected(root)
	}
	inner := body{text: data, given: data}
	item := nativeItem(in, inner, inner.whole(), root+"/data")
	if len(item.Rejected) == 0 {
		item.Event.Payload = without(raw, "data")
		item.Notes = append(f.notes, item.Notes...)
	}
	return item
}

func (e cloudEvent) check(f *findings) {
	if !strings.HasPrefix(e.SpecVersion, "1.") {
		f.refuse("/specversion", "%s; CloudEvents 1.0 is read", saw(e.SpecVersion))
	}
	for pointer, value := range map[string]string{"/id": e.ID, "/source": e.Source, "/type": e.Type} {
		if value == "" {
			f.refuse(pointer, "is missing; every CloudEvent has one")
		}
	}
	if e.DataBase64 != "" {
		f.refuse("/data_base64", "is not read here; send data as JSON")
	} else if e.Data.Kind() != '{' {
		f.refuse("/data", "must be a native alert, as POST /v1/alerts takes it, not %s", article(e.Data.Kind()))
	}
}

// alert is the event's data, completed from the event where it is silent: its source
// is the event's, its message the type, its service the subject.
func (e cloudEvent) alert() ([]byte, error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(e.Data, &members); err != nil {
		return nil, err
	}
	for name, value := range map[string]string{"source": "cloudevents", "message": e.Type, "service": e.Subject, "severity": string(incident.Warning)} {
		if _, said := members[name]; said || value == "" {
			continue
		}
		quotedValue, err := jsontext.AppendQuote(nil, clip(value, maxName))
		if err != nil {
			return nil, err
		}
		members[name] = quotedValue
	}
	var out bytes.Buffer
	err := json.MarshalWrite(&out, members, json.Deterministic(true))
	return out.Bytes(), err
}
