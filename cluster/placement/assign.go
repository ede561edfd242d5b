package placement

import (
	"cmp"
	"slices"
)

// Assign returns the owner of each partition: element p is the member that
// owns partition p. With no members every owner is "".
//
// The algorithm is rendezvous hashing (Thaler and Ravishankar, 1998) with
// bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2016). Each pair of
// member and partition has a weight that depends on nothing else. Pairs are
// taken by falling weight, and a pair is kept if the partition has no owner
// yet and the member owns fewer than Bound. The result is stable: a partition
// is not with a member for which its weight is greater than for its owner only
// because that member is full of partitions of greater weight still.
//
// So when a member joins or leaves, a partition passes between two others
// only if the one where its weight is greater was full before or is full
// now. Some such moves are unavoidable: a placement that never makes one is a
// fixed order of all possible members per partition, and can be unboundedly
// uneven. They are few: with 64 partitions and up to 12 members about one for
// each member that joins (TestFewMovesBetweenOthers).
//
// It takes O(n log n) time and O(n) memory for n = partitions x members.
func Assign(partitions int, members []string) []string {
	owners := make([]string, partitions)
	names := slices.Compact(slices.Sorted(slices.Values(members)))
	if len(names) == 0 {
		return owners
	}
	bound := Bound(partitions, len(names))
	owned := make([]int, len(names))
	taken := make([]bool, partitions)
	for _, c := range claims(partitions, names) {
		if taken[c.partition] || owned[c.member] == bound {
			continue
		}
		owners[c.partition] = names[c.member]
		taken[c.partition] = true
		owned[c.member]++
	}
	return owners
}

// Bound returns the most partitions that one of so many members may own: a
// quarter above the mean, rounded up. Members must be at least 1.
func Bound(partitions, members int) int {
	return (5*partitions + 4*members - 1) / (4 * members)
}

// claim is a member's claim on a partition.
type claim struct {
	weight    uint64
	partition int
	member    int // index of the name
}

// claims returns every pair of member and partition by falling weight. Pairs
// of equal weight stand in the order of partition and name.
func claims(partitions int, names []string) []claim {
	all := make([]claim, 0, partitions*len(names))
	for i, name := range names {
		seed := fnv64a(name)
		for p := range partitions {
			all = append(all, claim{weight: weight(seed, p), partition: p, member: i})
		}
	}
	slices.SortFunc(all, func(a, b claim) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.partition, b.partition), cmp.Compare(a.member, b.member))
	})
	return all
}

// weight mixes a member's hash with a partition number. All members of a
// cluster must compute the same, also while they run different versions, so
// it never changes.
func weight(seed uint64, partition int) uint64 {
	return mix(seed ^ mix(uint64(partition)+0x9E3779B97F4A7C15))
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014): every bit
// of x reaches every bit of the result.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func fnv64a(s string) uint64 {
	const offset64, prime64 = 14695981039346656037, 1099511628211
	hash := uint64(offset64)
	for i := range len(s) {
		hash ^= uint64(s[i])
		hash *= prime64
	}
	return hash
}
