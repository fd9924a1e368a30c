// Package remedy is the closed catalogue of what Salve may ask for: for each
// action its effect, risk, blast radius and reversibility, the strict check of
// its parameters, and the rendering to what an executor runs.
//
// It does not decide whether something is done: policy does. Whatever it renders
// is built from checked names and typed values, never by pasting text together;
// what cannot be rendered safely is a Refusal that says why. So is a plan with a
// hole in it where something was redacted; only a message may quote one, and it
// is redacted once more itself. It reads no clock
// and does no I/O.
package remedy
