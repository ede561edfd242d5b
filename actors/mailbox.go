package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox is a session's mailbox: it has the session take a message before
// the send returns, on the sender's goroutine. That is its partition's actor
// and nobody else's: strangers are given the address of the node's door, never
// a session's. So it needs neither lock nor queue, where the library's own,
// with the synchronized dispatcher, keeps both for 380 bytes.
//
// A panic goes through it to the sender.
type mailbox struct {
	invoker actor.MessageInvoker
	waiting []any // system messages that came while one was being taken
	busy    bool
}

func newMailbox() actor.Mailbox { return new(mailbox) }

// RegisterHandlers is told whose mailbox it is. There is nothing to dispatch.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	m.invoker = invoker
}

// Start has nothing to do.
func (m *mailbox) Start() {}

// UserMessageCount is how many messages wait: none ever does.
func (m *mailbox) UserMessageCount() int { return 0 }

// PostUserMessage has the session take a message.
func (m *mailbox) PostUserMessage(message any) {
	if m.busy {
		panic(fmt.Sprintf("a session is sent %T while it takes another message", message))
	}
	m.busy = true
	defer m.rest()
	m.invoker.InvokeUserMessage(message)
	m.takeWaiting()
}

// PostSystemMessage has the session take a message of the library. Those that
// tell it to stop come from itself, while it takes the one to which it owes
// its end.
func (m *mailbox) PostSystemMessage(message any) {
	if m.busy {
		m.waiting = append(m.waiting, message)
		return
	}
	m.busy = true
	defer m.rest()
	m.invoker.InvokeSystemMessage(message)
	m.takeWaiting()
}

func (m *mailbox) takeWaiting() {
	for i := 0; i < len(m.waiting); i++ {
		m.invoker.InvokeSystemMessage(m.waiting[i])
	}
	m.waiting = nil
}

// rest is deferred, so that a session that panicked can still be stopped.
func (m *mailbox) rest() { m.busy = false }
