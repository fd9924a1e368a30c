// Package http is the edge: it authenticates, bounds, decodes and validates
// what arrives, calls one use case, and encodes its answer or its fault.
//
// It owns everything about the transport: the route table, status codes,
// headers, problem documents (RFC 9457), the OpenAPI document and its pages,
// and the one log line of each request. It must not know what an incident
// means, nor open a database; a use case must not know what a status code is.
//
// A request's way: route table → handle (exchange.go) → authenticate → bind →
// validate → use case → reply or problem → one log line.
package http
