package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

const (
	defaultAddr = "127.0.0.1:8000"
	tokenName   = "CAIRN_TOKEN" // environment
	minToken    = 16            // characters
)

// access says who may reach a server.
type access struct {
	addr, token           string
	openReads, trustProxy bool
}

func accessFlags(cmd *cobra.Command, o *access) {
	f := cmd.Flags()
	f.StringVar(&o.addr, "addr", defaultAddr, "the `ADDRESS` to serve at; port 0 takes a free one. One that other machines reach needs --token")
	f.StringVar(&o.token, "token", "", "the `TOKEN` that every request must bring, of at least 16 characters; better given as "+tokenName+", where other users do not see it")
	f.BoolVar(&o.openReads, "open-reads", false, "let anybody read the catalog; the token is for refreshing it and for its history")
	f.BoolVar(&o.trustProxy, "trust-proxy", false, "take host and scheme of links from X-Forwarded-* or Forwarded, which a proxy in front must set")
	complete(cmd.RegisterFlagCompletionFunc("addr", nothingMore))
	complete(cmd.RegisterFlagCompletionFunc("token", nothingMore))
}

// check refuses an address that others reach without a token.
func (o access) check() error {
	host, port, err := net.SplitHostPort(o.addr)
	if err != nil {
		return usagef("--addr %s: give a host and a port, as in %s", o.addr, defaultAddr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return usagef("--addr %s: %q is no port number", o.addr, port)
	}
	switch {
	case o.token == "" && o.openReads:
		return usagef("--open-reads says what is open without a token; give one with --token or %s, or leave it out", tokenName)
	case o.token == "" && !loopback(host):
		return usagef("--addr %s can be reached from other machines: give a token that they must send, as in --token %s or %s=…", o.addr, rand.Text(), tokenName)
	case o.token != "" && len(o.token) < minToken:
		return usagef("the token has %d characters; give at least %d, as in %s", len(o.token), minToken, rand.Text())
	case strings.ContainsFunc(o.token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return usagef("the token holds a space or what is no ASCII character, which a request cannot send; take one like %s", rand.Text())
	}
	return nil
}

// local tells whether only this machine reaches the address.
func (o access) local() bool {
	host, _, _ := net.SplitHostPort(o.addr)
	return loopback(host)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// curl is the beginning of a command line that asks the server for what needs the token.
func (o access) curl() string {
	if o.token == "" {
		return "curl"
	}
	return `curl -H "Authorization: Bearer $` + tokenName + `"`
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if inUse(err) {
		_, port, _ := net.SplitHostPort(addr)
		return nil, fmt.Errorf("address %s is in use; stop what serves there (port %s), or give another one with --addr", addr, port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

func inUse(err error) bool {
	const windows = syscall.Errno(10048) // WSAEADDRINUSE, which package syscall does not map
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, windows)
}

// baseURL is where people find a listener: one on every address of the machine by the machine's name.
func baseURL(l net.Listener) string {
	addr, ok := l.Addr().(*net.TCPAddr)
	name, err := os.Hostname()
	if !ok || !addr.IP.IsUnspecified() || err != nil {
		return "http://" + l.Addr().String()
	}
	return "http://" + net.JoinHostPort(name, strconv.Itoa(addr.Port))
}
