package http

import (
	"errors"
	"io"
	"mime"
	nethttp "net/http"
	"strings"
	"time"

	"salve/internal/fault"
)

// A body grows as it arrives, so that a claimed length costs nothing.
const firstBodyBytes = 64 << 10

// jsonBody reads the whole body and makes sure that it is one JSON value
// within its bounds. The slice belongs to the caller: parts of it are stored,
// and a committer may still hold them when the request has gone.
func (x *exchange) jsonBody() ([]byte, error) {
	if err := checkMediaType(x.r.Header); err != nil {
		return nil, err
	}
	if err := x.reserve(); err != nil {
		return nil, err
	}
	body, err := x.readBody()
	if err != nil {
		return nil, err
	}
	return body, checkJSON(body)
}

// formBody reads the whole body of a form, as it came: a token may be signed for it.
func (x *exchange) formBody() ([]byte, error) {
	const form = "application/x-www-form-urlencoded"
	if mediaType, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type")); err != nil || mediaType != form || x.r.Header.Get("Content-Encoding") != "" {
		return nil, fault.New(fault.UnsupportedMedia, "Content-Type %q is not read here; send %s as Slack does, unchanged.", clip(x.r.Header.Get("Content-Type")), form)
	}
	if err := x.reserve(); err != nil {
		return nil, err
	}
	return x.readBody()
}

func checkMediaType(header nethttp.Header) error {
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return fault.New(fault.UnsupportedMedia, "Content-Encoding %q is not read here; send the body as it is.", clip(encoding))
	}
	value := header.Get("Content-Type")
	if value == "application/json" {
		return nil
	}
	mediaType, params, err := mime.ParseMediaType(value)
	json := mediaType == "application/json" || strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json")
	charset := params["charset"]
	if err != nil || !json || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return fault.New(fault.UnsupportedMedia, "Content-Type %q is not read here; send application/json in UTF-8.", clip(value))
	}
	return nil
}

// smallBody is what needs no room in the budget of large ones: 64 KiB.
const smallBody = 64 << 10

// reserve takes the body's size from what all bodies together may take, so
// that many large ones are told to come back later instead of ending the
// process. Without a length the worst is assumed.
func (x *exchange) reserve() error {
	size := x.r.ContentLength
	if size > x.route.bodyLimit {
		return x.tooLarge()
	}
	if size < 0 {
		size = x.route.bodyLimit
	}
	if size <= smallBody {
		return nil // many large ones must not keep claims, results and a person's abort outside
	}
	x.reserved = size
	if x.server.bodyBudget.Add(size) > x.server.maxBodyBytes {
		return &fault.Fault{Kind: fault.Overloaded, Detail: "Too many large requests at once; send this one again later.", RetryAfter: time.Second}
	}
	return nil
}

func (x *exchange) readBody() ([]byte, error) {
	limit := x.route.bodyLimit
	reader := nethttp.MaxBytesReader(x.w, x.r.Body, limit)
	size := x.r.ContentLength
	if size < 0 || size > firstBodyBytes {
		size = firstBodyBytes
	}
	body, err := readAll(reader, make([]byte, 0, size+1))
	var tooLarge *nethttp.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, x.tooLarge()
	case err != nil:
		return nil, &fault.Fault{Kind: fault.Malformed, Detail: "The body ended before it was complete; send it again.", Err: err}
	}
	return body, nil
}

// readAll is io.ReadAll into a buffer whose size is known in the usual case:
// the spare byte lets it see the end without growing.
func readAll(r io.Reader, body []byte) ([]byte, error) {
	for {
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, nil
		}
		if err != nil {
			return body, err
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
	}
}

func (x *exchange) tooLarge() error {
	return fault.New(fault.TooLarge, "The body is over %d MiB, which is the limit here; send it in parts.", x.route.bodyLimit>>20)
}

func clip(word string) string {
	const limit = 100
	if len(word) > limit {
		word = word[:limit] + "…"
	}
	return strings.ToValidUTF8(word, "?")
}
