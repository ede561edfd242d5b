package audit

import (
	"cmp"
	"slices"

	"github.com/usher-audiences/usher/rules"
)

// keyAudit walks one key through its history.
type keyAudit struct {
	history
	idle  int64
	force *inForce
	every Evaluation

	audiences map[rules.AudienceKey]*audience
	heldSince map[string]int64
	matched   map[*rules.Match]*selection
	ends      []sessionEnd

	now      int64
	position rules.Position // of the next transition
	counts   map[register]uint64
	lastSeen map[register]int // messages applied when the register last changed
	applied  int              // messages applied
	out      []Expected
}

// sessionEnd is when a session ended, and the last message before.
type sessionEnd struct {
	session   int
	at        int64
	seq       uint64
	byMessage bool
}

// register names one audience's register; the key is given.
type register struct {
	audience rules.AudienceKey
	shadow   bool
}

// cause is what an evaluation comes from.
type cause struct {
	word  rules.Cause // empty for time alone
	event *occurrence
	ended bool // a session ended at this evaluation
}

func newKeyAudit(key rules.UserKey, cfg *Config, force *inForce) *keyAudit {
	k := &keyAudit{
		history:   history{key: key, traits: make(map[string]any)},
		idle:      int64(cmp.Or(cfg.Idle, 30*60*1000)),
		every:     cfg.Every,
		audiences: make(map[rules.AudienceKey]*audience),
		heldSince: make(map[string]int64),
		matched:   make(map[*rules.Match]*selection),
		counts:    make(map[register]uint64),
		lastSeen:  make(map[register]int),
	}
	k.adopt(force)
	return k
}

// adopt puts a rule set in force, before the evaluation that follows.
func (k *keyAudit) adopt(force *inForce) {
	k.force = force
	for _, key := range force.order {
		if k.audiences[key] == nil {
			k.audiences[key] = &audience{next: rules.Never}
		}
	}
	for id := range k.heldSince {
		if _, kept := force.origin[id]; !kept {
			delete(k.heldSince, id)
		}
	}
}

// passTo fires every deadline at or before t, in order.
func (k *keyAudit) passTo(t int64) {
	for {
		due := rules.Never
		for _, a := range k.audiences {
			due = min(due, a.next)
		}
		if k.open != nil {
			due = min(due, k.open.last+k.idle)
		}
		if due > t {
			break
		}
		ended := k.open != nil && k.open.last+k.idle == due
		if ended {
			k.endSession(sessionEnd{at: due})
		}
		k.place(due, 0)
		k.evaluate(cause{ended: ended}, due)
	}
	k.now = max(k.now, t)
}

func (k *keyAudit) endSession(e sessionEnd) {
	if n := len(k.events); n > 0 {
		e.seq = k.events[n-1].seq
	}
	e.session = k.open.number
	k.ends = append(k.ends, e)
	k.end()
}

// place sets the position of the transitions that come next. Evaluations at
// one place go on counting.
func (k *keyAudit) place(at int64, seq uint64) {
	k.now = at
	if k.position.At != at || k.position.Seq != seq {
		k.position = rules.Position{At: at, Seq: seq}
	}
}

// event applies an event of the key.
func (k *keyAudit) event(b *body, at int64, seq uint64) {
	k.passTo(at)
	if k.seen(b.messageID) {
		return
	}
	k.applied++
	e := &occurrence{body: b, seq: seq, at: at, o: min(b.timestamp, at)}
	k.place(at, seq)
	if k.switches(e) {
		k.endSession(sessionEnd{at: at, byMessage: true})
		k.evaluate(cause{ended: true}, at)
		k.applied++ // what follows is the event's doing
	}
	k.identify(b)
	why := cause{word: rules.CauseEvent, event: e}
	if k.admit(e, k.idle) {
		why.word = rules.CauseSessionStart
		k.open.recorded = k.force.asked
	}
	k.evaluateAll(why)
}

// update applies a trait update of the key.
func (k *keyAudit) update(b *body, at int64, seq uint64) {
	k.passTo(at)
	k.applied++
	k.place(at, seq)
	k.identify(b)
	k.merge(b.traits)
	k.evaluateAll(cause{word: rules.CauseTraits})
}

// change puts another rule set in force.
func (k *keyAudit) change(force *inForce) {
	k.passTo(force.at)
	k.applied++
	k.place(force.at, force.seq)
	before := k.force
	k.adopt(force)
	for key, a := range k.audiences {
		if d, kept := force.defs[key]; kept {
			a.carry(before.defs[key].Definition, d.Definition, k.now)
		}
	}
	k.revise(before)
}

