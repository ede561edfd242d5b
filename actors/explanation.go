package actors

import (
	"context"
	"fmt"

	"github.com/usher-audiences/usher/actors/session"
	"github.com/usher-audiences/usher/rules"
)

// explainQuestion asks why a key is, or is not, a member of an audience.
type explainQuestion struct {
	audience rules.AudienceKey
	at       int64
}

// Explanation is why a key is, or is not, a member of an audience.
type Explanation struct {
	Partition int           `json:"partition"`
	Key       rules.UserKey `json:"key"`
	rules.Explanation
}

// noAudience answers an explainQuestion about an audience that the rule set
// in force does not have.
type noAudience struct{}

// Explain explains a membership as of the instant at, Unix milliseconds, after
// every message that the key's partition has read. An instant outside of the
// time between the last message and the next deadline counts as the nearest
// in it. The error wraps [ErrAudience] if the audience does not exist; while
// the partition is not served it waits as [Node.Inspect] does.
func (n *Node) Explain(ctx context.Context, key rules.UserKey, audience rules.AudienceKey, at int64) (*Explanation, error) {
	answer, err := n.ask(ctx, &question{key: key, explain: &explainQuestion{audience: audience, at: at}})
	if err != nil {
		return nil, fmt.Errorf("explain %q for %q: %w", audience, key, err)
	}
	switch answer := answer.(type) {
	case *Explanation:
		return answer, nil
	case noAudience:
		return nil, fmt.Errorf("explain: %w: %q", ErrAudience, audience)
	default:
		return nil, fmt.Errorf("explain %q for %q: the answer is a %T", audience, key, answer)
	}
}

func explanation(s *session.Session, m *inspectSession) any {
	x, ok := s.Explain(m.explain.at, m.explain.audience)
	if !ok {
		return noAudience{}
	}
	return &Explanation{Partition: m.partition, Key: s.Key(), Explanation: x}
}
