package httpapi

import (
	"net"
	"sync"
	"time"
)

// A listener takes so many connections at once, and gives each of their writes a deadline: the server's WriteTimeout is over the
// whole answer, and would cut the download of a large file short.
type listener struct {
	net.Listener
	stall  time.Duration
	slots  chan struct{} // holds one for each connection
	closed chan struct{}
	close  func()
}

func newListener(l net.Listener, lim limits) *listener {
	closed := make(chan struct{})
	return &listener{l, lim.stall, make(chan struct{}, lim.connections), closed, sync.OnceFunc(func() { close(closed) })}
}

// Accept waits until there is room for a connection, and then for one. Those that wait meanwhile do so in the system's queue.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &conn{c, l.stall, sync.OnceFunc(func() { <-l.slots })}, nil
}

func (l *listener) Close() error {
	l.close()
	return l.Listener.Close()
}

type conn struct {
	net.Conn
	stall time.Duration
	free  func()
}

func (c *conn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

func (c *conn) Close() error {
	defer c.free()
	return c.Conn.Close()
}
