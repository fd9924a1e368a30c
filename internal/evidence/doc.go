// Package evidence owns the one shape that evidence has wherever it appears
// (SPEC section 11): how it is read (Parse), and how two looks at the same
// target become one (Merge).
//
// What is malformed is named and the rest is used; what Salve does not know is
// ignored. It must not judge what it reads: that is diagnose.
package evidence
