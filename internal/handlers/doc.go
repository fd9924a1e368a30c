// Package handlers holds the use cases, one file each:
//
//	func(ctx, identity.Caller, Request) (Response, error)
//
// They know the product, not the transport: no status code, no header, no SQL.
// What may be done is decided below, in triage and policy; what is written is
// written by the store.
package handlers
