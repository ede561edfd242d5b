package partition

import (
	"container/heap"

	"github.com/usher-audiences/usher/rules"
)

// timerIndex knows the next deadline of every key of the partition, active or
// passivated. A deadline that moves later stays queued where it was and is
// moved when it comes up, so that an active key costs nothing per event.
type timerIndex struct {
	byKey map[rules.UserKey]*timer
	queue timerHeap
}

type timer struct {
	key    rules.UserKey
	at     int64 // the deadline; rules.Never if there is none
	queued int64 // <= at; where it stands in the heap
	index  int
}

func newTimerIndex() timerIndex {
	return timerIndex{byKey: make(map[rules.UserKey]*timer)}
}

// set gives key's next deadline.
func (x *timerIndex) set(key rules.UserKey, at int64) {
	t := x.byKey[key]
	switch {
	case t == nil && at == rules.Never:
	case t == nil:
		t = &timer{key: key, at: at, queued: at}
		x.byKey[key] = t
		heap.Push(&x.queue, t)
	case at < t.queued:
		t.at, t.queued = at, at
		heap.Fix(&x.queue, t.index)
	default:
		t.at = at
	}
}

// earliest returns the next deadline of any key, rules.Never if there is none.
func (x *timerIndex) earliest() int64 {
	for len(x.queue) > 0 {
		t := x.queue[0]
		if t.at == t.queued {
			return t.at
		}
		x.requeue(t)
	}
	return rules.Never
}

// requeue moves the first timer to its deadline, or drops it if it has none.
func (x *timerIndex) requeue(t *timer) {
	if t.at == rules.Never {
		heap.Pop(&x.queue)
		delete(x.byKey, t.key)
		return
	}
	t.queued = t.at
	heap.Fix(&x.queue, t.index)
}

// due takes the first key whose deadline is at or before now. The key has no
// deadline until it is set again.
func (x *timerIndex) due(now int64) (rules.UserKey, bool) {
	if x.earliest() > now {
		return "", false
	}
	t := x.queue[0]
	t.at = rules.Never
	return t.key, true
}

// timerHeap orders timers by (queued, key).
type timerHeap []*timer

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	if h[i].queued != h[j].queued {
		return h[i].queued < h[j].queued
	}
	return h[i].key < h[j].key
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	t := x.(*timer) //nolint:forcetypeassert // container/heap only ever gives back what was pushed
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return t
}
