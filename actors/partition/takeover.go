package partition

import (
	"fmt"

	"github.com/usher-audiences/usher/rules"
)

// The takeover goes in the order of rule 7: the checkpoint, whether the
// transitions stream still has its tail, the rule set in force there, the
// deadlines of all snapshots, and only then the log.

func (m *Machine) onStart(in Start) {
	if m.phase != idle {
		return
	}
	m.now, m.life = in.Now, in.Now
	m.phase = readingCheckpoint
	m.emit(ReadCheckpoint{})
}

func (m *Machine) onCheckpointRead(in CheckpointRead) {
	if m.phase != readingCheckpoint {
		return
	}
	if in.Checkpoint != nil {
		m.checkpoint = *in.Checkpoint
	}
	c := m.checkpoint
	m.read = mark{seq: c.Seq, raw: c.Time, logTime: c.LogTime, revision: c.Revision}
	m.last, m.losses = c.Transition, c.Losses
	if c.Transition.Sequence > 0 && m.cfg.Without&RuleTransitionsTail == 0 {
		m.phase = checkingTransitions
		m.emit(CheckTransition{Transition: c.Transition})
		return
	}
	m.readRulesInForce()
}

func (m *Machine) onTransitionChecked(in TransitionChecked) {
	if m.phase != checkingTransitions {
		return
	}
	if !in.Intact {
		m.noteLoss()
		m.emit(Alarm{
			Kind: TransitionsLost, Seq: m.last.Sequence,
			Detail: "the transitions stream no longer holds the last acknowledged transition; registers are read again",
		})
		m.last = StoredTransition{}
	}
	m.verified = m.last.Sequence
	m.readRulesInForce()
}

func (m *Machine) readRulesInForce() {
	m.phase = readingRules
	m.readRuleSet(m.checkpoint.Revision)
}

// readRuleSet asks for a revision unless it is there or asked for.
func (m *Machine) readRuleSet(revision uint64) {
	if _, asked := m.waiting[revision]; !asked {
		m.waiting[revision] = nil
		m.emit(ReadRuleSet{Revision: revision})
	}
}

func (m *Machine) onRuleSetRead(in RuleSetRead) {
	rev := in.Rules.Revision()
	m.ruleSets[rev] = in.Rules
	entries := m.waiting[rev]
	delete(m.waiting, rev)
	if m.phase == readingRules && rev == m.checkpoint.Revision {
		m.rules = in.Rules
		m.scanForDeadlines()
	}
	for _, e := range entries {
		if e.phase == loading && e.loaded != nil {
			m.activate(e, e.loaded)
		}
	}
	if m.blocked != nil && m.rulesWanted(m.blocked) == rev {
		m.applyRules(in.Rules)
	}
}

func (m *Machine) scanForDeadlines() {
	if m.cfg.Without&RuleTakeover != 0 {
		m.openLog()
		return
	}
	m.phase = scanning
	m.scans++
	m.emit(ScanSnapshots{Scan: m.scans})
}

func (m *Machine) onSnapshotsScanned(in SnapshotsScanned) {
	switch {
	case in.Scan != m.scans:
	case m.phase == scanning:
		for _, h := range in.Heads {
			m.timers.set(h.Key, h.Next)
		}
		if in.Done {
			m.openLog()
		}
	case len(m.sweeps) > 0:
		m.sweepHeads(in)
	}
}

func (m *Machine) openLog() {
	m.phase = running
	m.reading++
	m.emit(Read{Reading: m.reading, After: Cursor{Seq: m.read.seq, Time: m.read.raw}})
}

// onLogOpened compares where reading begins with the cursor (rule 9). A lost
// tail is reported, and whatever sequence comes next is taken.
func (m *Machine) onLogOpened(in LogOpened) {
	if in.Reading != m.reading {
		return
	}
	if !m.opened {
		m.goal = in.Last
	}
	m.opened = true
	if in.Intact || m.read.seq == 0 || m.cfg.Without&RuleCursor != 0 {
		return
	}
	m.emit(Alarm{
		Kind: LogTailLost, Seq: m.read.seq,
		Detail: fmt.Sprintf("the message at sequence %d is missing or another; reading goes on by time after %s",
			m.read.seq, rules.FormatTime(m.read.raw/1e6)),
	})
	m.read.seq = 0
	m.goal = 0
	m.appended = 0
	m.rewound = true
}

// checkGap reports messages missing between the last read and seq.
func (m *Machine) checkGap(seq uint64) {
	first := !m.started
	m.started = true
	if m.rewound {
		m.rewound = false
		return
	}
	if first && seq > m.read.seq+1 && m.cfg.Without&RuleCursor == 0 {
		m.emit(Alarm{
			Kind: LogGap, Seq: seq,
			Detail: fmt.Sprintf("messages %d to %d are missing from the log", m.read.seq+1, seq-1),
		})
	}
}
