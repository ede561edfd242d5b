package placement

import (
	"fmt"
	"hash/fnv"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAssignBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		partitions, members := drawFleet(t, 1)
		owners := Assign(partitions, members)
		if len(owners) != partitions {
			t.Fatalf("Assign returned %d owners, want %d", len(owners), partitions)
		}
		// The bound in its own words: one less would not exceed 1.25 x the mean.
		for member, n := range load(owners) {
			if !slices.Contains(members, member) {
				t.Fatalf("%q owns partitions and is no member", member)
			}
			if 4*(n-1)*len(members) >= 5*partitions {
				t.Fatalf("%s owns %d of %d partitions with %d members", member, n, partitions, len(members))
			}
		}
	})
}

// TestAssignStable checks the result against its definition, which needs no
// sorted pairs: nobody would gain by another owner that has or makes room.
func TestAssignStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		partitions, members := drawFleet(t, 1)
		owners := Assign(partitions, members)
		loads, bound := load(owners), Bound(partitions, len(members))
		for p, owner := range owners {
			for _, other := range members {
				if !prefers(p, other, owner) {
					continue
				}
				if loads[other] < bound {
					t.Fatalf("partition %d is with %s, but prefers %s, which has room", p, owner, other)
				}
				for q, with := range owners {
					if with == other && pairWeight(other, q) < pairWeight(other, p) {
						t.Fatalf("%s has partition %d instead of %d, of greater weight", other, q, p)
					}
				}
			}
		}
	})
}

func TestAssignOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		partitions, members := drawFleet(t, 1)
		want := Assign(partitions, members)
		shuffled := append(rapid.Permutation(members).Draw(t, "permutation"), members[0])
		before := slices.Clone(shuffled)
		if got := Assign(partitions, shuffled); !slices.Equal(got, want) {
			t.Fatalf("Assign(%d, %q) = %q, want %q", partitions, shuffled, got, want)
		}
		if !slices.Equal(shuffled, before) {
			t.Fatalf("Assign changed its argument to %q", shuffled)
		}
	})
}

// TestMovesOnlyWhatItMust lets one member leave (read backwards: join). What
// passes between two that stay does so only through a full member.
func TestMovesOnlyWhatItMust(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		partitions, members := drawFleet(t, 2)
		fewer := slices.Clone(members[1:])
		large, small := Assign(partitions, members), Assign(partitions, fewer)
		largeLoad, smallLoad := load(large), load(small)
		for p := range partitions {
			a, b := large[p], small[p]
			if a == b || a == members[0] {
				continue
			}
			full := smallLoad[a] == Bound(partitions, len(fewer))
			if prefers(p, b, a) {
				full = largeLoad[b] == Bound(partitions, len(members))
			}
			if !full {
				t.Fatalf("partition %d passes between %s and %s, and nothing forces it", p, a, b)
			}
		}
	})
}

// TestFewMovesBetweenOthers counts, over many joins with fixed names, the
// partitions that pass between two members that were there before.
func TestFewMovesBetweenOthers(t *testing.T) {
	const partitions, fleets, sizeMax = 64, 50, 12
	joins, moves := 0, 0
	for fleet := range fleets {
		var members []string
		for size := range sizeMax + 1 {
			before := Assign(partitions, members)
			newcomer := fmt.Sprintf("node-%d-%d", fleet, size)
			members = append(members, newcomer)
			if size == 0 {
				continue
			}
			joins++
			for p, owner := range Assign(partitions, members) {
				if owner != before[p] && owner != newcomer {
					moves++
				}
			}
		}
	}
	t.Logf("%d joins moved %d partitions between others", joins, moves)
	if moves > joins {
		t.Errorf("%d joins moved %d partitions between others, want at most one a join", joins, moves)
	}
}

// TestAssignIsFixed pins one placement: members of different versions must
// agree, so it may never change.
func TestAssignIsFixed(t *testing.T) {
	got := Assign(8, []string{"a", "b", "c"})
	want := []string{"c", "c", "c", "b", "b", "a", "b", "b"}
	if !slices.Equal(got, want) {
		t.Errorf("Assign(8, a b c) = %q, want %q", got, want)
	}
}

func TestAssignNobody(t *testing.T) {
	if got, want := Assign(3, nil), []string{"", "", ""}; !slices.Equal(got, want) {
		t.Errorf("Assign(3, nil) = %q, want %q", got, want)
	}
}

func BenchmarkAssign(b *testing.B) {
	members := []string{"node-1", "node-2", "node-3", "node-4", "node-5", "node-6", "node-7", "node-8"}
	b.ReportAllocs()
	var owners []string
	for b.Loop() {
		owners = Assign(64, members)
	}
	if got := len(load(owners)); got != len(members) {
		b.Fatalf("%d members own something, want %d", got, len(members))
	}
}

func drawFleet(t *rapid.T, membersMin int) (partitions int, members []string) {
	partitions = rapid.IntRange(1, 128).Draw(t, "partitions")
	members = rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9-]{1,12}`), membersMin, 20, rapid.ID[string]).Draw(t, "members")
	return partitions, members
}

func load(owners []string) map[string]int {
	loads := make(map[string]int)
	for _, owner := range owners {
		loads[owner]++
	}
	return loads
}

// prefers says whether the partition has a greater weight for a than for b.
func prefers(partition int, a, b string) bool {
	return pairWeight(a, partition) > pairWeight(b, partition)
}

func pairWeight(member string, partition int) uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(member))
	return weight(hash.Sum64(), partition)
}
