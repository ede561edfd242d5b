package bus

import (
	"context"

	"github.com/usher-audiences/usher/actors/partition"
)

// Reader is one reading of a log. It is an alias of an unnamed interface so
// that package actors can declare the same type without being imported.
type Reader = interface {
	Pause()
	Resume()
	Stop()
}

// Bus is the ports on NATS. Its context is the one it was opened with: when
// that ends nothing is answered any more.
type Bus struct{}

// Open gives the ports.
func (c *Conn) Open(ctx context.Context) (*Bus, error) { return &Bus{}, nil }

// Close ends every reading and waits for them.
func (b *Bus) Close() {}

func (b *Bus) Read(p int, r partition.Read, deliver func(partition.Input)) Reader                  { return nil }
func (b *Bus) AppendTick(p int, t partition.AppendTick, done func(partition.TickAppended))         {}
func (b *Bus) AppendRules(p int, r partition.AppendRules, done func(partition.RulesAppended))      {}
func (b *Bus) Reject(p int, r partition.Reject, done func(partition.RejectStored))                 {}
func (b *Bus) Publish(p partition.Publish, done func(partition.Published))                         {}
func (b *Bus) ReadRegister(r partition.ReadRegister, done func(partition.RegisterRead))            {}
func (b *Bus) CheckTransition(c partition.CheckTransition, done func(partition.TransitionChecked)) {}
func (b *Bus) ReadSnapshot(p int, r partition.ReadSnapshot, done func(partition.SnapshotRead))     {}
func (b *Bus) SaveSnapshot(p int, s partition.SaveSnapshot, done func(partition.SnapshotSaved))    {}
func (b *Bus) ScanSnapshots(p int, s partition.ScanSnapshots, each func(partition.SnapshotsScanned)) {
}
func (b *Bus) ReadCheckpoint(p int, done func(partition.CheckpointRead)) {}
func (b *Bus) SaveCheckpoint(p int, s partition.SaveCheckpoint, done func(partition.CheckpointSaved)) {
}
func (b *Bus) ReadRuleSet(r partition.ReadRuleSet, done func(partition.RuleSetRead)) {}
func (b *Bus) Watch(each func(partition.RevisionAvailable)) (stop func())            { return func() {} }
func (b *Bus) Erase(p int, e partition.Erase, done func(partition.Erased))           {}
