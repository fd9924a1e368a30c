// Package redact makes what came from outside fit to be stored or logged. It owns
// what counts as a secret; nothing else in Salve decides that.
//
// JSON drops by place: environment values, the data of Secrets and ConfigMaps,
// managedFields, annotations that hold the object once more; values whose key,
// name or option says what they are become a hole. Text, which JSON also applies
// to every string, drops by look: named values, headers, keys, addresses, what
// kubectl prints (lines), and the tokens of some two hundred services, found by
// the rules of gitleaks. Names of variables, of keys and of objects stay: a
// missing one must still be found.
//
// Three promises: it never fails open (what is too much to read is left out
// unread); it takes linear time and bounded work on hostile input; redacting
// twice changes nothing more. What was redacted must never be written back:
// package remedy refuses a plan with a Hole in it.
//
// Of gitleaks only the configuration is used, not its Detector: that takes
// quadratic time on a text with many findings, gives lines instead of offsets,
// and obeys a comment within the text that says to look away.
package redact
