package dirstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
)

const roleVar = "CAIRN_DIRSTORE_ROLE"

// roles are what this test binary does as a second process, with the folder as its argument.
var roles = map[string]func(s *Store) error{"count": count, "write": write}

func TestMain(m *testing.M) {
	role, ok := roles[os.Getenv(roleVar)]
	if !ok {
		os.Exit(m.Run())
	}
	s, err := Open(os.Args[1])
	if err == nil {
		err = role(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func process(t *testing.T, role, dir string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0], dir)
	cmd.Env = append(os.Environ(), roleVar+"="+role)
	return cmd
}

const adds = 60

// count adds to a number by compare-and-swap.
func count(s *Store) error {
	ctx := context.Background()
	for done := 0; done < adds; {
		body, o, err := s.Get(ctx, "counter", 0, -1, "")
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(body))
		if err != nil {
			return err
		}
		_, err = s.Put(ctx, "counter", fmt.Appendf(nil, "%04d", n+1), objstore.PutOptions{IfMatch: o.ETag, Relaxed: true})
		if err == nil {
			done++
		} else if !errors.Is(err, objstore.ErrPrecondition) {
			return err
		}
	}
	return nil
}

// TestProcessesRace has three processes add to a number of fixed length at once, so that nothing but the time tells its
// states apart: no addition is lost.
func TestProcessesRace(t *testing.T) {
	s := open(t)
	put(t, s, "counter", "0000", objstore.PutOptions{})
	var running []*exec.Cmd
	for range 2 {
		cmd := process(t, "count", s.Dir())
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, cmd)
	}
	if err := count(s); err != nil {
		t.Error(err)
	}
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if body, _, err := s.Get(t.Context(), "counter", 0, -1, ""); err != nil || string(body) != fmt.Sprintf("%04d", 3*adds) {
		t.Errorf("got %s, %v, want %04d", body, err, 3*adds)
	}
}

// write puts Objects of one letter each, new and over old ones, until it is killed.
func write(s *Store) error {
	for i := 0; ; i++ {
		key := fmt.Sprintf("%d/%d.json", i%7, i%40)
		body := strings.Repeat(string(rune('a'+i%26)), 1+i*7919%300_000)
		opt := objstore.PutOptions{Relaxed: i%5 != 0, IfAbsent: i < 280 && i%3 == 0}
		if _, err := s.Put(context.Background(), key, []byte(body), opt); err != nil && !errors.Is(err, objstore.ErrPrecondition) {
			return err
		}
		if i%11 == 0 {
			if err := s.Delete(context.Background(), key); err != nil {
				return err
			}
		}
		fmt.Println(i)
	}
}

// TestKilled kills a writing process at once, several times: every Object is whole, and the next process is not held up.
func TestKilled(t *testing.T) {
	s := open(t)
	objects := 0
	for round := range 5 {
		cmd := process(t, "write", s.Dir())
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 10+17*round && lines.Scan(); n++ {
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
		}
		if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() == 1 {
			t.Fatalf("the process ended by itself: %v", err)
		}
		for _, key := range keys(t, s) {
			body, o, err := s.Get(t.Context(), key, 0, -1, "")
			if err != nil || len(body) == 0 || strings.Trim(string(body), string(body[:1])) != "" || o.Size != int64(len(body)) {
				t.Errorf("round %d: %s has %d bytes, or of two Objects; %+v, %v", round, key, len(body), o, err)
			}
			objects++
		}
		put(t, s, "next", fmt.Sprint(round), objstore.PutOptions{})
	}
	if objects == 0 {
		t.Error("nothing was written")
	}
	left, err := filepath.Glob(filepath.Join(s.Dir(), tempDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d Objects looked at, %d files left half-written", objects, len(left))
	for _, path := range left { // a day later the Store would
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// TestStoppedHolder: a process that stands still with the lock holds others up no longer than they want to wait.
func TestStoppedHolder(t *testing.T) {
	s := open(t)
	other, err := Open(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := other.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := s.Put(ctx, "a", []byte("x"), objstore.PutOptions{})
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("Put went past the lock: %v", err)
	default:
		cancel()
	}
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	unlock()
	put(t, s, "a", "x", objstore.PutOptions{})
}
