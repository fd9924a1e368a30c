// Package redact makes what came from outside fit to be stored or logged:
// environment values and the data of Secrets are dropped from objects (JSON),
// and secrets within text are replaced by a marked hole (Text).
//
// What was redacted must never be written back.
package redact
