// Package evidence owns the one shape that evidence has wherever it appears
// (SPEC section 11): how it is read (Parse), how a file whose form nobody named
// is read (FromFile), and how two looks at the same target become one (Merge).
//
// What commands printed is read by one table of tools; what it tells of an
// object counts less than the object itself. What is malformed is named and the
// rest is used; what Salve does not know is ignored. All of it costs linear time.
// It must not judge what it reads: that is diagnose.
package evidence
