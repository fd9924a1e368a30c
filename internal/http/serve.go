package http

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	nethttp "net/http"
	"strconv"
	"strings"
)

// Buffers that grew beyond this are not kept.
const maxPooledBytes = 1 << 20

// serve is the one adapter between the wire and a use case: bind, validate,
// call, encode.
func serve[Req, Resp any](bind func(*exchange, *Req) error, use UseCase[Req, Resp]) endpoint {
	return func(x *exchange) error {
		var req Req
		if err := bind(x, &req); err != nil {
			return err
		}
		if err := x.server.validator.check(&req); err != nil {
			return err
		}
		resp, err := use(x.ctx, x.caller, req)
		if err != nil {
			return err
		}
		return x.reply(resp)
	}
}

// appender is an answer that renders itself, for answers that are mostly
// stored JSON already.
type appender interface {
	AppendJSON(dst []byte) ([]byte, error)
}

// readable is an answer that people may want to read as it is.
type readable interface{ Markdown() string }

// wantsMarkdown says whether text/markdown was asked for, and JSON was not.
func wantsMarkdown(r *nethttp.Request) bool {
	for _, accepted := range strings.Split(r.Header.Get("Accept"), ",") {
		switch mediaType, _, _ := mime.ParseMediaType(accepted); mediaType {
		case "text/markdown":
			return true
		case "application/json":
			return false
		}
	}
	return false
}

func (x *exchange) reply(answer any) error {
	if d, is := answer.(readable); is && wantsMarkdown(x.r) {
		x.send(nethttp.StatusOK, "text/markdown; charset=utf-8", []byte(d.Markdown()))
		return nil
	}
	buffer := x.server.buffers.Get().(*bytes.Buffer)
	defer x.server.keep(buffer)
	if err := render(buffer, answer); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	x.send(nethttp.StatusOK, "application/json", buffer.Bytes())
	return nil
}

func render(buffer *bytes.Buffer, answer any) error {
	if a, ok := answer.(appender); ok {
		data, err := a.AppendJSON(buffer.AvailableBuffer())
		buffer.Write(data)
		return err
	}
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(answer)
}

func (x *exchange) send(status int, contentType string, body []byte) {
	header := x.w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if header.Get("Cache-Control") == "" {
		header.Set("Cache-Control", "no-store")
	}
	x.WriteHeader(status)
	// A failed write means that the caller is gone; there is nobody to tell.
	_, _ = x.Write(body)
}

func (s *Server) keep(buffer *bytes.Buffer) {
	if buffer.Cap() <= maxPooledBytes {
		buffer.Reset()
		s.buffers.Put(buffer)
	}
}
