// Command kube is a Kubernetes cluster in one process, for the end-to-end tests:
// an embedded etcd, the real kube-apiserver with its admission, the real
// controllers of workloads, quotas, disruption budgets, service accounts,
// namespaces and garbage, and one simulated node in place of a scheduler and a
// kubelet. Loopback only, TLS, RBAC.
//
// It prints one line of JSON once it serves (url, ca_file, admin_token,
// n8n_token, kubeconfig) and stops when its standard input closes, so that no
// orphan outlives a test.
//
// What containers do is said by annotations of the pod (so of a workload's
// template); container.go has the table. Whatever an API server, an admission
// plug-in or a controller says is real; what a kubelet or a scheduler says is
// written by the simulated node, in their words.
//
// This is a module of its own: Salve's never requires k8s.io/kubernetes.
package main
