package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"time"

	"salve/internal/fault"
)

type strictness bool

const (
	strict  strictness = true // unknown members are refused
	lenient strictness = false
)

// decode reads the body into a request.
func (x *exchange) decode(req any, mode strictness) error {
	body, err := x.jsonBody()
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	if mode == strict {
		decoder.DisallowUnknownFields()
	}
	if err := decoder.Decode(req); err != nil {
		return explainDecode(body, err)
	}
	return nil
}

// explainDecode turns encoding/json's errors into the field they are about.
// The syntax is known to be right already.
func explainDecode(body []byte, err error) error {
	var wrongType *json.UnmarshalTypeError
	var wrongTime *time.ParseError
	switch {
	case errors.As(err, &wrongType):
		return invalid(pointerOf(wrongType.Field), "must be "+inWords(wrongType.Type)+", not "+wrongType.Value)
	case errors.As(err, &wrongTime):
		return invalid(memberWith(body, wrongTime.Value), "must be a time as in RFC 3339, such as 2026-03-01T03:15:00Z")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return invalid("/"+escapePointer(strings.Trim(name, `"`)), "is not known here; check its spelling")
	}
	return &fault.Fault{Kind: fault.Invalid, Detail: "A field has a value that cannot be read: times are strings as in RFC 3339, ids are UUIDs.", Err: err}
}

func pointerOf(field string) string {
	if field == "" {
		return ""
	}
	return "/" + strings.ReplaceAll(field, ".", "/")
}

func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(clip(name))
}

// memberWith finds the member that holds a value which time.Time would not
// read; its error does not name it.
func memberWith(body []byte, value string) string {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return ""
	}
	for name, raw := range members {
		if string(bytes.Trim(raw, `"`)) == strings.Trim(value, `"`) && strings.HasSuffix(name, "_at") {
			return "/" + escapePointer(name)
		}
	}
	return ""
}

func inWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}
