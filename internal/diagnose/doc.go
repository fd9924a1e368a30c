// Package diagnose turns evidence into a diagnosis: deterministic, explained by
// quotes from the evidence, and `unknown` where the evidence does not decide.
//
// It owns the rules that name causes (one table a family). It must not fetch
// anything, read a clock, decide what is to be done (that is policy), or know
// how a request is built (that is kube).
package diagnose
