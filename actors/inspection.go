package actors

import (
	"github.com/usher-audiences/usher/actors/partition"
	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

// Inspection is what is known of one key: its session and what its registers
// held last.
type Inspection struct {
	Partition int `json:"partition"`
	session.View
	Registers []RegisterView `json:"registers"`
}

// RegisterView is one register's last message. A zero Sequence means that the
// register holds none any more.
type RegisterView struct {
	Audience rules.AudienceKey `json:"audience"`
	Shadow   bool              `json:"shadow,omitempty"`
	Type     string            `json:"type"` // entered or exited; empty if there was never one
	N        uint64            `json:"n"`
	Position string            `json:"position"`
	Cause    rules.Cause       `json:"cause,omitempty"`
	Sequence uint64            `json:"sequence"` // in the transitions stream
}

func inspection(v session.View, m *inspectSession) *Inspection {
	in := &Inspection{Partition: m.partition, View: v, Registers: make([]RegisterView, len(m.registers))}
	for i, r := range m.registers {
		in.Registers[i] = registerView(r)
	}
	return in
}

func registerView(r partition.Register) RegisterView {
	return RegisterView{
		Audience: r.Audience, Shadow: r.Shadow, Type: r.Kind.String(), N: r.N,
		Position: r.Position.String(), Cause: r.Cause, Sequence: r.Sequence,
	}
}
