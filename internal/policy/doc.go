// Package policy owns what may be done about a diagnosis: it reads the policy
// file (YAML, conditions in CEL), refuses what it does not understand with
// file, line and column, and turns facts into a decision with its reasons.
//
// It is pure: time is an argument, nothing is stored, logged or fetched. It
// does not know how an action is carried out; package remedy tells it through
// Catalogue what exists. Three rules hold everywhere here:
//   - what is not understood is refused when the file is loaded, never ignored;
//   - a doubt (an error in a condition, an unknown word, a missing fact) makes
//     a decision more careful, never bolder;
//   - guards stop changes only. Looking and telling is always allowed.
package policy
