package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// zeros is a body without an end in sight; it counts what was read of it.
type zeros struct{ n atomic.Int64 }

func (z *zeros) Read(p []byte) (int, error) {
	clear(p)
	z.n.Add(int64(len(p)))
	return len(p), nil
}

// listening serves with limits until the test ends.
func listening(t *testing.T, h http.Handler, change func(*limits)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lim := usualLimits
	if change != nil {
		change(&lim)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- serve(ctx, l, h, lim) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestURLsAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 1, "a")
	key := strings.Repeat("%C3%A4", 512) // 1,024 bytes
	w.refused(w.do("GET", "/assets/"+key+".tif", ""), "not_found")
	w.refused(w.do("GET", "/collections/a/items?token="+strings.Repeat("x", maxURL), ""), "url_too_long")
	w.refused(w.do("GET", "/"+strings.Repeat("x/", maxURL), ""), "url_too_long")
}

// No method makes the server read a body to its end.
func TestBodiesAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	w.publish(1, 1, "a")
	w.desk.history = []refresh.Run{{ID: runID, State: refresh.Running}}
	addr := listening(t, New(w.opt), nil)
	for call, status := range map[string]int{"GET /collections": 200, "POST /refresh": 400, "DELETE /refresh/runs/" + runID: 202,
		"PUT /collections": 405, "POST /nothing": 404} {
		method, path, _ := strings.Cut(call, " ")
		body := &zeros{}
		req, err := http.NewRequest(method, "http://"+addr+path, io.LimitReader(body, 1<<40))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		var hungUp net.Error // the server may hang up before the client has looked
		switch {
		case err == nil:
			if resp.Body.Close(); resp.StatusCode != status {
				t.Errorf("%s: %d", call, resp.StatusCode)
			}
		case !errors.As(err, &hungUp) && !errors.Is(err, io.EOF):
			t.Errorf("%s: %v", call, err)
		}
		if n := body.n.Load(); n > 16<<20 { // what lies in buffers, and what is read so that the connection may be kept
			t.Errorf("%s: %d bytes were sent", call, n)
		}
	}
	if w.desk.asked != nil {
		t.Errorf("asked %v", w.desk.asked)
	}
}

// A client that is slow is told so, or hung up on; meanwhile others are answered.
func TestSlowClients(t *testing.T) {
	w := newWorld(t, nil)
	addr := listening(t, New(w.opt), func(lim *limits) {
		lim.header, lim.request, lim.idle = 50*time.Millisecond, 100*time.Millisecond, 50*time.Millisecond
	})
	for sent, want := range map[string]string{
		"POST /refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{":              "slow_body",
		"POST /refresh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n": "slow_body",
		"POST /refresh HTTP/1.1\r\nHost: x\r\n":                                        "", // hung up on
		"GET /conformance HTTP/1.1\r\nHost: x\r\n\r\n":                                 "conformsTo",
		"": "",
	} {
		c := dial(t, addr)
		if _, err := io.WriteString(c, sent); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		got, err := io.ReadAll(c) // ends, because the server closes
		if ne, ok := err.(net.Error); ok && ne.Timeout() || !strings.Contains(string(got), want) || want == "" && strings.Contains(string(got), "200 OK") {
			t.Errorf("%q: %q, %v", sent, got, err)
		}
	}
	if w.desk.asked != nil {
		t.Errorf("asked %v", w.desk.asked)
	}
}

func TestHeadersAreBounded(t *testing.T) {
	addr := listening(t, newWorld(t, nil).Config.Handler, nil)
	c := dial(t, addr)
	go func() {
		fmt.Fprintf(c, "GET /conformance HTTP/1.1\r\nHost: x\r\nX-Long: %s", bytes.Repeat([]byte("x"), 2*usualLimits.headerBytes))
	}()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%+v, %v", resp, err)
	}
}

// Only so many connections are taken at once; further ones wait, and are taken when there is room.
func TestConnectionsAreBounded(t *testing.T) {
	const most, clients = 3, 12
	var mu sync.Mutex
	now, peak := 0, 0
	full, release := make(chan struct{}, clients), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now++
		peak = max(peak, now)
		mu.Unlock()
		full <- struct{}{}
		<-release
		mu.Lock()
		now--
		mu.Unlock()
	})
	addr := listening(t, h, func(lim *limits) { lim.connections = most })
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			c := dial(t, addr)
			fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || resp.StatusCode != 200 {
				t.Errorf("%+v, %v", resp, err)
			}
		})
	}
	for range most {
		<-full
	}
	close(release)
	wg.Wait()
	if peak != most {
		t.Errorf("%d at once, want %d", peak, most)
	}
}

// A server whose connections are all in use can be stopped.
func TestFullServerStops(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lim := usualLimits
	lim.connections, lim.drain = 1, 10*time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	entered := make(chan struct{})
	served := make(chan error, 1)
	go func() {
		served <- serve(ctx, l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
		}), lim)
	}()
	fmt.Fprint(dial(t, l.Addr().String()), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-entered
	dial(t, l.Addr().String())
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
