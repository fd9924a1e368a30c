package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Facts are written by many programs: used_percent, usedPercent and UsePercent are
// one thing. A field is found by its name without case, dashes and underscores,
// or by one of the names that its `also` tag lists; what has no field and is a
// number goes to the field tagged `rest`. What cannot be read is named, and the
// rest of the fact is used.

// maxParts bounds the parts of one list or map within a fact.
const maxParts = 20_000

// loosely fills a fact; wrong is told of each part that could not be read.
func loosely(raw json.RawMessage, into reflect.Value, at string, wrong func(at, detail string)) {
	if absent(raw) {
		return
	}
	if reader, ok := into.Addr().Interface().(json.Unmarshaler); ok {
		if err := reader.UnmarshalJSON(raw); err != nil {
			wrong(at, err.Error())
		}
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		loosely(raw, into.Elem(), at, wrong)
	case reflect.Struct:
		looseStruct(raw, into, at, wrong)
	case reflect.Slice:
		looseSlice(raw, into, at, wrong)
	case reflect.Map:
		looseMap(raw, into, at, wrong)
	case reflect.String:
		looseString(raw, into, at, wrong)
	case reflect.Bool:
		into.SetBool(slices.Contains([]string{"true", "yes", "1"}, strings.ToLower(strings.Trim(string(raw), `" `))))
	}
}

func looseStruct(raw json.RawMessage, into reflect.Value, at string, wrong func(at, detail string)) {
	t := fieldsOf[into.Type()]
	if firstByte(raw) == '"' && t.name != nil {
		loosely(raw, into.FieldByIndex(t.name), at, wrong) // a process that is only named
		return
	}
	var in map[string]json.RawMessage
	if json.Unmarshal(raw, &in) != nil {
		wrong(at, "must be an object")
		return
	}
	done := map[string]bool{}
	for _, key := range t.ordered(in) {
		f, ok := t.fields[plainKey(key)]
		if ok && !done[f.name] {
			loosely(in[key], into.FieldByIndex(f.index), at+"/"+pointerPart(key), wrong)
			done[f.name] = true
		} else if !ok && t.rest != nil {
			keepNumber(key, in[key], into.FieldByIndex(t.rest))
		}
	}
}

func looseSlice(raw json.RawMessage, into reflect.Value, at string, wrong func(at, detail string)) {
	items := []json.RawMessage{raw}
	if firstByte(raw) == '[' {
		if json.Unmarshal(raw, &items) != nil {
			wrong(at, "must be an array")
			return
		}
	}
	if len(items) > maxParts {
		wrong(at, fmt.Sprintf("%d entries: the first %d are used", len(items), maxParts))
		items = items[:maxParts]
	}
	out := reflect.MakeSlice(into.Type(), 0, len(items))
	for i, item := range items {
		one := reflect.New(into.Type().Elem()).Elem()
		before := false
		loosely(item, one, fmt.Sprintf("%s/%d", at, i), func(at, detail string) { before = true; wrong(at, detail) })
		if !before || !one.IsZero() {
			out = reflect.Append(out, one)
		}
	}
	into.Set(out)
}

func looseMap(raw json.RawMessage, into reflect.Value, at string, wrong func(at, detail string)) {
	var in map[string]json.RawMessage
	if json.Unmarshal(raw, &in) != nil {
		wrong(at, "must be an object")
		return
	}
	keys := slices.Sorted(maps.Keys(in))
	if into.IsNil() {
		into.Set(reflect.MakeMap(into.Type()))
	}
	for _, key := range keys[:min(len(keys), maxParts)] {
		if into.Type().Elem() == reflect.TypeFor[Number]() {
			if !keepNumber(key, in[key], into) && !absent(in[key]) {
				wrong(at+"/"+pointerPart(key), "must be a number")
			}
			continue
		}
		one := reflect.New(into.Type().Elem()).Elem()
		loosely(in[key], one, at+"/"+pointerPart(key), wrong)
		into.SetMapIndex(reflect.ValueOf(key), one)
	}
}

