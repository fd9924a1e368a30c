package intake

import (
	"regexp"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"salve/internal/incident"
)

// CheckStatus is what whoever ran a check says of it.
type CheckStatus string

// The statuses of a check's result. Where none is given the evidence decides.
const (
	CheckPassed CheckStatus = "passed"
	CheckFailed CheckStatus = "failed"
	CheckError  CheckStatus = "error" // it could not look
)

// CheckResult is what one check saw, or the problems for which it was refused.
type CheckResult struct {
	ID         incident.ID
	Name       string
	Kind       string      // of a check that is on no checklist
	Status     CheckStatus // may be empty
	Message    string
	ObservedAt time.Time // never after ReceivedAt
	ReceivedAt time.Time
	Subject    string

	// Where it looked, for a check that is on no checklist.
	Cluster, Namespace, Object, Host, Unit string

	Evidence []byte // may be nil
	DryRun   bool
	Rejected []Problem
	Notes    []string
}

type givenCheck struct {
	Name       string         `json:"name"`
	Kind       string         `json:"kind"`
	Status     string         `json:"status"`
	Message    string         `json:"message"`
	ObservedAt string         `json:"observed_at"`
	Cluster    string         `json:"cluster"`
	Namespace  string         `json:"namespace"`
	Object     string         `json:"object"`
	Host       string         `json:"host"`
	Unit       string         `json:"unit"`
	Evidence   jsontext.Value `json:"evidence"`
	DryRun     bool           `json:"dry_run"`
}

const maxChecks = 500 // of one body

var checkName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Checks reads the body of POST /v1/checks: one result or an array of them. What is
// wrong with one of an array is said of that one. The error is a *BodyError.
func Checks(in Input) ([]CheckResult, error) {
	b := newBody(in.Body)
	whole := b.whole()
	switch {
	case whole.from == whole.to:
		return nil, &BodyError{Detail: "the body is empty; send one result as a JSON object, or an array of results", Offset: -1}
	case b.text[whole.from] == '{':
		result := checkResult(in, b, whole, "")
		if len(result.Rejected) > 0 {
			return []CheckResult{result}, b.readable()
		}
		return []CheckResult{result}, nil
	case b.text[whole.from] != '[':
		return nil, b.wrongKind("the body is neither an object nor an array; send one result of a check, or an array of results")
	}
	w := b.walk()
	spans, err := w.elements()
	if err == nil {
		err = w.end()
	}
	switch {
	case err != nil:
		return nil, unreadable(err)
	case len(spans) == 0 || len(spans) > maxChecks:
		return nil, &BodyError{Detail: "the array holds " + strconv.Itoa(len(spans)) + " results; 1 to " + strconv.Itoa(maxChecks) + " are taken", Offset: -1}
	}
	results := make([]CheckResult, len(spans))
	for i, s := range spans {
		results[i] = checkResult(in, b, s, "/"+strconv.Itoa(i))
	}
	return results, nil
}

func checkResult(in Input, b body, s span, root string) CheckResult {
	f := &findings{notes: b.notes(s)}
	g, ok := decode[givenCheck](b.item(s), f)
	if ok {
		g.check(f)
	}
	r := CheckResult{
		ID: in.IDs(), Name: g.Name, Kind: g.Kind, Status: CheckStatus(g.Status), Message: g.Message, DryRun: g.DryRun,
		ReceivedAt: in.ReceivedAt, Subject: in.Subject, Cluster: in.cluster(g.Cluster, clusterOf(g.Evidence)),
		Namespace: g.Namespace, Object: g.Object, Host: g.Host, Unit: g.Unit,
	}
	if g.Evidence.Kind() == '{' {
		r.Evidence = g.Evidence
	}
	if r.ObservedAt = f.time("/observed_at", g.ObservedAt); r.ObservedAt.IsZero() || r.ObservedAt.After(in.ReceivedAt) {
		r.ObservedAt = in.ReceivedAt
	}
	r.Rejected, r.Notes = f.rejected(root).Rejected, f.notes
	return r
}

// check finds everything for which a result is refused.
func (g *givenCheck) check(f *findings) {
	if !checkName.MatchString(g.Name) {
		f.refuse("/name", "%s; it is the name of a check: lower case letters, digits and dashes, at most 63", saw(g.Name))
	}
	switch CheckStatus(g.Status) {
	case "", CheckPassed, CheckFailed, CheckError:
	default:
		f.refuse("/status", "%s; status is passed, failed or error (it could not look); left out, the evidence decides", saw(g.Status))
	}
	if kind := g.Evidence.Kind(); len(g.Evidence) > 0 && kind != '{' && kind != 'n' {
		f.refuse("/evidence", "must be an object with keys such as disk and pods, not %s", article(kind))
	}
	if g.Status == "" && g.Evidence.Kind() != '{' {
		f.refuse("/status", "is missing, and there is no evidence that could decide")
	}
	if len(g.Message) > maxText {
		f.refuse("/message", "is %d bytes long; at most %d are taken", len(g.Message), maxText)
	}
	f.checkName("/cluster", g.Cluster)
	for _, place := range []struct {
		pointer, value string
		valid          func(string) bool
		what           string
	}{
		{"/namespace", g.Namespace, validLabel, "a namespace"},
		{"/object", g.Object, validSubdomain, "an object"},
		{"/host", g.Host, validHost, "a host"},
		{"/unit", g.Unit, validUnit, "a systemd unit"},
	} {
		if place.value != "" && (len(place.value) > maxName || !place.valid(place.value)) {
			f.refuse(place.pointer, "%q is no name of %s", clip(place.value, quoted), place.what)
		}
	}
}
