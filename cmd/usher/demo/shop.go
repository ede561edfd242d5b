package demo

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/usher-audiences/usher"
)

// Action is one thing that happens in the shop: an event of a visitor, or a
// change of traits told by the shop's back office.
type Action struct {
	At     time.Duration // since the shop opened
	Key    usher.UserKey
	Event  usher.Event    // unless Traits is set
	Traits map[string]any // a trait update of Key
}

// visitorsMax is how many visits are under way at a time. A visitor does
// something about every 1.3 seconds, so 100 of them make some 75 events/s.
const visitorsMax = 100

// Shop is a shop with visitors who come and go for ever.
type Shop struct {
	random  *rand.Rand
	visits  visitHeap
	people  []*person
	absent  []*person // those who are not visiting, next first
	counter int       // of message ids
}

// NewShop opens a shop.
func NewShop(seed uint64) *Shop {
	s := &Shop{random: rand.New(rand.NewPCG(seed, 0x5eed))}
	s.people = newPeople(s.random)
	s.absent = append(s.absent, s.people...)
	for range visitorsMax {
		// Within the first two seconds, so that there is something to see.
		s.arrive(s.between(50*time.Millisecond, 2*time.Second))
	}
	return s
}

// Next returns the next action. Their At never goes back.
func (s *Shop) Next() Action {
	v := s.visits[0]
	act := v.plan[0]
	at := v.due
	v.plan = v.plan[1:]
	if len(v.plan) > 0 {
		v.due += v.plan[0].after
		heap.Fix(&s.visits, 0)
	} else {
		heap.Pop(&s.visits)
		s.leave(v, at)
	}
	return s.action(v, act, at)
}

// leave ends a visit; somebody else comes in a moment later.
func (s *Shop) leave(v *visit, at time.Duration) {
	s.absent = append(s.absent, v.who)
	s.arrive(at + s.between(100*time.Millisecond, 1500*time.Millisecond))
}

// arrive begins a visit of who has been away longest.
func (s *Shop) arrive(at time.Duration) {
	who := s.absent[0]
	s.absent = s.absent[1:]
	who.visits++
	v := &visit{who: who, number: who.visits, plan: s.plan(who)}
	v.due = at + v.plan[0].after
	v.order = s.counter // settles ties by arrival
	heap.Push(&s.visits, v)
}

func (s *Shop) action(v *visit, a act, at time.Duration) Action {
	s.counter++
	result := Action{At: at, Key: usher.UserKey(v.who.key)}
	if a.update != nil {
		result.Traits = a.update
		return result
	}
	result.Event = usher.Event{
		Type: a.call, UserID: v.who.key, MessageID: fmt.Sprintf("demo-%d", s.counter),
		Properties: a.properties, Traits: a.traits,
		Context: map[string]any{"sessionId": fmt.Sprintf("%s-%d", v.who.key, v.number)},
	}
	if a.call == usher.Track {
		result.Event.Event = a.name
	} else {
		result.Event.Name = a.name
	}
	return result
}

func (s *Shop) between(low, high time.Duration) time.Duration {
	return low + time.Duration(s.random.Int64N(int64(high-low)))
}

// visit is one visit under way.
type visit struct {
	who    *person
	number int
	plan   []act         // what is still to come
	due    time.Duration // of the first of plan
	order  int
}

// act is one step of a visit.
type act struct {
	after      time.Duration // since the step before
	call       usher.EventType
	name       string
	properties map[string]any
	traits     map[string]any // of an identify call
	update     map[string]any // a trait update instead of an event
}

// visitHeap orders visits by their next step.
type visitHeap []*visit

func (h visitHeap) Len() int { return len(h) }
func (h visitHeap) Less(i, j int) bool {
	return h[i].due < h[j].due || h[i].due == h[j].due && h[i].order < h[j].order
}
func (h visitHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push is for package heap.
func (h *visitHeap) Push(v any) { *h = append(*h, v.(*visit)) }

// Pop is for package heap.
func (h *visitHeap) Pop() any {
	last := len(*h) - 1
	v := (*h)[last]
	*h = (*h)[:last]
	return v
}
