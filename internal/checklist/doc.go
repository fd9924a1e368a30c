// Package checklist reads the heartbeat's checklist, the file in which people say
// what is looked at without an alert and how often, and says when each check is due.
// It is pure: time comes as an argument, and jitter follows from a check's name.
package checklist
