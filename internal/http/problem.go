package http

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	nethttp "net/http"
	"strconv"
	"time"

	"salve/internal/fault"
)

// problemKind is what the world sees of a fault's kind. The type is a stable
// path, and a page that explains it.
type problemKind struct {
	status int
	title  string
	help   string
}

// defaultRetryAfter is told with every 503 that names no time of its own.
const defaultRetryAfter = 2 * time.Second

// problemOf is the one table from fault to problem. It has every kind; a test
// compares it with the kinds there are. Overload is 503 and never 429, because
// Alertmanager retries only 5xx and takes 4xx as final.
func problemOf(kind fault.Kind) (problemKind, bool) {
	switch kind {
	case fault.Malformed:
		return problemKind{nethttp.StatusBadRequest, "The body cannot be read",
			"The body is not one complete JSON value in UTF-8, or nests too deep. The detail says at which byte."}, true
	case fault.Invalid:
		return problemKind{nethttp.StatusUnprocessableEntity, "Some fields are not valid",
			"The JSON is fine, but a field has the wrong type, is missing or breaks a rule. Each is named in errors by its JSON pointer."}, true
	case fault.AllRejected:
		return problemKind{nethttp.StatusUnprocessableEntity, "Every item was rejected",
			"Nothing of the batch could be taken. The reasons are given item by item. One good item would have been accepted."}, true
	case fault.Unauthenticated:
		return problemKind{nethttp.StatusUnauthorized, "No valid token",
			"Send Authorization: Bearer and a token signed with a key whose public half this server holds. The reason says what was wrong with yours; salve token makes one."}, true
	case fault.Forbidden:
		return problemKind{nethttp.StatusForbidden, "The token lacks a scope",
			"The token is valid, but does not carry the scope named in required_scope. Scopes do not contain each other: admin cannot read."}, true
	case fault.NotFound:
		return problemKind{nethttp.StatusNotFound, "Not found",
			"There is no such path, or no such incident or intent. Both are found by UUID and by short id (INC-1042, INT-2077)."}, true
	case fault.MethodNotAllowed:
		return problemKind{nethttp.StatusMethodNotAllowed, "Method not allowed",
			"The path exists, but not for this method. The Allow header lists those that do."}, true
	case fault.Conflict:
		return problemKind{nethttp.StatusConflict, "Not possible in the present state",
			"The state does not allow it. The reason is one word from a closed list: too_early (with retry_after), approval_missing, aborted, rejected, expired, superseded, already_claimed, not_its_turn, precondition_failed, guard (a claim); plan_changed, not_awaiting, too_late (a human's word); no_lease (a result). Nothing was changed."}, true
	case fault.TooLarge:
		return problemKind{nethttp.StatusRequestEntityTooLarge, "The body is too large",
			"Bodies are bounded: 16 MiB on /v1/alerts and below, 5 MiB elsewhere. Send it in parts."}, true
	case fault.UnsupportedMedia:
		return problemKind{nethttp.StatusUnsupportedMediaType, "Not JSON",
			"Send Content-Type: application/json, in UTF-8 and not compressed."}, true
	case fault.IdempotencyMismatch:
		return problemKind{nethttp.StatusUnprocessableEntity, "Another body under the same Idempotency-Key",
			"A key stands for one body for 24 hours. Use a new key for a new body."}, true
	case fault.Overloaded:
		return problemKind{nethttp.StatusServiceUnavailable, "Too much at once",
			"Nothing was taken. Send it again after the seconds in Retry-After."}, true
	case fault.Unavailable:
		return problemKind{nethttp.StatusServiceUnavailable, "Not available now",
			"The database is away, or the server is starting or stopping. Nothing was taken. Send it again after the seconds in Retry-After."}, true
	case fault.Internal:
		return problemKind{nethttp.StatusInternalServerError, "Internal error",
			"This is a fault of the server. Its log names the cause under the request id, which is the instance of the problem."}, true
	}
	return problemKind{}, false
}

// writeProblem answers an error. What the error wraps stays inside.
func (x *exchange) writeProblem(err error) {
	f := faultOf(err)
	kind, known := problemOf(f.Kind)
	if !known {
		f = &fault.Fault{Kind: fault.Internal, Err: err}
		kind, _ = problemOf(fault.Internal)
	}
	retry := retryAfter(f, kind.status)
	header := x.w.Header()
	if retry > 0 {
		header.Set("Retry-After", strconv.Itoa(retry))
	}
	if f.Kind == fault.Unauthenticated || f.Kind == fault.Forbidden {
		header.Set("WWW-Authenticate", challenge(f, x.route.scope))
	}
	x.send(kind.status, "application/problem+json", encodeProblem(f, kind, x.id, retry))
}

// faultOf names the two errors that are nobody's fault: a caller that went
// away, and time that ran out.
func faultOf(err error) *fault.Fault {
	f := fault.As(err)
	if f.Kind == fault.Internal && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return &fault.Fault{Kind: fault.Unavailable, Detail: "The request took too long or was given up.", Err: err}
	}
	return f
}

// retryAfter is in whole seconds, rounded up: earlier would be too early.
func retryAfter(f *fault.Fault, status int) int {
	after := f.RetryAfter
	if after <= 0 && status == nethttp.StatusServiceUnavailable {
		after = defaultRetryAfter
	}
	return int(math.Ceil(after.Seconds()))
}

func encodeProblem(f *fault.Fault, kind problemKind, instance string, retry int) []byte {
	doc := maps.Clone(f.Extra)
	if doc == nil {
		doc = map[string]any{}
	}
	doc["type"], doc["title"], doc["status"], doc["instance"] = "/problems/"+string(f.Kind), kind.title, kind.status, instance
	if doc["detail"] = f.Detail; f.Detail == "" {
		doc["detail"] = kind.help
	}
	if f.Reason != "" {
		doc["reason"] = f.Reason
	}
	if retry > 0 {
		doc["retry_after"] = retry
	}
	if len(f.Fields) > 0 {
		doc["errors"] = f.Fields
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(doc) != nil {
		// Only Extra can fail: the problem is told without it.
		return encodeProblem(&fault.Fault{Kind: f.Kind, Reason: f.Reason, Detail: f.Detail, Fields: f.Fields}, kind, instance, retry)
	}
	return buffer.Bytes()
}
