// Package cluster starts the Kubernetes cluster of test/kube and speaks to it
// over plain HTTP: a real API server with real controllers and one simulated
// node. It belongs to the end-to-end tests and to test/capture.
//
// One cluster serves a whole test run; every test takes a namespace of its own.
package cluster
