// Package placement decides which member of a cluster owns which partition.
//
// The decision is a pure function of the members' names, so all members that
// see the same members decide the same without talking to each other. It is
// not what makes Usher correct: two members may for a while see different
// members, and both own a partition. Placement only keeps that rare and short.
//
// It promises that no member owns more than [Bound] partitions, that neither
// the order of the names nor a name given twice matters, and that a member
// who joins or leaves disturbs the others as little as the bound permits: see
// [Assign].
package placement
