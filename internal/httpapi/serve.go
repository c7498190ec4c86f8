package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// limits of what Serve gives its clients. Those on bodies and URLs are the handler's (router.go).
type limits struct {
	header      time.Duration // to send a request's header
	request     time.Duration // to send all of it
	idle        time.Duration // between requests
	stall       time.Duration // to take what one write sends; a long download goes on as long as it goes on
	drain       time.Duration // to finish when the server stops
	headerBytes int
	connections int // at once; further ones wait to be taken
}

var usualLimits = limits{
	header: 10 * time.Second, request: 30 * time.Second, idle: time.Minute, stall: time.Minute, drain: 10 * time.Second,
	headerBytes: 64 << 10, // enough for any browser's
	connections: 1000,
}

// Serve answers requests on the listener until ctx is done, then takes no more and gives those under way some seconds. It
// closes the listener. Its error is the listener's; being stopped is none.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	return serve(ctx, l, h, usualLimits)
}

func serve(ctx context.Context, l net.Listener, h http.Handler, lim limits) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: lim.header,
		ReadTimeout:       lim.request,
		IdleTimeout:       lim.idle,
		MaxHeaderBytes:    lim.headerBytes,
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(newListener(l, lim)) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), lim.drain)
	defer cancel()
	err := srv.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	<-served
	if err != nil {
		return fmt.Errorf("stop serving %s: %w", l.Addr(), err)
	}
	return nil
}