// keepNumber adds a measured value to a map. A unit that is written with the
// value goes into its name: 0.4% of error_rate is error_rate_percent.
func keepNumber(key string, raw json.RawMessage, into reflect.Value) bool {
	if firstByte(raw) == '{' || firstByte(raw) == '[' || absent(raw) || string(raw) == "true" || string(raw) == "false" {
		return false
	}
	text := strings.TrimSpace(strings.Trim(string(raw), `"`))
	for _, u := range []struct{ suffix, name string }{{"%", "_percent"}, {"ms", "_ms"}, {"s", "_seconds"}} {
		if number, ok := strings.CutSuffix(text, u.suffix); ok && number != "" {
			text, key = strings.TrimSpace(number), key+u.name
			break
		}
	}
	var n Number
	if n.UnmarshalJSON([]byte(text)) != nil || !n.Known {
		return false
	}
	if into.IsNil() {
		into.Set(reflect.MakeMap(into.Type()))
	}
	if into.Len() < maxParts {
		into.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(n))
	}
	return true
}

// looseString takes a name as it is, and of an object its parts: an issuer may be
// {"commonName": "R3", "organization": "Let's Encrypt"}.
func looseString(raw json.RawMessage, into reflect.Value, at string, wrong func(at, detail string)) {
	switch firstByte(raw) {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			into.SetString(s)
		}
	case '{':
		var in map[string]any
		if json.Unmarshal(raw, &in) != nil {
			return
		}
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(in)) {
			if s, ok := in[key].(string); ok {
				parts = append(parts, shortName(key)+"="+s)
			}
		}
		into.SetString(strings.Join(parts, ", "))
	case '[':
		wrong(at, "must be a string")
	default:
		into.SetString(strings.TrimSpace(string(raw)))
	}
}

func shortName(key string) string {
	switch plainKey(key) {
	case "commonname", "cn":
		return "CN"
	case "organization", "organisation", "o":
		return "O"
	case "country", "c":
		return "C"
	}
	return key
}

// plainKey is a name without the ways in which people write it.
func plainKey(name string) string {
	return strings.ToLower(unpunctuated.Replace(clip(name, 100)))
}

var unpunctuated = strings.NewReplacer("_", "", "-", "", " ", "", ".", "")

func pointerPart(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(clip(key, 100))
}

// fieldTable is how the fields of one type are found.
type fieldTable struct {
	fields map[string]field
	rest   []int // the field for numbers that have none
	name   []int // the field that a bare string stands for
}

type field struct {
	index []int
	name  string
	rank  int // the name itself comes before its other names
}

// ordered are a document's keys, those that name a field outright first, so that
// an exact name wins over its variants whatever the order.
func (t fieldTable) ordered(in map[string]json.RawMessage) []string {
	keys := slices.Sorted(maps.Keys(in))
	rank := func(key string) int {
		f, ok := t.fields[plainKey(key)]
		switch {
		case ok && f.name == key:
			return -1
		case ok:
			return f.rank
		}
		return 100
	}
	slices.SortStableFunc(keys, func(a, b string) int { return rank(a) - rank(b) })
	return keys[:min(len(keys), maxParts)]
}

// fieldsOf holds the table of every type that facts are made of.
var fieldsOf = func() map[reflect.Type]fieldTable {
	out := map[reflect.Type]fieldTable{}
	for _, fact := range []any{Disk{}, certificateDoc{}, Backup{}, Service{}, dbDoc{}, usageDoc{}, Aggregate{}, Log{}, File{}, securityDoc{}} {
		tabulate(reflect.TypeOf(fact), out)
	}
	return out
}()

func tabulate(t reflect.Type, out map[reflect.Type]fieldTable) {
	switch t.Kind() {
	case reflect.Slice, reflect.Pointer, reflect.Map:
		tabulate(t.Elem(), out)
		return
	case reflect.Struct:
	default:
		return
	}
	if _, done := out[t]; done {
		return
	}
	table := fieldTable{fields: map[string]field{}}
	out[t] = table
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous || !f.IsExported() {
			continue
		}
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Tag.Get("rest") != "" {
			table.rest = f.Index
		}
		if tag == "name" {
			table.name = f.Index
		}
		for rank, name := range append([]string{tag}, strings.Split(f.Tag.Get("also"), ",")...) {
			had, taken := table.fields[plainKey(name)]
			if name != "" && name != "-" && (!taken || rank < had.rank) {
				table.fields[plainKey(name)] = field{f.Index, tag, rank}
			}
		}
		tabulate(f.Type, out)
	}
	out[t] = table
}

// fact reads one fact into its document. Only what is no object at all is none.
func (r *reader) fact(at string, raw json.RawMessage, into any, must string) error {
	if firstByte(raw) != '{' {
		return errors.New(must)
	}
	loosely(raw, reflect.ValueOf(into).Elem(), at, r.problem)
	return nil
}
