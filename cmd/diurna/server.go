package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// stopWithin is how long requests under way may take once the process is asked to end.
const stopWithin = 5 * time.Second

// A server answers over HTTP: whether the process lives and is ready, its metrics, and whatever else is mounted on it.
type server struct {
	listener net.Listener
	mux      *http.ServeMux
	ready    atomic.Bool
	problem  func() error // why it is not ready though it runs; nil = nobody asks
}

// listen opens the address, so that a taken one is known before anything else starts.
func listen(ctx context.Context, address string) (*server, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &schemas.Error{Code: schemas.CodeConflict, Message: fmt.Sprintf(
			"cannot listen on %s: choose another address with --http, or port 0 for any free one", address), Err: err}
	}
	s := &server{listener: l, mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeState(w, nil) })
	s.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { writeState(w, s.state()) })
	return s, nil
}

// errStarting is why a server that has just begun is not ready.
var errStarting = errors.New("starting")

// state returns why the process is not ready, nil when it is.
func (s *server) state() error {
	if !s.ready.Load() {
		return errStarting
	}
	if s.problem == nil {
		return nil
	}
	return s.problem()
}

func writeState(w http.ResponseWriter, problem error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if problem != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintln(w, "not ready:", problem) // whoever asked is gone
		return
	}
	_, _ = w.Write([]byte("ok\n")) // whoever asked is gone
}

// url returns where a path of the server is found.
func (s *server) url(path string) string { return "http://" + s.listener.Addr().String() + path }

// serve answers until ctx ends.
func (s *server) serve(ctx context.Context) error {
	web := &http.Server{
		Handler:           s.mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	stopped := make(chan error, 1)
	defer context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		stopped <- web.Shutdown(last)
	})()
	if err := web.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve http: %w", err)
	}
	return <-stopped
}

// close gives the address back when serve never ran.
func (s *server) close() { _ = s.listener.Close() }
