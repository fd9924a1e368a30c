// Command forecast measures how well internal/trend foretells real and generated
// series, beside Prometheus' own functions in Prometheus' own engine and the simplest
// rules there are. It is a module of its own: Salve does not depend on Prometheus.
//
//	go run . [-data FOLDER]
package main
