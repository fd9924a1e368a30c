package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// Places in a body that a request fills with its own digits. They keep their
// width, so a request's length, and with it its header, never changes.
const (
	identityHole = "IIIIIIIIIIII" // 12 hex digits: which alert
	revisionHole = "NNNNNNNNNN"   // 10 hex digits: which wording of its message
)

// template is a whole HTTP request, header and body, with holes.
type template struct {
	raw        []byte
	alerts     int
	identities []int // offsets, in order; the same number for each alert
	revisions  []int
}

func newTemplate(path, header string, alerts int, body string) template {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n",
		path, header, len(body))
	raw := []byte(head + body)
	return template{raw: raw, alerts: alerts,
		identities: offsets(raw, identityHole), revisions: offsets(raw, revisionHole)}
}

// buffer is one connection's own copy to render into.
func (t template) buffer() []byte { return bytes.Clone(t.raw) }

// render makes buf the request for the alerts first, first+1, … in the given
// wording.
func (t template) render(buf []byte, first, revision uint64) {
	each := len(t.identities) / t.alerts
	for i, at := range t.identities {
		putHex(buf[at:at+len(identityHole)], first+uint64(i/each))
	}
	for _, at := range t.revisions {
		putHex(buf[at:at+len(revisionHole)], revision)
	}
}

func offsets(raw []byte, hole string) []int {
	var found []int
	for at := 0; ; {
		i := bytes.Index(raw[at:], []byte(hole))
		if i < 0 {
			return found
		}
		found = append(found, at+i)
		at += i + len(hole)
	}
}

func putHex(dst []byte, v uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = "0123456789abcdef"[v&0xf]
		v >>= 4
	}
}

// One alert in the three forms in which it is sent. Service, deployment and pod
// carry the identity, so that different alerts have different owners and are
// different incidents. Alertmanager gets the same labels and annotations.
const (
	alertLabels = `{"alertname":"KubePodCrashLooping","cluster":"bench","container":"app","namespace":"production",` +
		`"pod":"shop-` + identityHole + `-7d9f5b8c6-x7k2m","service":"shop-` + identityHole + `","severity":"critical"}`
	alertNotes = `{"message":"Pod is restarting over and over, wording ` + revisionHole + `",` +
		`"runbook_url":"https://runbooks.example/KubePodCrashLooping"}`
	generatorURL = "http://prometheus.example/graph?g0.expr=kube_pod_container_status_restarts_total"
)

// nativeBody is one alert for POST /v1/alerts.
func nativeBody(starts time.Time) string {
	return `{"severity":"critical","service":"shop-` + identityHole + `","message":"Pod is restarting over and over",` +
		`"source":"bench","cluster":"bench","namespace":"production","status":"firing","starts_at":"` + stamp(starts) +
		`","labels":` + alertLabels + `,"annotations":` + alertNotes + `}`
}

// webhookBody is n alerts as Alertmanager's webhook (version 4) sends them.
func webhookBody(n int, starts time.Time) string {
	alert := `{"status":"firing","labels":` + alertLabels + `,"annotations":` + alertNotes + `,"startsAt":"` + stamp(starts) +
		`","endsAt":"0001-01-01T00:00:00Z","generatorURL":"` + generatorURL + `","fingerprint":"00bb` + identityHole + `"}`
	return `{"version":"4","groupKey":"{}:{alertname=\"KubePodCrashLooping\"}","truncatedAlerts":0,"status":"firing",` +
		`"receiver":"salve","groupLabels":{"alertname":"KubePodCrashLooping"},` +
		`"commonLabels":{"alertname":"KubePodCrashLooping","cluster":"bench","namespace":"production","severity":"critical"},` +
		`"commonAnnotations":{},"externalURL":"http://alertmanager.example","alerts":` + list(n, alert) + `}`
}

// postableBody is n alerts for Alertmanager's POST /api/v2/alerts.
func postableBody(n int, starts time.Time) string {
	return list(n, `{"labels":`+alertLabels+`,"annotations":`+alertNotes+`,"startsAt":"`+stamp(starts)+
		`","generatorURL":"`+generatorURL+`"}`)
}

func list(n int, item string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
