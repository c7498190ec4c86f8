package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Times that Serve gives its clients.
const (
	headerTime = 10 * time.Second // to send a request's header
	bodyTime   = time.Minute      // to send all of it
	idleTime   = 2 * time.Minute  // between requests
	stallTime  = time.Minute      // to take what one write sends; a long download goes on as long as it goes on
	drainTime  = 10 * time.Second // to finish when the server stops
)

// maxHeader is enough for any browser's, in bytes.
const maxHeader = 64 << 10

// Serve answers requests on the listener until ctx is done, then takes no more and gives those under way some seconds. It
// closes the listener. Its error is the listener's; being stopped is none.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       bodyTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(stallListener{l}) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
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

// A stallListener gives each write of its connections a deadline. The server's WriteTimeout is over the whole answer, and
// would cut the download of a large file short.
type stallListener struct{ net.Listener }

func (l stallListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return stallConn{c}, nil
}

type stallConn struct{ net.Conn }

func (c stallConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(stallTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
