package partition_test

import (
	"fmt"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// describe writes an effect as one line of a script.
func describe(e partition.Effect) string {
	switch e := e.(type) {
	case partition.Activate:
		return fmt.Sprintf("activate key=%s state=%q rules=%d", e.Key, e.State, e.Rules.Revision())
	case partition.Deliver:
		kind := [...]string{"event", "traits", "tick", "rules"}[e.Input.Kind]
		return fmt.Sprintf("deliver key=%s %s at=%d seq=%d", e.Key, kind, e.Input.At, e.Input.Seq)
	case partition.SaveSnapshot:
		return describeSave(e)
	case partition.Publish:
		return fmt.Sprintf("publish key=%s audience=%s %s n=%d position=%s expected=%d", e.Register.Key, e.Register.Audience,
			e.Transition.Kind, e.N, e.Transition.Position, e.Expected)
	case partition.ReadRegister:
		return fmt.Sprintf("read-register key=%s audience=%s", e.Register.Key, e.Register.Audience)
	case partition.Reject:
		return fmt.Sprintf("reject seq=%d reason=%s", e.Seq, e.Reason)
	case partition.SaveCheckpoint:
		c := e.Checkpoint
		return fmt.Sprintf("save-checkpoint seq=%d time=%d logTime=%d revision=%d transition=%d", c.Seq, c.Time, c.LogTime, c.Revision, c.Transition.Sequence)
	case partition.Alarm:
		return fmt.Sprintf("alarm %s key=%s seq=%d", e.Kind, e.Key, e.Seq)
	case partition.Inspect:
		return fmt.Sprintf("inspect key=%s id=%d registers=%d unavailable=%t", e.Key, e.ID, len(e.Registers), e.Unavailable)
	default:
		return fmt.Sprintf("%T%+v", e, e)[len("partition."):]
	}
}

func describeSave(e partition.SaveSnapshot) string {
	s, err := partition.DecodeSnapshot(e.Data)
	if err != nil {
		return err.Error()
	}
	line := fmt.Sprintf("save-snapshot key=%s revision=%d at=%d seq=%d rules=%d", e.Key, e.Revision, s.AppliedAt, s.AppliedSeq, s.Revision)
	if s.Next != rules.Never {
		line += fmt.Sprintf(" next=%d", s.Next)
	}
	for _, r := range s.Registers {
		line += fmt.Sprintf(" %s=%s/%d@%d", r.Audience, r.Kind, r.N, r.Sequence)
	}
	return line
}
