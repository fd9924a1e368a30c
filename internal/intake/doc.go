// Package intake turns what a sender posts into events, one file per source.
//
// What the names of well-known alerts say, a target to look for and a first
// hypothesis, stands in one table, alerts.txt. Whose the labels are, the
// patient's or an exporter's, is decided in exporters.go and clues.go.
//
// It is pure: bytes in, events out. It reads no clock, makes no id of its own,
// and knows neither HTTP nor SQL. It decides nothing: which incident an event
// belongs to and whether it was here before is settled further on, by the
// episode that every event carries.
//
// Two rules hold for every source. A bad item never loses the good ones beside
// it. And strings are data: they are bounded and kept as they came; only a name
// that Kubernetes itself would accept becomes part of a Kubernetes target.
package intake
