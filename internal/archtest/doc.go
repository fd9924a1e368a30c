// Package archtest holds the architecture as tests: which package may import which, who alone knows an outside
// technology, and what the pure packages must not do. Each rule carries its reason, and a rule whose package has been
// renamed away fails instead of guarding nothing. It has no code of its own.
package archtest
