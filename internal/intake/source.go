package intake

import (
	"fmt"
	"strings"
	"time"

	"salve/internal/incident"
)

// Source is one kind of sender and the way to read what it posts.
type Source struct {
	Name  string
	Parse func(in Input) (Parsed, error) // the error is a *BodyError
}

// Input is one request.
type Input struct {
	Body           []byte // events keep slices of it: it must not be reused
	ClusterHint    string // the request's ?cluster=, for alerts that name no cluster
	DefaultCluster string // policy's, for requests that name none either
	Subject        string // who sent it
	ReceivedAt     time.Time
	IDs            incident.IDs
}

// Parsed is what one request held.
type Parsed struct {
	Items []Item   // one per alert, in the sender's order
	Notes []string // about the request as a whole
}

// Item is one alert: an event, or the problems for which it was refused.
type Item struct {
	Event    incident.Event // zero when Rejected is not empty
	Rejected []Problem
	Suppress string   // why this event is no incident; empty when it may be one
	Notes    []string // what was bent to carry the alert, in words
}

// Problem is one bad field, by JSON pointer into the request's body.
type Problem struct {
	Pointer, Detail string
}

// BodyError says why a whole body could not be read.
type BodyError struct {
	Detail  string
	Pointer string // the field at fault, where there is one
	Offset  int64  // the byte at which reading stopped, -1 where that says nothing
}

func (e *BodyError) Error() string {
	if e.Offset < 0 {
		return e.Detail
	}
	return fmt.Sprintf("%s (at byte %d)", e.Detail, e.Offset)
}

// UnknownSourceError names a source that nobody here can read.
type UnknownSourceError struct{ Name string }

func (e *UnknownSourceError) Error() string {
	return fmt.Sprintf("no source is called %q; known: %s; native alerts go to /v1/alerts itself",
		clip(e.Name, quoted), strings.Join(Known(), ", "))
}

// Native reads the alerts of POST /v1/alerts.
func Native() Source { return Source{Name: "native", Parse: parseNative} }

// sources are those of POST /v1/alerts/{source}.
func sources() []Source {
	return []Source{
		{Name: fromAlertmanager.source, Parse: fromAlertmanager.parse},
		{Name: fromGrafana.source, Parse: fromGrafana.parse},
		{Name: fromCloudWatch.source, Parse: fromCloudWatch.parse},
		{Name: fromDatadog.source, Parse: fromDatadog.parse},
		{Name: fromPagerDuty.source, Parse: fromPagerDuty.parse},
		{Name: fromGitHub.source, Parse: fromGitHub.parse},
		{Name: "argocd", Parse: parseArgoCD},
		{Name: fromGatus.source, Parse: fromGatus.parse},
		{Name: fromUptimeKuma.source, Parse: fromUptimeKuma.parse},
		{Name: "cloudevents", Parse: parseCloudEvents},
	}
}

// Known lists the sources of POST /v1/alerts/{source}.
func Known() []string {
	var names []string
	for _, s := range sources() {
		names = append(names, s.Name)
	}
	return names
}

// Lookup finds the source of POST /v1/alerts/{source}, or gives an
// *UnknownSourceError.
func Lookup(name string) (Source, error) {
	for _, s := range sources() {
		if s.Name == name {
			return s, nil
		}
	}
	return Source{}, &UnknownSourceError{Name: name}
}

// parseArgoCD reads what deploy/argocd has Argo CD's notifications send: Argo CD's body
// is the user's template, and that one is a native alert.
func parseArgoCD(in Input) (Parsed, error) { return parseNative(in) }

// cluster is the first of the names given, the request's hint, and the default.
func (in Input) cluster(named ...string) string {
	for _, name := range append(named, in.ClusterHint, in.DefaultCluster) {
		if name != "" {
			return name
		}
	}
	return "default"
}
