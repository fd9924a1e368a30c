// Package incident holds the words of the product and their state machines:
// event, incident, diagnosis, decision, intent, lease, result, guard.
//
// It is the ground floor. It imports the standard library only, reads no clock,
// makes no random number, and knows neither SQL nor HTTP nor Kubernetes.
package incident
