package subject

import (
	"fmt"
	"hash/fnv"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"pgregory.net/rapid"
)

// TestPartitionIsTheServers lets nats-server's own mapping place random keys
// and wants the subject that Partition and Log give.
func TestPartitionIsTheServers(t *testing.T) {
	for _, partitions := range []int{1, 2, 3, 16, 64, 100, PartitionsMax} {
		t.Run(fmt.Sprint(partitions), func(t *testing.T) {
			mappings := Mappings(partitions)
			events, err := server.NewSubjectTransform(mappings[0].Source, mappings[0].Destination)
			if err != nil {
				t.Fatal(err)
			}
			traits, err := server.NewSubjectTransform(mappings[1].Source, mappings[1].Destination)
			if err != nil {
				t.Fatal(err)
			}
			rapid.Check(t, func(t *rapid.T) {
				token := drawToken(t)
				p := Partition(token, partitions)
				if got, err := events.Match(Events(token)); err != nil || got != Log(p, KindEvents) {
					t.Fatalf("the server maps %q to %q, %v; want %q", Events(token), got, err, Log(p, KindEvents))
				}
				if got, err := traits.Match(Traits(token)); err != nil || got != Log(p, KindTraits) {
					t.Fatalf("the server maps %q to %q, %v; want %q", Traits(token), got, err, Log(p, KindTraits))
				}
			})
		})
	}
}

// TestPartitionIsFixed pins the placement of some keys: stored data relies on
// it, so these numbers may never change.
func TestPartitionIsFixed(t *testing.T) {
	for token, want := range map[Token]int{"u_42": 11, "ada@example%2Eorg": 5, "Zoë": 12} {
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(token))
		if twin := int(hash.Sum32() % 16); twin != want {
			t.Errorf("FNV-1a of %q gives %d, want %d", token, twin, want)
		}
		if got := Partition(token, 16); got != want {
			t.Errorf("Partition(%q, 16) = %d, want %d", token, got, want)
		}
	}
}

func TestPartitionPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Partition with no partitions did not panic")
		}
	}()
	Partition("u_42", 0)
}

func BenchmarkPartition(b *testing.B) {
	b.ReportAllocs()
	token := Token("7f1c0a52-9d5e-4b6e-8a13-000000000042")
	p := 0
	for b.Loop() {
		p = Partition(token, 16)
	}
	if p < 0 || p > 15 {
		b.Fatalf("Partition(%q, 16) = %d", token, p)
	}
}

func drawToken(t *rapid.T) Token {
	key := rapid.StringN(1, -1, KeyMax).Draw(t, "key")
	token, err := Encode(key)
	if err != nil {
		t.Fatalf("Encode(%q): %v", key, err)
	}
	if strings.Contains(string(token), ".") {
		t.Fatalf("Encode(%q) = %q: more than one token", key, token)
	}
	return token
}
