package partition

import (
	"fmt"

	"github.com/usher-audiences/usher/rules"
)

// Machine is one partition as its owner runs it. It is not safe for
// concurrent use.
//
// Invariants, at the end of every Step:
//
//	checkpoint <= floor <= read          in log order
//	floor = the message before the first that is not done, else the last read
//	saved(key) only if unacknowledged(key) = 0
//	an entry is dropped only if it is clean, idle and holds nothing
type Machine struct {
	cfg   Config
	phase phase
	now   int64 // wall clock, Unix milliseconds, as last told
	out   []Effect

	// The log.
	reading int  // of the Read in force
	read    mark // last message read
	undone  flightList
	rejects map[uint64]rejection // by sequence, waiting for RejectStored
	blocked *flight              // the rules message whose rule set is being read
	backlog []Message            // read while blocked
	paused  bool
	opened  bool   // LogOpened has come
	rewound bool   // the log lost its tail: the next sequence may be any
	started bool   // a message has been read
	goal    uint64 // the log's last sequence when it was opened
	caught  bool

	// Rules.
	rules     *rules.RuleSet
	ruleSets  map[uint64]*rules.RuleSet // those that a snapshot or a replay may need
	changes   []change                  // since the checkpoint taken over, by revision
	waiting   map[uint64][]*entry       // for a rule set to be read
	head      uint64                    // newest revision available
	appended  uint64                    // newest revision appended by this machine
	appending bool
	sweeps    []*sweep // the first is under way
	scans     int

	// Keys.
	keys     map[rules.UserKey]*entry
	recent   entryList // active entries, least recently used first
	held     int       // inputs held by entries
	loading  int       // entries being loaded
	evicting int       // entries being saved to be passivated

	// Registers.
	unacked  int // publications not acknowledged
	attempts uint64
	last     StoredTransition
	losses   uint64 // Checkpoint.Losses, and those noticed since
	life     int64  // Start.Now
	verified uint64 // up to here the transitions stream was whole at the takeover

	// Time.
	timers    timerIndex
	armed     int64 // what the driver was last asked for
	tickSent  int64 // wall clock of the tick under way, 0 if none
	tickAfter int64 // no tick before this wall-clock time

	// Checkpoints.
	dirty      []*entry
	round      *round
	checkpoint Checkpoint // last saved
	drainSaved bool       // the checkpoint of the drain is saved, or another owner's is later
	forgets    map[rules.UserKey][]uint64
}

// phase is how far the takeover has come.
type phase uint8

const (
	idle phase = iota
	readingCheckpoint
	checkingTransitions
	readingRules
	scanning
	running
	draining
	drained
)

// mark is a place in the log with what the checkpoint must know of it.
type mark struct {
	seq      uint64
	raw      int64 // the message's own timestamp, Unix nanoseconds
	logTime  int64 // Unix milliseconds
	revision uint64
}

// New returns the machine of one partition. Its first input is [Start].
func New(cfg Config) *Machine {
	return &Machine{
		cfg:      cfg.validate(),
		rejects:  make(map[uint64]rejection),
		ruleSets: make(map[uint64]*rules.RuleSet),
		waiting:  make(map[uint64][]*entry),
		keys:     make(map[rules.UserKey]*entry),
		forgets:  make(map[rules.UserKey][]uint64),
		timers:   newTimerIndex(),
		armed:    rules.Never,
	}
}

// Step takes one input and returns what to do, in order. The slice is valid
// until the next Step.
func (m *Machine) Step(in Input) []Effect {
	m.out = m.out[:0]
	if m.phase == drained {
		return nil
	}
	m.apply(in)
	m.settle()
	return m.out
}

func (m *Machine) emit(e Effect) { m.out = append(m.out, e) }

func (m *Machine) apply(in Input) {
	switch in := in.(type) {
	case Message:
		m.onMessage(in)
	case Stepped:
		m.onStepped(in)
	case Published:
		m.onPublished(in)
	case RegisterRead:
		m.onRegisterRead(in)
	case SnapshotRead:
		m.onSnapshotRead(in)
	case Captured:
		m.onCaptured(in)
	case SnapshotSaved:
		m.onSnapshotSaved(in)
	case Passivated:
		m.onPassivated(in)
	case RejectStored:
		m.onRejectStored(in)
	case Clock:
		m.now = max(m.now, in.Now)
		m.armed = rules.Never
	case TickAppended:
		m.onTickAppended(in)
	case CheckpointDue:
		m.startRound()
	case CheckpointSaved:
		m.onCheckpointSaved(in)
	default:
		m.applyRare(in)
	}
}

// applyRare takes the inputs of takeover, rule changes and requests.
func (m *Machine) applyRare(in Input) {
	switch in := in.(type) {
	case Start:
		m.onStart(in)
	case CheckpointRead:
		m.onCheckpointRead(in)
	case TransitionChecked:
		m.onTransitionChecked(in)
	case RuleSetRead:
		m.onRuleSetRead(in)
	case SnapshotsScanned:
		m.onSnapshotsScanned(in)
	case LogOpened:
		m.onLogOpened(in)
	case ActivationFailed:
		m.onActivationFailed(in)
	case RevisionAvailable:
		m.head = max(m.head, in.Revision)
	case RulesAppended:
		m.onRulesAppended(in)
	case Query:
		m.onQuery(in)
	case Forget:
		m.onForget(in)
	case Erased:
		m.onErased(in)
	case Drain:
		m.onDrain()
	default:
		panic(fmt.Sprintf("partition: unknown input %T", in))
	}
}

// settle does what any input may have made possible.
func (m *Machine) settle() {
	if m.phase != running && m.phase != draining {
		return
	}
	m.evict()
	m.pumpSweep()
	m.pumpRound()
	m.tick()
	m.throttle()
	m.finish()
	m.appendRules()
}

// throttle pauses reading while too much is not done, and resumes it.
func (m *Machine) throttle() {
	if m.phase != running {
		return
	}
	load := m.undone.len + m.held + len(m.backlog) + m.unacked
	switch {
	case !m.paused && load >= m.cfg.UndoneMax:
		m.paused = true
		m.emit(Pause{})
	case m.paused && load <= m.cfg.UndoneMax/2:
		m.paused = false
		m.emit(Resume{})
	}
}

// finish tells that the log has been caught up with, and ends a drain.
func (m *Machine) finish() {
	if !m.caught && m.opened && m.floor().seq >= m.goal {
		m.caught = true
		m.emit(Caught{})
	}
	if m.phase == draining {
		m.drain()
	}
}
