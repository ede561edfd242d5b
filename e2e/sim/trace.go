package sim

import (
	"fmt"
	"strings"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// trace writes down what happens, if it is on.
type trace struct {
	on   bool
	text strings.Builder
}

func (t *trace) line(turn int, format string, args ...any) {
	if t.on {
		fmt.Fprintf(&t.text, "%d ", turn)
		fmt.Fprintf(&t.text, format, args...)
		t.text.WriteByte('\n')
	}
}

func (t *trace) input(o *owner, in partition.Input) {
	if t.on {
		t.line(o.w.turn, "%s <- %s", o, brief(in))
	}
}

func (t *trace) effect(o *owner, e partition.Effect) {
	if t.on {
		t.line(o.w.turn, "%s -> %s", o, brief(e))
	}
}

func (t *trace) request(turn int, r request) {
	if !t.on {
		return
	}
	from := "nobody"
	if r.owner != nil && !r.owner.gone {
		from = r.owner.String()
	}
	t.line(turn, "p%d of %s sent %s", r.p, from, brief(r.effect))
}

// brief writes an input or effect without states, payloads and addresses.
func brief(v any) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", v), "partition.")
	switch v := v.(type) {
	case partition.Message:
		return fmt.Sprintf("%s %d %s", name, v.Seq, v.Kind)
	case partition.Deliver:
		return fmt.Sprintf("%s %q kind %d at %d seq %d", name, v.Key, v.Input.Kind, v.Input.At, v.Input.Seq)
	case partition.Stepped:
		return fmt.Sprintf("%s %q skipped %t next %d %s %v", name, v.Key, v.Skipped, v.Next, transitions(v.Transitions), v.Rejection != nil)
	case partition.Publish:
		return fmt.Sprintf("%s %v attempt %d expected %d n %d %s", name, v.Register, v.Attempt, v.Expected, v.N, transitions([]rules.Transition{*v.Transition}))
	case partition.Activate:
		return fmt.Sprintf("%s %q %d bytes revision %d", name, v.Key, len(v.State), v.Rules.Revision())
	case partition.Captured:
		return fmt.Sprintf("%s %q at %d seq %d next %d revision %d", name, v.Key, v.AppliedAt, v.AppliedSeq, v.Next, v.Revision)
	case partition.SnapshotRead:
		return fmt.Sprintf("%s %q %d bytes revision %d", name, v.Key, len(v.Data), v.Revision)
	case partition.SaveSnapshot:
		return fmt.Sprintf("%s %q %d bytes revision %d", name, v.Key, len(v.Data), v.Revision)
	case partition.Reject:
		return fmt.Sprintf("%s %d %s %s", name, v.Seq, v.Reason, v.Detail)
	case partition.RuleSetRead:
		return fmt.Sprintf("%s %d", name, v.Rules.Revision())
	case partition.CheckpointRead:
		if v.Checkpoint != nil {
			return fmt.Sprintf("%s %+v", name, *v.Checkpoint)
		}
	case partition.ActivationFailed:
		return fmt.Sprintf("%s %q %v", name, v.Key, v.Err)
	}
	return fmt.Sprintf("%s %+v", name, v)
}

func transitions(ts []rules.Transition) string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range ts {
		t := &ts[i]
		fmt.Fprintf(&b, " %s %s %s %s", t.Kind, t.Audience, t.Position, t.Cause)
	}
	return b.String() + " ]"
}
