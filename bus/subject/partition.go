package subject

import "fmt"

// PartitionsMax is the greatest number of partitions of an installation.
const PartitionsMax = 1024

// Partition returns the partition of a user, from 0 to partitions-1: the
// 32-bit FNV-1a hash of the token modulo the number of partitions. It is what
// nats-server computes for {{partition(P,1)}}, so it can never change.
//
// Partitions must be at least 1; Partition panics otherwise.
func Partition(t Token, partitions int) int {
	if partitions < 1 {
		panic(fmt.Sprintf("subject: %d partitions", partitions))
	}
	const offset32, prime32 = 2166136261, 16777619
	hash := uint32(offset32)
	for i := range len(t) {
		hash ^= uint32(t[i])
		hash *= prime32
	}
	return int(uint64(hash) % uint64(partitions))
}

// Mapping is one account-level subject mapping of the server.
type Mapping struct {
	Source      string
	Destination string
}

// Mappings returns what a server must map so that a message on events.<key>
// or traits.<key> is stored in its partition's log.
func Mappings(partitions int) []Mapping {
	return []Mapping{
		{Source: EventsAll, Destination: mapped(partitions, KindEvents)},
		{Source: TraitsAll, Destination: mapped(partitions, KindTraits)},
	}
}

func mapped(partitions int, kind Kind) string {
	return fmt.Sprintf("%s{{partition(%d,1)}}.%s", logPrefix, partitions, kind)
}
