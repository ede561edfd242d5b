package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/bus/subject"
)

// probeStream is no stream's name. A message that expects it is refused by
// whichever stream it reaches, which says its own name and stores nothing.
const probeStream = "USHER_PROBE"

// CheckMapping finds out, without storing anything, whether the server maps
// what producers publish to the logs, for every partition. The error wraps
// [ErrMapping] and has the lines to add.
func (c *Conn) CheckMapping(ctx context.Context, partitions int) error {
	for p, token := range probeTokens(partitions) {
		for _, subj := range []string{subject.Events(token), subject.Traits(token)} {
			reached, err := c.reaches(ctx, subj)
			if err != nil {
				return fmt.Errorf("check the mapping of %s: %w", subj, err)
			}
			if reached != subject.LogStream(p) {
				return mappingError(subj, reached, partitions)
			}
		}
	}
	return nil
}

// probeTokens has one key of each partition.
func probeTokens(partitions int) []subject.Token {
	out := make([]subject.Token, partitions)
	for n, missing := 0, partitions; missing > 0; n++ {
		token := subject.Token("usher-probe-" + strconv.Itoa(n))
		if p := subject.Partition(token, partitions); out[p] == "" {
			out[p], missing = token, missing-1
		}
	}
	return out
}

// reaches names the stream that stores what is published on subj; empty if
// none does.
func (c *Conn) reaches(ctx context.Context, subj string) (string, error) {
	m := nats.NewMsg(subj)
	m.Header.Set(nats.ExpectedStreamHdr, probeStream)
	answer, err := c.askWait(ctx, &c.gates.appends, m)
	if errors.Is(err, nats.ErrNoResponders) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var r pubReply
	if err := json.Unmarshal(answer.Data, &r); err != nil {
		return "", fmt.Errorf("answer %q is not a stream's: %w", answer.Data, err)
	}
	if r.Error == nil || r.Error.ErrCode != codeNotMatching {
		return "", fmt.Errorf("answer %q: want a refusal", answer.Data)
	}
	return r.Stream, nil
}

func mappingError(subj, reached string, partitions int) error {
	what := "no stream stores what is published on " + subj
	if reached != "" {
		what = fmt.Sprintf("what is published on %s is stored in %s, which is another partition's", subj, reached)
	}
	return fmt.Errorf("%w: %s; add these lines to the server's configuration (with accounts: to the account's block) and reload it:\n\n%s",
		ErrMapping, what, MappingLines(partitions))
}

// MappingLines is what an external server's configuration needs.
func MappingLines(partitions int) string {
	var b strings.Builder
	b.WriteString("mappings = {\n")
	for _, m := range subject.Mappings(partitions) {
		fmt.Fprintf(&b, "  %q: %q\n", m.Source, m.Destination)
	}
	b.WriteString("}\n")
	return b.String()
}
