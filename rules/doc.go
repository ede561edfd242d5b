// Package rules is the audience language: what a definition means for one
// user, given that user's events in log order.
//
// A [Definition] is what a person wrote, with the place of every word.
// [Compile] turns a set of definitions into one immutable [RuleSet] in which
// equal conditions are shared. A [State] is what the conditions have counted
// for one key. An [Evaluator] applies inputs to a State and reports which
// audiences' truth changed and when time alone will change it next.
//
// The package is pure. It reads no clock, does no I/O, draws nothing at
// random and lets no map order reach a result: the same inputs in the same
// order give the same changes, on every machine. SPEC.md beside this file
// says what each word means.
package rules
