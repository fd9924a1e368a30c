// Package kube is the only importer of client-go. It decodes Kubernetes objects
// with client-go's scheme and builds Kubernetes API requests.
//
// It must not judge what it decodes (that is diagnose), nor talk to a cluster:
// it takes bytes and gives values, without I/O, clock or log. What it is given
// comes from outside, so it bounds what a few bytes may unfold to and names
// every part that it could not read.
package kube
