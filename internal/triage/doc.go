// Package triage is the pure core: what is known of one incident and what just
// arrived go in, what follows comes out. Ingest, results, the clock, simulation
// and tests all call the one function Run.
//
// It composes diagnose, policy and remedy. It reads no clock, makes no
// randomness, logs nothing and does no I/O; everything it needs is an argument,
// and everything it decided is in the Outcome, with reasons.
package triage
