package rules

import (
	"testing"
	"time"
)

// TestClockChanges steps through days around changes of the clocks, minute by
// minute: the truth must not change before the instant told, and unless it is
// only a look again, must at it.
func TestClockChanges(t *testing.T) {
	hours := []Operator{{Op: OpGte, Operand: 1.0}, {Op: OpLt, Operand: 3.0}}
	for _, tc := range []struct {
		zone, from string
		days       []string
	}{
		{"Europe/London", "2026-03-28T00:00:00Z", nil},
		{"Europe/London", "2026-10-24T00:00:00Z", []string{"sun"}},
		{"Australia/Lord_Howe", "2026-04-03T00:00:00Z", nil},
		{"Asia/Kathmandu", "2026-01-01T00:00:00Z", []string{"fri", "mon"}},
		{"", "2026-02-27T00:00:00Z", nil},
	} {
		l, err := newClockLeaf(&TimeOfDay{Hour: hours, Weekdays: tc.days, Zone: tc.zone}, new(zones))
		if err != nil {
			t.Fatal(err)
		}
		from, err := time.Parse(time.RFC3339, tc.from)
		if err != nil {
			t.Fatal(err)
		}
		e := NewEvaluator()
		next := from.UnixMilli()
		changes := 0
		for at := next; at < from.UnixMilli()+5*24*3600_000; at += 60_000 {
			e.At(at)
			if at == next {
				next = l.changes(e, 0)
				changes++
			}
			if at > next {
				t.Fatalf("%s: %d was told, which is no full minute", tc.zone, next)
			}
			e.At(at + 60_000)
			if after := l.holds(e, 0); after != l.at(at) && at+60_000 != next {
				t.Fatalf("%s: the truth changes at %s, told %s", tc.zone, FormatTime(at+60_000), FormatTime(next))
			}
		}
		if changes < 3 {
			t.Errorf("%s: %d changes in five days", tc.zone, changes)
		}
	}
}

func TestBucketShares(t *testing.T) {
	l := newBucketLeaf(&Bucket{Percent: 12.34, Salt: "s"})
	if l.limit != 1234 {
		t.Fatalf("limit: got %d, want 1234", l.limit)
	}
	// By the definition of FNV-1a, byte by byte.
	hash := uint64(14695981039346656037)
	for _, c := range []byte("s/a b") {
		hash = (hash ^ uint64(c)) * 1099511628211
	}
	if got, want := l.bucket("a b"), hash%10_000; got != want {
		t.Errorf("bucket: got %d, want %d", got, want)
	}
}
