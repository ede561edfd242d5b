// Package sim drives partitions and sessions through faults on one thread,
// from a seed, and has the stored transitions judged by the auditor.
//
// A seed gives the audiences, the traffic, the faults and the order in which
// everything happens, and the same seed gives the same trace byte for byte.
package sim
