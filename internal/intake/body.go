package intake

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// maxItems bounds what one request can make of a few bytes an item.
const maxItems = 50_000

var nul, replacement = []byte(`\u0000`), []byte(`\ufffd`)

// body is a request's text. Postgres can hold no NUL in text or jsonb, and a
// log line with one must not cost the alert: every NUL is read as U+FFFD, which
// has an escape of the same length, so that offsets hold for both.
type body struct {
	text  []byte
	given []byte
}

func newBody(given []byte) body {
	if !bytes.Contains(given, nul) {
		return body{text: given, given: given}
	}
	text := bytes.Clone(given)
	for at := 0; ; {
		i := bytes.Index(text[at:], nul)
		if i < 0 {
			return body{text: text, given: given}
		}
		at += i
		if !escaped(text, at) {
			copy(text[at:], replacement)
		}
		at += len(nul)
	}
}

// escaped says whether the backslash at i is itself behind a backslash.
func escaped(text []byte, i int) bool {
	n := 0
	for i-n > 0 && text[i-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

// span is where an item stands in a body.
type span struct{ from, to int }

func (b body) item(s span) []byte { return b.text[s.from:s.to] }

func (b body) notes(s span) []string {
	if bytes.Equal(b.text[s.from:s.to], b.given[s.from:s.to]) {
		return nil
	}
	return []string{`NUL characters (\u0000) were read as U+FFFD`}
}

// whole is the body's text without the space around it.
func (b body) whole() span {
	from := len(b.text) - len(bytes.TrimLeft(b.text, " \t\r\n"))
	return span{from, from + len(bytes.TrimRight(b.text[from:], " \t\r\n"))}
}

// walker reads the outer layers of a body. It tolerates doubled names and bad
// UTF-8 inside items: each item is read strictly afterwards, and refused alone.
type walker struct{ *jsontext.Decoder }

func (b body) walk() walker {
	return walker{jsontext.NewDecoder(bytes.NewBuffer(b.text),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// elements reads an array and gives the place of each element.
func (w walker) elements() ([]span, error) {
	if _, err := w.ReadToken(); err != nil {
		return nil, err
	}
	var spans []span
	for w.PeekKind() != ']' {
		value, err := w.ReadValue()
		if err != nil {
			return nil, err
		}
		if len(spans) == maxItems {
			return nil, &BodyError{Detail: "more than " + strconv.Itoa(maxItems) + " alerts in one request; send them in several", Offset: w.InputOffset()}
		}
		end := int(w.InputOffset())
		spans = append(spans, span{end - len(value), end})
	}
	_, err := w.ReadToken()
	return spans, err
}

// end makes sure that nothing follows.
func (w walker) end() error {
	at := w.InputOffset()
	if _, err := w.ReadToken(); !errors.Is(err, io.EOF) {
		return &BodyError{Detail: "something follows the JSON value; send one value", Offset: at}
	}
	return nil
}

// readable says what is wrong with the body as JSON, whatever it holds.
func (b body) readable() error {
	w := b.walk()
	if err := w.SkipValue(); err != nil {
		return unreadable(err)
	}
	return w.end()
}

// wrongKind tells JSON of the wrong kind from broken JSON.
func (b body) wrongKind(detail string) error {
	if err := b.readable(); err != nil {
		return err
	}
	return &BodyError{Detail: detail, Offset: -1}
}

// unreadable turns any error of reading a body into a *BodyError.
func unreadable(err error) error {
	if known, ok := errors.AsType[*BodyError](err); ok {
		return known
	}
	if bad, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return &BodyError{Detail: "the body is not valid JSON: " + bad.Err.Error(), Pointer: string(bad.JSONPointer), Offset: bad.ByteOffset}
	}
	return &BodyError{Detail: "the body is not valid JSON: " + err.Error(), Offset: -1}
}
