// Package generate draws audiences and traffic at random, from a seed.
//
// What it draws is legal, small and close together on purpose: a handful of
// event names, values and durations that meet each other often, so that
// windows end at the very instant of the next event, ids repeat, and a rule
// change keeps half of what was counted. It knows nothing of how audiences
// are evaluated.
package generate
