package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/usher-audiences/usher"
	"github.com/usher-audiences/usher/actors"
	"github.com/usher-audiences/usher/bus/subject"
)

// questionsMax bounds the requests that a node answers at a time. Beyond it
// they wait in the subscription.
const questionsMax = 64

// services answers requests on NATS for a node.
type services struct {
	ctx     context.Context // ends the answering
	node    *actors.Node
	client  *usher.Client
	started time.Time
	log     *slog.Logger
	slots   chan struct{}
	running sync.WaitGroup
	micro   micro.Service
}

// answerFunc reads a request's body and returns what to answer.
type answerFunc func(ctx context.Context, body []byte) (any, error)

// errRequest is returned for a request that cannot be read.
var errRequest = errors.New("the request cannot be read")

// startServices begins to answer. They stop with stop, or with ctx.
func startServices(ctx context.Context, nc *nats.Conn, node *actors.Node, log *slog.Logger) (*services, error) {
	client, err := usher.FromConn(nc)
	if err != nil {
		return nil, err
	}
	s := &services{ctx: ctx, node: node, client: client, started: time.Now(), log: log, slots: make(chan struct{}, questionsMax)}
	s.micro, err = micro.AddService(nc, micro.Config{
		Name: "usher", Version: serviceVersion, Description: "look-ups in the sessions and audiences of an Usher installation",
	})
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("answer requests on NATS: %w", err)
	}
	endpoints := []struct {
		name, subject string
		answer        answerFunc
	}{
		{"session", subject.RequestSession, s.session},
		{"members", subject.RequestMembers, s.members},
		{"explain", subject.RequestExplain, s.explain},
		{"status", subject.RequestStatus, s.status},
		{"forget", subject.RequestForget, s.forget},
	}
	for _, e := range endpoints {
		if err := s.micro.AddEndpoint(e.name, s.answering(e.answer), micro.WithEndpointSubject(e.subject)); err != nil {
			return nil, errors.Join(fmt.Errorf("answer %s: %w", e.subject, err), s.stop())
		}
	}
	return s, nil
}

// serviceVersion is that of the requests' and answers' form.
const serviceVersion = "1.0.0"

func (s *services) stop() error {
	err := s.micro.Stop()
	s.running.Wait()
	s.client.Close()
	return err
}

// answering runs each request on a goroutine of its own, since one may wait
// for a partition that is being taken over.
func (s *services) answering(answer answerFunc) micro.Handler {
	return micro.HandlerFunc(func(r micro.Request) {
		select {
		case s.slots <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
		s.running.Go(func() {
			defer func() { <-s.slots }()
			s.respond(r, answer)
		})
	})
}

func (s *services) respond(r micro.Request, answer answerFunc) {
	ctx, cancel := context.WithTimeout(s.ctx, requestTimeout)
	defer cancel()
	reply, err := answer(ctx, r.Data())
	if err == nil {
		err = r.RespondJSON(reply)
	} else {
		err = r.Error(errorStatus(err), err.Error(), nil)
	}
	if err != nil {
		s.log.Warn("request not answered", "subject", r.Subject(), "error", err)
	}
}

func errorStatus(err error) string {
	switch {
	case errors.Is(err, errRequest), errors.Is(err, usher.ErrAudience), errors.Is(err, actors.ErrAudience), errors.Is(err, subject.ErrNoKey), errors.Is(err, subject.ErrKeyTooLong):
		return "400"
	case errors.Is(err, actors.ErrUnavailable):
		return "503"
	default:
		return "500"
	}
}

func (s *services) session(ctx context.Context, body []byte) (any, error) {
	request, err := readKey(body)
	if err != nil {
		return nil, err
	}
	return s.node.Inspect(ctx, request.Key)
}

func (s *services) explain(ctx context.Context, body []byte) (any, error) {
	var request explainRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, fmt.Errorf("%w: want {\"key\": ..., \"audience\": ...}: %w", errRequest, err)
	}
	if _, err := subject.Encode(string(request.Key)); err != nil {
		return nil, err
	}
	return s.node.Explain(ctx, request.Key, request.Audience, time.Now().UnixMilli())
}

func (s *services) forget(ctx context.Context, body []byte) (any, error) {
	request, err := readKey(body)
	if err != nil {
		return nil, err
	}
	return struct{}{}, s.node.Forget(ctx, request.Key)
}

func (s *services) members(ctx context.Context, body []byte) (any, error) {
	var request membersRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, fmt.Errorf("%w: want {\"audience\": ...}: %w", errRequest, err)
	}
	found, err := s.client.Members(ctx, request.Audience)
	if err != nil {
		return nil, err
	}
	answer := membersAnswer{Audience: request.Audience, Count: len(found), Members: make([]member, len(found))}
	for i, t := range found {
		answer.Members[i] = member{Key: t.Key, Since: t.At.Format(time.RFC3339Nano)}
	}
	return answer, nil
}

func (s *services) status(context.Context, []byte) (any, error) {
	return statusAnswer{
		versionAnswer: buildVersion(),
		Uptime:        int64(time.Since(s.started).Seconds()),
		Status:        s.node.Status(),
	}, nil
}

func readKey(body []byte) (keyRequest, error) {
	var request keyRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return request, fmt.Errorf("%w: want {\"key\": ...}: %w", errRequest, err)
	}
	_, err := subject.Encode(string(request.Key))
	return request, err
}
