package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// operators is the HTTP listener for health checks and metrics.
type operators struct {
	listener net.Listener
	server   *http.Server // nil until it answers
	serving  sync.WaitGroup
}

// health is what the checks ask.
type health interface {
	// alive returns why the process is beyond help, or nil.
	alive() error
	// ready returns why the node does not serve everything now, or nil.
	ready() error
}

// listenForOperators takes the address, and answers nobody yet: a used port
// is found before anything else is started. Nothing that is served changes
// anything, and none of it is a secret, but addresses beyond this machine are
// the operator's choice.
func listenForOperators(address string) (*operators, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, &problem{fmt.Errorf("--http: %w", err), "another program may use the port; choose another with --http, or --http '' for none"}
	}
	return &operators{listener: listener}, nil
}

// serve begins to answer.
func (o *operators) serve(h health, metrics *prometheus.Registry) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", check(h.alive))
	mux.HandleFunc("GET /readyz", check(h.ready))
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	o.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second}
	o.serving.Go(func() {
		// After Shutdown it returns ErrServerClosed; an error of the listener
		// shows in the checks that no longer answer.
		_ = o.server.Serve(o.listener)
	})
}

func check(ask func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := ask(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, err)
			return
		}
		fmt.Fprintln(w, "ok")
	}
}

func (o *operators) url() string { return "http://" + o.listener.Addr().String() }

func (o *operators) stop() error {
	if o.server == nil {
		return o.listener.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := o.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = o.server.Close()
	}
	o.serving.Wait()
	return err
}
