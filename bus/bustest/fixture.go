package bustest

import (
	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// Bus is actors.Bus, declared again so that a bus can be tested without that
// package.
type Bus interface {
	Read(p int, r partition.Read, deliver func(partition.Input)) Reader
	AppendTick(p int, t partition.AppendTick, done func(partition.TickAppended))
	AppendRules(p int, r partition.AppendRules, done func(partition.RulesAppended))
	Reject(p int, r partition.Reject, done func(partition.RejectStored))

	Publish(p partition.Publish, done func(partition.Published))
	ReadRegister(r partition.ReadRegister, done func(partition.RegisterRead))
	CheckTransition(c partition.CheckTransition, done func(partition.TransitionChecked))

	ReadSnapshot(p int, r partition.ReadSnapshot, done func(partition.SnapshotRead))
	SaveSnapshot(p int, s partition.SaveSnapshot, done func(partition.SnapshotSaved))
	ScanSnapshots(p int, s partition.ScanSnapshots, each func(partition.SnapshotsScanned))

	ReadCheckpoint(p int, done func(partition.CheckpointRead))
	SaveCheckpoint(p int, s partition.SaveCheckpoint, done func(partition.CheckpointSaved))

	ReadRuleSet(r partition.ReadRuleSet, done func(partition.RuleSetRead))
	Watch(each func(partition.RevisionAvailable)) (stop func())

	Erase(p int, e partition.Erase, done func(partition.Erased))
}

// Reader is actors.Reader.
type Reader = interface {
	Pause()
	Resume()
	Stop()
}

// Partitions is how many partitions the suite needs.
const Partitions = 3

// Fixture is one fresh, empty bus of [Partitions] partitions and what a test
// needs beyond the ports. Every function is required unless it says
// otherwise; each returns when its effect can be seen through the ports.
type Fixture struct {
	Bus Bus

	// Produce stores a message in p's log as a producer would, and tells the
	// sequence it got.
	Produce func(p int, kind partition.MessageKind, enc rules.Encoding, payload []byte) uint64
	// Purge removes the messages of p's log below seq.
	Purge func(p int, below uint64)
	// Rejected is how many rejected messages of p are stored.
	Rejected func(p int) int
	// Damage stores a record that is no snapshot as the key's snapshot.
	Damage func(p int, key rules.UserKey)
	// Define stores one more revision with these definitions, and tells its
	// number.
	Define func(docs ...*rules.Definition) uint64
	// Mark remembers all that is stored. What it returns brings the store
	// back to that, as a power loss does, and the bus goes on with it. It is
	// called at most once.
	Mark func() (restore func())
	// Pump lets a bus move that does not move by itself. It may be nil.
	Pump func()
}
