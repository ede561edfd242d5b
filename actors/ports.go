package actors

import "github.com/usher-audiences/usher/actors/partition"

// The ports are what a partition's actor needs of the world. Every method
// starts its work and returns without waiting; the answer is given to the
// function once, from any goroutine, or never after the context that the
// adapter was made with has ended. A port retries what has no
// [partition.Outcome] until it succeeds. The adapters, bus for NATS and
// bus/memory for the simulation, are held to one conformance suite.

// Log is the partitions' ordered logs.
type Log interface {
	// Read delivers the answers LogOpened and Message in order, until the
	// reader is stopped.
	Read(p int, r partition.Read, deliver func(partition.Input)) Reader
	AppendTick(p int, t partition.AppendTick, done func(partition.TickAppended))
	AppendRules(p int, r partition.AppendRules, done func(partition.RulesAppended))
	Reject(p int, r partition.Reject, done func(partition.RejectStored))
}

// Reader is one reading of a log. It is an alias of an unnamed interface, so
// that an adapter can name the same type without importing this package.
type Reader = interface {
	Pause()
	Resume()
	// Stop ends the reading. Messages already on their way may still be
	// delivered.
	Stop()
}

// Ender is a [Reader] that also tells the log's last sequence, as far as it
// knows. A node whose readers do not tell cannot say how far it lags once it
// has caught up.
type Ender interface{ End() uint64 }

// Registers is the transitions stream, read from its leader.
type Registers interface {
	Publish(p partition.Publish, done func(partition.Published))
	ReadRegister(r partition.ReadRegister, done func(partition.RegisterRead))
	CheckTransition(c partition.CheckTransition, done func(partition.TransitionChecked))
}

// Snapshots is where sessions are saved.
type Snapshots interface {
	ReadSnapshot(p int, r partition.ReadSnapshot, done func(partition.SnapshotRead))
	SaveSnapshot(p int, s partition.SaveSnapshot, done func(partition.SnapshotSaved))
	ScanSnapshots(p int, s partition.ScanSnapshots, each func(partition.SnapshotsScanned))
}

// Checkpoints is where partitions' checkpoints are saved.
type Checkpoints interface {
	ReadCheckpoint(p int, done func(partition.CheckpointRead))
	SaveCheckpoint(p int, s partition.SaveCheckpoint, done func(partition.CheckpointSaved))
}

// Definitions is the audience definitions, by revision.
type Definitions interface {
	ReadRuleSet(r partition.ReadRuleSet, done func(partition.RuleSetRead))
	// Watch tells the newest revision, now and at every change, until stop is
	// called.
	Watch(each func(partition.RevisionAvailable)) (stop func())
}

// Eraser removes a key from log, registers and snapshots.
type Eraser interface {
	Erase(p int, e partition.Erase, done func(partition.Erased))
}

// Bus is all ports together.
type Bus interface {
	Log
	Registers
	Snapshots
	Checkpoints
	Definitions
	Eraser
}
