package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/rules"
)

// napMax bounds how long an alarm clock waits without looking at the wall
// clock: deadlines are wall-clock times, timers do not notice that it was
// set.
const napMax = 10 * time.Second

// alarmClock wakes a partition's actor: at the instant that its machine asked
// for, and at its checkpoint interval. It has one timer for each, whatever
// the number of deadlines.
type alarmClock struct {
	wake       *time.Timer
	checkpoint *time.Timer
	at         int64 // Unix milliseconds; rules.Never if nothing is asked for
}

func newAlarmClock(root *actor.RootContext, self *actor.PID) alarmClock {
	c := alarmClock{
		wake:       time.AfterFunc(time.Hour, func() { root.Send(self, clockDue{}) }),
		checkpoint: time.AfterFunc(time.Hour, func() { root.Send(self, checkpointDue{}) }),
		at:         rules.Never,
	}
	c.stop()
	return c
}

// arm sets the clock to at, in place of what it was set to.
func (c *alarmClock) arm(at int64) {
	c.at = at
	if at == rules.Never {
		c.wake.Stop()
		return
	}
	c.wake.Reset(min(time.Until(time.UnixMilli(at)), napMax))
}

// rang tells the machine the time if its instant has come, and waits on if it
// has not.
func (c *alarmClock) rang(ctx actor.Context, a *partitionActor) {
	now := time.Now().UnixMilli()
	if now < c.at {
		c.arm(c.at)
		return
	}
	c.at = rules.Never
	a.feed(ctx, partition.Clock{Now: now})
}

// checkpointIn has the next checkpoint made after d. It is called when the
// one before was begun, so that they never pile up.
func (c *alarmClock) checkpointIn(d time.Duration) { c.checkpoint.Reset(d) }

func (c *alarmClock) stop() {
	if c.wake != nil {
		c.wake.Stop()
		c.checkpoint.Stop()
	}
}
