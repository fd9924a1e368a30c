package intake

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"salve/internal/incident"
)

// A sender posts one thing a request in words of its own. Its file says how that is
// read; what all of them have in common stands here. None of them says again at the
// end when a thing began, so that an episode is whatever is open under the fingerprint.

// sender is one such source.
type sender struct {
	source string
	posts  string // what its payload is, for whoever sent something else
	read   func(raw []byte, f *findings) (told, bool)
}

// told is one thing in Salve's words.
type told struct {
	status      incident.AlertStatus
	suppress    string // why it is no incident: neither begun nor over
	name        string
	message     string
	severity    incident.Severity
	fingerprint []string // what it is the same by
	kind        string   // the first hypothesis, where the sender's words carry one
	service     string
	host        string
	at          time.Time // when it changed
	labels      map[string]string
}

// parse reads a request of a sender: one object.
func (s sender) parse(in Input) (Parsed, error) {
	b := newBody(in.Body)
	whole := b.whole()
	if whole.from == whole.to || b.text[whole.from] != '{' {
		return Parsed{}, b.wrongKind("the body is no object; send " + s.posts + " as it came")
	}
	item := s.item(in, b, whole, "")
	if len(item.Rejected) > 0 {
		if err := b.readable(); err != nil {
			return Parsed{}, err
		}
	}
	return Parsed{Items: []Item{item}}, nil
}

func (s sender) item(in Input, b body, whole span, root string) Item {
	raw, f := b.item(whole), &findings{notes: b.notes(whole)}
	t, ok := s.read(raw, f)
	if !ok || len(f.problems) > 0 {
		if len(f.problems) == 0 {
			f.refuse("", "is not %s", s.posts)
		}
		return f.rejected(root)
	}
	labels := f.fitPairs("label", t.labels, maxLabelValue)
	cluster := in.cluster(labels["cluster"])
	fingerprint := fieldFingerprint(s.source, cluster, t.fingerprint...)
	event := incident.Event{
		Source: s.source, Status: cmp.Or(t.status, incident.Firing), Fingerprint: fingerprint,
		Name: cmp.Or(clip(firstLine(t.name), maxTitle), unnamed), Severity: cmp.Or(t.severity, incident.Warning),
		Message: clip(cmp.Or(t.message, t.name), maxText), Labels: labels, Payload: raw,
	}
	if event.Status == incident.Resolved {
		event.EndsAt = t.at
	}
	item := in.item(event, clues{cluster: cluster, host: t.host, service: t.service, labels: labels}, t.kind, f)
	item.Suppress = cmp.Or(item.Suppress, t.suppress)
	return item
}

// decodeLoose reads the members that are known, whatever else there is. It is not ok
// where one of them is of another type.
func decodeLoose[T any](raw []byte, f *findings) (v T, ok bool) {
	if err := json.Unmarshal(raw, &v, jsontext.AllowDuplicateNames(true)); err != nil {
		f.unreadable(err)
		return v, false
	}
	return v, true
}

// moment reads a time as senders write it: RFC 3339, AWS' way, a space instead of the
// T, Unix seconds or milliseconds. What cannot be read is no time.
func moment(text string) time.Time {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05.000-0700", "2006-01-02 15:04:05", "2006-01-02 15:04:05.000"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || n <= 0:
		return time.Time{}
	case n > 1e11:
		return time.UnixMilli(n).UTC()
	default:
		return time.Unix(n, 0).UTC()
	}
}

// text is a member that may be a string or a number.
type text string

// UnmarshalJSON reads a string, a number, true, false or null.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	switch {
	case len(raw) > 0 && raw[0] == '"':
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*t = text(s)
	case string(raw) == "null":
		*t = ""
	case len(raw) > 0 && (raw[0] == '{' || raw[0] == '['):
		return fmt.Errorf("must be a string or a number")
	default:
		*t = text(raw)
	}
	return nil
}

// tagged reads tags as name:value, separated by commas, into labels; a tag without a
// value is left out.
func tagged(tags string, names map[string]string, into map[string]string) {
	for _, tag := range strings.Split(tags, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(tag), ":")
		if name = cmp.Or(names[name], name); name != "" && value != "" && len(into) < maxPairs {
			into[name] = value
		}
	}
}
