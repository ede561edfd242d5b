package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/usher-audiences/usher"
	"github.com/usher-audiences/usher/rules"
)

// What nodes answer on NATS, as JSON. The same types serve the asking and the
// answering side.

// keyRequest asks about one person: on usher.session for what is known, on
// usher.forget to erase it.
type keyRequest struct {
	Key rules.UserKey `json:"key"`
}

// membersRequest asks, on usher.members, for the members of one audience.
type membersRequest struct {
	Audience rules.AudienceKey `json:"audience"`
}

// membersAnswer lists them in order of key, with the instant of entry.
type membersAnswer struct {
	Audience rules.AudienceKey `json:"audience"`
	Count    int               `json:"count"`
	Members  []member          `json:"members"`
}

type member struct {
	Key   rules.UserKey `json:"key"`
	Since string        `json:"since"`
}

// explainRequest asks, on usher.explain, why a person is or is not a member of
// an audience. The answer is an [actors.Explanation].
type explainRequest struct {
	Key      rules.UserKey     `json:"key"`
	Audience rules.AudienceKey `json:"audience"`
}

// requestTimeout bounds one request to a node, which may be taking over a
// partition at the moment.
const requestTimeout = 30 * time.Second

// errNobody is returned when no node answers.
var errNobody = errors.New("no node answers")

// ask sends a request to whichever node answers it and reads the answer.
func ask(ctx context.Context, nc *nats.Conn, subject string, request, answer any) error {
	data, err := json.Marshal(request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	m, err := nc.RequestWithContext(ctx, subject, data)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("%s: %w: %w", subject, errNobody, usher.ErrNotInstalled)
	case err != nil:
		return fmt.Errorf("%s: %w", subject, err)
	}
	if text := m.Header.Get(micro.ErrorHeader); text != "" {
		return fmt.Errorf("%s: %s", subject, text)
	}
	if err := json.Unmarshal(m.Data, answer); err != nil {
		return fmt.Errorf("%s: the answer cannot be read: %w", subject, err)
	}
	return nil
}
