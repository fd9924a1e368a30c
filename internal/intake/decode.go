package intake

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxProblems bounds the list of one item: after that many nobody reads on.
const maxProblems = 32

// findings collects what is wrong with one item and what was bent to carry it.
// Pointers are relative to the item.
type findings struct {
	problems []Problem
	notes    []string
}

func (f *findings) refuse(pointer, format string, args ...any) {
	if len(f.problems) < maxProblems {
		f.problems = append(f.problems, Problem{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
}

func (f *findings) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if len(f.notes) < maxProblems && !slices.Contains(f.notes, text) {
		f.notes = append(f.notes, text)
	}
}

// rejected gives the item its problems, with pointers from the body's root.
func (f *findings) rejected(root string) Item {
	for i := range f.problems {
		f.problems[i].Pointer = root + f.problems[i].Pointer
	}
	return Item{Rejected: f.problems, Notes: f.notes}
}

// decode reads one item strictly. Only an item that fails is read a second
// time, to find all of its wrong types and not the first one alone.
func decode[T any](raw []byte, f *findings) (v T, ok bool) {
	if kind := jsontext.Value(raw).Kind(); kind != '{' {
		f.refuse("", "must be an object, not %s", article(kind))
		return v, false
	}
	err := json.Unmarshal(raw, &v)
	if err == nil {
		return v, true
	}
	var second T
	lenient := json.WithUnmarshalers(json.JoinUnmarshalers(
		expect[string](f, "a string", '"', 'n'),
		expect[bool](f, "true or false", 't', 'f', 'n'),
		expect[map[string]string](f, "an object with string values", '{', 'n'),
		expect[givenTarget](f, "an object", '{', 'n'),
	))
	if again := json.Unmarshal(raw, &second, lenient); again != nil || len(f.problems) == 0 {
		f.unreadable(cmp.Or(again, err))
	}
	return v, false
}

// unreadable names what is wrong with an item that is not strict JSON: doubled
// names, bad UTF-8.
func (f *findings) unreadable(err error) {
	if bad, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		f.refuse(string(bad.JSONPointer), "%v", bad.Err)
		return
	}
	f.refuse("", "%v", err)
}

// expect lets values of type T through when they begin as they should; others
// are named and skipped.
func expect[T any](f *findings, want string, begin ...jsontext.Kind) *json.Unmarshalers {
	return json.UnmarshalFromFunc(func(dec *jsontext.Decoder, _ *T) error {
		kind := dec.PeekKind()
		if kind == 0 || slices.Contains(begin, kind) {
			return errors.ErrUnsupported
		}
		if err := dec.SkipValue(); err != nil {
			return err
		}
		f.refuse(string(dec.StackPointer()), "must be %s, not %s", want, article(kind))
		return nil
	})
}

func article(kind jsontext.Kind) string {
	switch kind {
	case '[':
		return "an array"
	case '{':
		return "an object"
	case '"', '0':
		return "a " + kind.String()
	default:
		return kind.String()
	}
}
