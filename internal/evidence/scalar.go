package evidence

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Number is a measured value, or unknown. It is also read from strings as tools
// print them: "87%", "1024", "45G".
type Number struct {
	Value float64
	Known bool
}

// Of is a known number.
func Of(v float64) Number { return Number{v, true} }

// UnmarshalJSON reads a number, a string that holds one, or null for unknown.
func (n *Number) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(strings.TrimSpace(string(raw)), `"`)
	if slices.Contains(unsaid, strings.ToLower(text)) {
		*n = Number{}
		return nil
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	if err != nil && firstByte(raw) == '"' {
		var ok bool
		if *n, ok = size(strings.ReplaceAll(text, " ", ""), 1, 1024); ok {
			return nil
		}
	}
	if err != nil || !(math.Abs(v) <= absurd) {
		return fmt.Errorf("%.40q is not a number", text)
	}
	*n = Of(v)
	return nil
}

// unsaid are the ways of saying that something was not measured.
var unsaid = []string{"null", "", "-", "unknown", "n/a", "none"}

// absurd is more than anything that is measured.
const absurd = 1e24

// MarshalJSON gives the number, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Known {
		return []byte("null"), nil
	}
	return json.Marshal(n.Value)
}

// String is the shortest form that reads back, without an exponent; "?" when unknown.
func (n Number) String() string {
	if !n.Known {
		return "?"
	}
	return strconv.FormatFloat(math.Round(n.Value*100)/100, 'f', -1, 64)
}

// Word is a string that some senders write as true or false.
type Word string

// UnmarshalJSON reads a string or a boolean; true is enabled, false disabled.
func (w *Word) UnmarshalJSON(raw []byte) error {
	switch text := strings.TrimSpace(string(raw)); text {
	case "true":
		*w = "enabled"
	case "false":
		*w = "disabled"
	case "null":
		*w = ""
	default:
		return json.Unmarshal(raw, (*string)(w))
	}
	return nil
}

// Time is a time in any of the forms that the tools of SPEC section 11 print;
// zero when unknown.
type Time struct{ time.Time }

// layouts beside RFC 3339: openssl's, systemd's, certbot's, Go's and kubectl
// describe's, pgBackRest's, and Unix dates.
var layouts = []string{
	time.RFC3339Nano, "Jan _2 15:04:05 2006 MST", "2006-01-02 15:04:05-07:00", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05",
	"2006-01-02T15:04:05", "Mon 2006-01-02 15:04:05 MST", time.UnixDate, time.ANSIC, "2006-01-02",
	time.RFC1123Z, time.RFC1123, "2006-01-02 15:04:05 -0700 MST", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05-07",
}

// UnmarshalJSON reads a time or null; a number is Unix seconds, or milliseconds.
func (t *Time) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(strings.TrimSpace(string(raw)), `"`)
	if text == "null" || text == "" {
		*t = Time{}
		return nil
	}
	at, ok := ParseTime(text)
	if !ok {
		return fmt.Errorf("%.40q is not a time such as 2026-11-23T03:15:00Z", text)
	}
	*t = Time{at}
	return nil
}

// ParseTime reads a time as tools print it, in UTC.
func ParseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if len(text) < len("2006-01-02") || len(text) > maxTimeText {
		return unixTime(text)
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), true
		}
	}
	return unixTime(text)
}

// maxTimeText is longer than any layout's text.
const maxTimeText = 64

func unixTime(text string) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(seconds) || seconds <= 0 || seconds > 4e12 {
		return time.Time{}, false
	}
	if seconds > 1e11 {
		seconds /= 1000
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC(), true
}

// AlertName is the name of an alert, given as a string or as an object that names it.
type AlertName string

// UnmarshalJSON reads "Name", {"name": …}, {"alertname": …} or {"labels": {"alertname": …}}.
func (a *AlertName) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, (*string)(a)) == nil {
		return nil
	}
	var o struct {
		Name      string `json:"name"`
		AlertName string `json:"alertname"`
		Labels    struct {
			AlertName string `json:"alertname"`
		} `json:"labels"`
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		return fmt.Errorf("an alert is a name, or an object with name or alertname")
	}
	for _, name := range []string{o.Name, o.AlertName, o.Labels.AlertName} {
		if name != "" {
			*a = AlertName(name)
		}
	}
	return nil
}
