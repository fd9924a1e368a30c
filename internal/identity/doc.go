// Package identity owns who is calling and what they may do: public keys, the
// verification of tokens, and the closed list of scopes. The same package makes
// keys and tokens offline, on the operator's side.
//
// It must not know HTTP, storage or logging. The service side never touches a
// private key: one that turns up among the public keys is an error that stops
// the start.
package identity
