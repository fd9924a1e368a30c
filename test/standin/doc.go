// Package standin owns the outside world of the tests and the demo: a small
// Kubernetes API with one ill deployment, a Slack that takes messages, and an
// executor that does with a plain HTTP client what the n8n workflow does.
//
// It records everything it is sent and can be told to fail. It must not import
// anything of Salve: it speaks only the wire, so that what it accepts proves
// something about the wire.
package standin
