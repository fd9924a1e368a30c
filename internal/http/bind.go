package http

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"salve/internal/fault"
	"salve/internal/handlers"
)

// Binders turn one request into the request of one use case.

const (
	maxParameterBytes = 512
	maxKeyBytes       = 255
)

func none(*exchange, *None) error { return nil }

func nativeIntake(x *exchange, req *handlers.IntakeRequest) error {
	return bindIntake(x, "native", x.route.pattern, req)
}

func sourceIntake(x *exchange, req *handlers.IntakeRequest) error {
	source, err := x.path("source")
	if err != nil {
		return err
	}
	return bindIntake(x, source, "/v1/alerts/"+source, req)
}

func evidence(x *exchange, req *handlers.IntakeRequest) error {
	return bindIntake(x, "", x.route.pattern, req)
}

// monitoring has two paths and is one door: an Idempotency-Key is good for both.
func monitoring(x *exchange, req *handlers.IntakeRequest) error {
	return bindIntake(x, "", "/v1/monitoring", req)
}

// bindIntake hands the body on unread but for its bounds and its syntax: what
// it means is the source's business.
func bindIntake(x *exchange, source, route string, req *handlers.IntakeRequest) (err error) {
	req.Source, req.Route = source, route
	if req.Cluster, err = x.query("cluster"); err != nil {
		return err
	}
	if req.IdempotencyKey, err = x.idempotencyKey(); err != nil {
		return err
	}
	req.Body, err = x.jsonBody()
	return err
}

func list(x *exchange, req *handlers.ListRequest) (err error) {
	if req.State, err = x.query("state"); err != nil {
		return err
	}
	if req.Cursor, err = x.query("cursor"); err != nil {
		return err
	}
	limit, err := x.query("limit")
	if err != nil || limit == "" {
		return err
	}
	if req.Limit, err = strconv.Atoi(limit); err != nil {
		return invalid("/limit", "must be a whole number from 1 to 200")
	}
	return nil
}

func byID(x *exchange, req *handlers.ByID) (err error) {
	req.ID, err = x.path("id")
	return err
}

func decisions(x *exchange, req *handlers.DecisionsRequest) (err error) {
	if req.ID, err = x.path("id"); err != nil {
		return err
	}
	return list(x, &req.Page)
}

// What the executor sends is decoded leniently: a result must not be lost over
// a member that a newer workflow adds.
func claim(x *exchange, req *handlers.ClaimRequest) (err error) {
	if err := x.decode(req, lenient); err != nil {
		return err
	}
	req.ID, err = x.path("id")
	return err
}

func result(x *exchange, req *handlers.ResultRequest) (err error) {
	if err := x.decode(req, lenient); err != nil {
		return err
	}
	req.ID, err = x.path("id")
	return err
}

func heartbeat(x *exchange, req *handlers.HeartbeatRequest) error {
	return x.decode(req, lenient)
}

func crashed(x *exchange, req *handlers.CrashedRequest) (err error) {
	req.ExecutionID, err = x.path("execution_id")
	return err
}

// What people decide is decoded strictly: a misspelt word must not be taken
// for one that was left out.
func decision(x *exchange, req *handlers.DecideRequest) (err error) {
	if err := x.decode(req, strict); err != nil {
		return err
	}
	req.ID, err = x.path("id")
	return err
}

func automation(x *exchange, req *handlers.AutomationRequest) error {
	return x.decode(req, strict)
}

func simulate(x *exchange, req *handlers.SimulateRequest) error {
	return x.decode(req, strict)
}

func freeze(x *exchange, req *handlers.FreezeRequest) error {
	return x.decode(req, strict)
}

func reset(x *exchange, req *handlers.ResetRequest) (err error) {
	if err := x.decode(req, strict); err != nil {
		return err
	}
	req.ID, err = x.path("id")
	return err
}

func task(x *exchange, req *handlers.TaskRequest) (err error) {
	if err := x.decode(req, strict); err != nil {
		return err
	}
	req.Name, err = x.path("name")
	return err
}

func note(x *exchange, req *handlers.NoteRequest) (err error) {
	if err := x.decode(req, strict); err != nil {
		return err
	}
	req.ID, err = x.path("id")
	return err
}

// period names a day or a week by a query parameter; none: the present one.
func period(name string) func(*exchange, *handlers.PeriodRequest) error {
	return func(x *exchange, req *handlers.PeriodRequest) (err error) {
		req.Name, err = x.query(name)
		return err
	}
}

// What Slack sends is handed on as it came.
func slackForm(x *exchange, req *handlers.SlackRequest) (err error) {
	req.Body, err = x.formBody()
	return err
}

func slackJSON(x *exchange, req *handlers.SlackRequest) (err error) {
	req.Body, err = x.jsonBody()
	return err
}

// path gives a parameter of the path. chi matches the escaped path where there
// is one, so the parameter is then still escaped.
func (x *exchange) path(name string) (string, error) {
	value := chi.URLParam(x.r, name)
	if x.r.URL.RawPath != "" {
		plain, err := url.PathUnescape(value)
		if err != nil {
			return "", invalid("/"+name, "is not escaped as a path must be")
		}
		value = plain
	}
	return value, checkParameter(name, value)
}

func (x *exchange) query(name string) (string, error) {
	if x.r.URL.RawQuery == "" {
		return "", nil
	}
	value := x.r.URL.Query().Get(name)
	return value, checkParameter(name, value)
}

func checkParameter(name, value string) error {
	switch {
	case len(value) > maxParameterBytes:
		return invalid("/"+name, "must be at most 512 bytes long")
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return invalid("/"+name, "must be UTF-8 without control characters")
	}
	return nil
}

func (x *exchange) idempotencyKey() (string, error) {
	key := x.r.Header.Get("Idempotency-Key")
	if len(key) > maxKeyBytes || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", fault.New(fault.Invalid, "Idempotency-Key must be 1 to %d printable ASCII characters, such as a UUID", maxKeyBytes)
	}
	return key, nil
}

func invalid(pointer, detail string) error {
	return &fault.Fault{
		Kind:   fault.Invalid,
		Detail: "One field is not as it must be.",
		Fields: []fault.Field{{Pointer: pointer, Detail: detail}},
	}
}
