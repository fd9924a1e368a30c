// Package e2e plays incidents through the real thing: a real Alertmanager fires
// at a real n8n, which talks to the real Salve on a real Postgres. One cluster
// is a real API server with real controllers (test/kube), the hosts are a real sshd
// with the vetted scripts; the other clusters, and Slack, are stand-ins, where the tests must see what they are sent or make them fail.
//
// Its tests carry the build tag e2e and are run by make e2e. They own the
// processes they start and stop them by id; they must not reach outside
// loopback once n8n is installed.
package e2e