// revise evaluates every audience under the new rules, among them those that
// are there no longer: they take their place in the order by their key.
func (k *keyAudit) revise(before *inForce) {
	all := make(map[rules.AudienceKey]rules.Versioned, len(k.force.defs))
	for key, d := range k.force.defs {
		all[key] = d
	}
	for key, d := range before.defs {
		if _, stays := all[key]; !stays {
			d.Definition = &rules.Definition{Audience: key, When: &rules.Group{}}
			all[key] = d
		}
	}
	for _, key := range evaluationOrder(all) {
		if k.force.active(key) {
			k.evaluateOne(key, cause{word: rules.CauseRuleChanged})
		} else {
			k.dismiss(key, all[key].Version)
		}
	}
}

// dismiss ends the membership of an audience that is deleted or paused. A
// paused one keeps what its lifecycle remembers.
func (k *keyAudit) dismiss(key rules.AudienceKey, version uint64) {
	a := k.audiences[key]
	if a == nil {
		return
	}
	if a.member {
		k.emit(key, a, rules.Exited, version, cause{word: rules.CauseRuleChanged}, false)
		a.leave(k.now)
	}
	if _, paused := k.force.defs[key]; !paused {
		delete(k.audiences, key)
		return
	}
	a.flip(false, k.now)
	k.follow(key)
}

// follow evaluates a paused audience for nothing but what its conditions
// remember: it is right from the moment it resumes.
func (k *keyAudit) follow(key rules.AudienceKey) {
	a, d := k.audiences[key], k.force.defs[key]
	k.truth(d.When, k.now)
	a.next = k.next(a, d.Definition, k.now)
}

func (k *keyAudit) evaluateAll(why cause) {
	for _, key := range k.force.order {
		k.evaluateOne(key, why)
	}
}

// evaluate is an evaluation at an instant: all audiences, or only those that
// the instant concerns and those that refer to them.
func (k *keyAudit) evaluate(why cause, now int64) {
	if k.every == AllAudiences || why.ended {
		k.evaluateAll(why)
		return
	}
	concerned := make(map[rules.AudienceKey]bool)
	for _, key := range k.force.order {
		if !concerned[key] && k.audiences[key].next > now {
			continue
		}
		for _, user := range k.force.users[key] {
			concerned[user] = true
		}
		k.evaluateOne(key, why)
	}
}

// evaluateOne computes one audience and writes down its transition.
func (k *keyAudit) evaluateOne(key rules.AudienceKey, why cause) {
	if !k.force.active(key) {
		k.follow(key)
		return
	}
	a, d := k.audiences[key], k.force.defs[key]
	flipped := a.flip(k.truth(d.When, k.now), k.now)
	was, is := a.member, a.decide(d.Definition, k, why.ended, k.now)
	switch {
	case is && !was:
		a.shadow = d.Status == rules.Shadow
		a.enter(k.sessions, k.now)
		k.emit(key, a, rules.Entered, d.Version, why, flipped)
	case was && !is:
		k.emit(key, a, rules.Exited, d.Version, why, flipped)
		a.leave(k.now)
	case is && a.shadow != (d.Status == rules.Shadow):
		k.emit(key, a, rules.Exited, d.Version, why, flipped)
		a.shadow = !a.shadow
		k.emit(key, a, rules.Entered, d.Version, why, flipped)
	}
	a.next = k.next(a, d.Definition, k.now)
}

// emit writes a transition down at the next position.
func (k *keyAudit) emit(key rules.AudienceKey, a *audience, kind rules.TransitionKind, version uint64, why cause, flipped bool) {
	r := register{audience: key, shadow: a.shadow}
	k.counts[r]++
	t := Expected{}
	t.Kind, t.Audience, t.Version, t.Shadow = kind, key, version, a.shadow
	t.Key, t.UserID, t.AnonymousID = k.key, k.userID, k.anonymousID
	t.SessionID, t.Position, t.N = k.sessionID(why.ended), k.position, k.counts[r]
	t.Cause = why.name(flipped)
	if why.event != nil {
		t.MessageID, t.EventName = why.event.messageID, why.event.name
	}
	t.TimeAlone = t.N > 1 && k.lastSeen[r] == k.applied
	k.lastSeen[r] = k.applied
	k.position.Order++
	k.out = append(k.out, t)
}

// name is the cause's word.
func (c cause) name(flipped bool) rules.Cause {
	switch {
	case c.word != "":
		return c.word
	case c.ended:
		return rules.CauseSessionEnd
	case flipped:
		return rules.CauseWindow
	}
	return rules.CauseDeadline
}

// sortExpected orders by register, then n.
func sortExpected(ts []Expected) {
	slices.SortFunc(ts, func(a, b Expected) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Audience, b.Audience), shadowOrder(a.Shadow, b.Shadow), cmp.Compare(a.N, b.N))
	})
}

func shadowOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
