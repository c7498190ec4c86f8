package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

const patience = time.Minute // that a test has with the machine

// A watcher is a watched folder in a test.
type watcher struct {
	testing.TB
	dir     string
	tree    *tree
	changes chan Change
	ended   chan error
	stop    context.CancelFunc
	marks   int
}

// brisk are options that do not keep a test waiting.
var brisk = Options{Quiet: 5 * time.Millisecond, Longest: 100 * time.Millisecond}

// start watches dir. What found returns is what answer does, if it is given.
func start(t testing.TB, dir string, opt Options, answer func(Change) error) *watcher {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w := &watcher{TB: t, dir: dir, changes: make(chan Change, 1000), ended: make(chan error, 1), stop: stop}
	ready := make(chan bool)
	opt.Ready = func() { close(ready) }
	opt.Log = slog.New(slog.DiscardHandler)
	var err error
	if w.tree, err = newTree(dir, opt); err != nil {
		t.Fatal(err)
	}
	w.tree.beat = 20 * time.Millisecond
	go func() {
		defer w.tree.close()
		w.ended <- w.tree.watch(ctx, func(_ context.Context, c Change) error {
			if answer != nil {
				if err := answer(c); err != nil {
					return err
				}
			}
			w.changes <- c
			return nil
		})
	}()
	t.Cleanup(func() {
		stop()
		select {
		case <-w.ended:
		case <-time.After(patience):
			t.Error("does not end")
		}
	})
	select {
	case <-ready:
	case err := <-w.ended:
		w.ended <- err
		t.Fatal(err)
	case <-time.After(patience):
		t.Fatal("not ready")
	}
	return w
}

func (w *watcher) next() Change {
	w.Helper()
	select {
	case c := <-w.changes:
		return c
	case err := <-w.ended:
		w.ended <- err
		w.Fatalf("ended: %v", err)
	case <-time.After(patience):
		w.Fatal("nothing told")
	}
	panic("not reached")
}

// told returns all that was told of what happened so far, and how many Changes that were. Events come in order, so it is
// all once a file that is written now is told.
func (w *watcher) told() (all Change, changes int) {
	w.Helper()
	w.marks++
	mark := fmt.Sprintf("~mark%d", w.marks)
	w.write(mark, "")
	var p pending
	for seen := false; !seen; changes++ {
		c := w.next()
		if len(c.Keys) > maxKeys || len(c.Prefixes) > maxPrefixes {
			w.Fatalf("%d keys and %d prefixes told at once", len(c.Keys), len(c.Prefixes))
		}
		seen = c.Lost || slices.Contains(c.Keys, mark)
		c.Keys = slices.DeleteFunc(c.Keys, func(k string) bool { return strings.HasPrefix(k, "~mark") })
		p.merge(c)
	}
	return p.take(), changes
}

func (w *watcher) path(key string) string { return filepath.Join(w.dir, filepath.FromSlash(key)) }

func (w *watcher) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *watcher) write(key, content string) {
	w.Helper()
	w.must(os.WriteFile(w.path(key), []byte(content), 0o666))
}
func (w *watcher) mkdir(key string)       { w.Helper(); w.must(os.MkdirAll(w.path(key), 0o777)) }
func (w *watcher) remove(key string)      { w.Helper(); w.must(os.RemoveAll(w.path(key))) }
func (w *watcher) rename(from, to string) { w.Helper(); w.must(os.Rename(w.path(from), w.path(to))) }
func (w *watcher) link(to, key string)    { w.Helper(); w.must(os.Symlink(to, w.path(key))) }

// TestTold does one thing to a folder after the other and says what is told of each, no more and no less.
func TestTold(t *testing.T) {
	base := t.TempDir()
	for _, dir := range []string{"root/a/b", "root/c", "root/secret/deep", "elsewhere/d"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	opt := brisk
	opt.Ignore = func(key string) bool { return key == "secret/" || strings.HasSuffix(key, ".tmp") }
	w := start(t, filepath.Join(base, "root"), opt, nil)
	windows := runtime.GOOS == "windows" // no chmod events, links need a privilege, folders that move are told as Lost
	for _, step := range []struct {
		name     string
		do       func()
		keys     []string
		prefixes []string
		skip     bool
	}{
		{name: "nothing", do: func() {}},
		{name: "create", do: func() { w.write("x.tif", "1") }, keys: []string{"x.tif"}},
		{name: "create deep", do: func() { w.write("a/b/y z+é%.tif", "1") }, keys: []string{"a/b/y z+é%.tif"}},
		{name: "write", do: func() { w.write("x.tif", "22") }, keys: []string{"x.tif"}},
		{name: "chmod", do: func() { w.must(os.Chmod(w.path("x.tif"), 0o600)) }, keys: []string{"x.tif"}, skip: windows},
		{name: "touch", do: func() { w.must(os.Chtimes(w.path("x.tif"), time.Unix(1, 0), time.Unix(2, 0))) },
			keys: []string{"x.tif"}},
		{name: "rename", do: func() { w.rename("x.tif", "a/x.tif") }, keys: []string{"a/x.tif", "x.tif"}},
		{name: "replace", do: func() {
			w.write("a/x.tmp", "333")
			w.rename("a/x.tmp", "a/x.tif")
		}, keys: []string{"a/x.tif"}},
		{name: "remove", do: func() { w.remove("a/x.tif") }, keys: []string{"a/x.tif"}},
		{name: "into the root", do: func() { w.must(os.WriteFile(filepath.Join(base, "z.tif"), nil, 0o666)); w.rename("../z.tif", "z.tif") },
			keys: []string{"z.tif"}},
		{name: "out of the root", do: func() { w.rename("z.tif", "../z.tif") }, keys: []string{"z.tif"}},
		{name: "new folders", do: func() { w.mkdir("n/m/l"); w.write("n/m/l/x.tif", ""); w.write("n/x.tif", "") },
			prefixes: []string{"n/"}},
		{name: "in a new folder", do: func() { w.write("n/m/l/x.tif", "1") }, keys: []string{"n/m/l/x.tif"}},
		{name: "rename folder", do: func() { w.rename("n", "o") }, prefixes: []string{"n/", "o/"}, skip: windows},
		{name: "in a renamed folder", do: func() { w.write("o/m/l/x.tif", "22") }, keys: []string{"o/m/l/x.tif"}, skip: windows},
		{name: "rename to and fro", do: func() { w.rename("o", "p"); w.rename("p", "o"); w.rename("o/m", "o/k") },
			prefixes: []string{"o/", "p/"}, skip: windows},
		{name: "in it", do: func() { w.write("o/k/l/x.tif", "333") }, keys: []string{"o/k/l/x.tif"}, skip: windows},
		{name: "into a new folder", do: func() { w.mkdir("q"); w.rename("o/k", "q/k") }, prefixes: []string{"o/k/", "q/"}, skip: windows},
		{name: "in it too", do: func() { w.write("q/k/l/x.tif", "4") }, keys: []string{"q/k/l/x.tif"}, skip: windows},
		{name: "folder out of the root", do: func() { w.rename("q", "../q") }, prefixes: []string{"q/"}, skip: windows},
		{name: "out there", do: func() { w.write("../q/k/x.tif", "4"); w.write("../q/x.tif", "4") }},
		{name: "folder into the root", do: func() { w.rename("../elsewhere", "e") }, prefixes: []string{"e/"}},
		{name: "in that", do: func() { w.write("e/d/x.tif", "") }, keys: []string{"e/d/x.tif"}},
		{name: "chmod folder", do: func() { w.must(os.Chmod(w.path("e"), 0o700)) }, prefixes: []string{"e/"}, skip: windows},
		{name: "remove folders", do: func() { w.remove("e") }, prefixes: []string{"e/"}, skip: windows},
		{name: "ignored", do: func() { w.write("secret/x.tif", ""); w.write("secret/deep/x.tif", ""); w.write("c/x.tmp", "") }},
		{name: "ignored folder", do: func() { w.must(os.Chmod(w.path("secret"), 0o700)); w.rename("secret", "../secret") }},
		{name: "link to a file", do: func() { w.write("c/x.tif", ""); w.link("../c/x.tif", "a/l.tif") },
			keys: []string{"a/l.tif", "c/x.tif"}, skip: windows},
		{name: "link to it", do: func() { w.link("l.tif", "a/ll.tif") }, keys: []string{"a/ll.tif"}, skip: windows},
		{name: "what links lead to", do: func() { w.write("c/x.tif", "1") },
			keys: []string{"a/l.tif", "a/ll.tif", "c/x.tif"}, skip: windows},
		{name: "that is gone", do: func() { w.remove("c/x.tif") },
			keys: []string{"a/l.tif", "a/ll.tif", "c/x.tif"}, skip: windows},
		{name: "and is back", do: func() { w.write("c/x.tif", "1") },
			keys: []string{"a/l.tif", "a/ll.tif", "c/x.tif"}, skip: windows},
		{name: "link elsewhere", do: func() { w.remove("a/l.tif"); w.link("../../z.tif", "a/l.tif") },
			keys: []string{"a/l.tif", "a/ll.tif"}, skip: windows},
		{name: "no link", do: func() { w.remove("a/l.tif"); w.remove("a/ll.tif") }, keys: []string{"a/l.tif", "a/ll.tif"}, skip: windows},
		{name: "links to folders", do: func() { w.link("..", "a/loop"); w.link("../c", "a/c") }, keys: []string{"a/c", "a/loop"}, skip: windows},
		{name: "behind them", do: func() { w.write("c/y.tif", "") }, keys: []string{"c/y.tif"}, skip: windows},
	} {
		if step.skip {
			continue
		}
		step.do()
		got, _ := w.told()
		got.Keys = slices.DeleteFunc(got.Keys, func(k string) bool { return slices.Contains(got.Prefixes, k+"/") })
		if got.Lost || !slices.Equal(got.Keys, step.keys) || !slices.Equal(got.Prefixes, step.prefixes) {
			t.Errorf("%s: got %+v, want keys %q and prefixes %q", step.name, got, step.keys, step.prefixes)
		}
	}
}

// TestStorm makes 50,000 files in 500 new folders and removes them.
func TestStorm(t *testing.T) {
	w := start(t, t.TempDir(), Options{Quiet: 20 * time.Millisecond, Longest: 200 * time.Millisecond}, nil)
	for _, what := range []string{"create", "remove"} {
		for i := range 500 {
			dir := fmt.Sprintf("s%d/%d", i%5, i)
			if what == "remove" {
				w.remove(dir)
				continue
			}
			w.mkdir(dir)
			for j := range 100 {
				w.must(os.Link(w.seed(), w.path(fmt.Sprintf("%s/%d.tif", dir, j))))
			}
		}
		all, changes := w.told()
		for i := range 500 {
			if dir := fmt.Sprintf("s%d/%d/", i%5, i); !covers(all, dir) {
				t.Errorf("%s: %s not told", what, dir)
			}
		}
		t.Logf("%s: told %d times", what, changes)
	}
	w.mkdir("s0/new")
	w.told()
	w.write("s0/new/x.tif", "")
	if all, _ := w.told(); !reflect.DeepEqual(all, Change{Keys: []string{"s0/new/x.tif"}}) {
		t.Errorf("after the storm: %+v", all)
	}
}

// seed is an empty file outside of the folder; to link it is quicker than to make many.
func (w *watcher) seed() string {
	path := w.dir + ".seed"
	if _, err := os.Lstat(path); err != nil {
		w.must(os.WriteFile(path, nil, 0o666))
		w.Cleanup(func() { _ = os.Remove(path) })
	}
	return path
}

// TestIgnoredLink: what is of no concern is not told when what it points to changes either, whenever it was made.
func TestIgnoredLink(t *testing.T) {
	opt := brisk
	opt.Ignore = func(key string) bool { return strings.HasSuffix(key, ".txt") }
	w := start(t, t.TempDir(), opt, nil)
	w.write("a.tif", "1")
	w.link("a.tif", "ignored.txt")
	w.link("a.tif", "wanted.tif")
	w.told()
	w.write("a.tif", "changed")
	if all, _ := w.told(); !reflect.DeepEqual(all, Change{Keys: []string{"a.tif", "wanted.tif"}}) {
		t.Errorf("told %+v", all)
	}
}

// TestFailing: what found does not take is told again, with what came after, and never twice at once.
func TestFailing(t *testing.T) {
	calls, running := make(chan Change), make(chan error)
	w := start(t, t.TempDir(), brisk, func(c Change) error {
		calls <- c
		return <-running
	})
	w.write("a.tif", "")
	if c := <-calls; !reflect.DeepEqual(c, Change{Keys: []string{"a.tif"}}) {
		t.Fatalf("got %+v", c)
	}
	w.write("b.tif", "") // while found runs
	w.mkdir("d")
	w.write("d/c.tif", "")
	running <- errors.New("not now")
	want := Change{Keys: []string{"a.tif", "b.tif"}, Prefixes: []string{"d/"}}
	for range 2 {
		var got pending // events may come between
		for c := (Change{}); !reflect.DeepEqual(c, want); {
			next := <-calls
			got.merge(next)
			again := got
			c = again.take()
			running <- errors.New("not now either")
		}
	}
	w.stop()
	for ended := false; !ended; {
		select {
		case <-calls:
			running <- nil
		case err := <-w.ended:
			w.ended <- err
			ended = true
		}
	}
}

// TestLongest: a file that is written all the time is told meanwhile, and again.
func TestLongest(t *testing.T) {
	w := start(t, t.TempDir(), Options{Quiet: time.Hour, Longest: time.Millisecond}, nil)
	f, err := os.Create(w.path("big.tif"))
	w.must(err)
	defer f.Close()
	for told := 0; told < 5; {
		_, err := f.Write(make([]byte, 1000))
		w.must(err)
		select {
		case c := <-w.changes:
			if !reflect.DeepEqual(c, Change{Keys: []string{"big.tif"}}) {
				t.Fatalf("got %+v", c)
			}
			told++
		default:
		}
	}
}

// TestOverflow: events that the system lost are told as such, and what they were about is watched from then on.
func TestOverflow(t *testing.T) {
	telling, goOn := make(chan bool, 1), make(chan bool)
	w := start(t, t.TempDir(), brisk, func(c Change) error {
		if slices.Contains(c.Keys, "first.tif") {
			telling <- true
			<-goOn
		}
		return nil
	})
	w.mkdir("gone/deep")
	w.told()
	w.write("first.tif", "")
	<-telling
	in := w.tree.in // does not change while found runs
	in.fsw.Errors <- fsnotify.ErrEventOverflow
	w.rename("gone", "moved") // told by nothing but what was lost
	w.mkdir("new/deep")
	close(goOn)
	for c := w.next(); !c.Lost; c = w.next() {
		if len(c.Prefixes) != 0 {
			t.Fatalf("told %+v before the loss", c)
		}
	}
	w.told()
	w.write("new/deep/x.tif", "")
	w.write("moved/deep/x.tif", "")
	want := Change{Keys: []string{"moved/deep/x.tif", "new/deep/x.tif"}}
	if got, _ := w.told(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestInboxFull: more events than the inbox holds take no more memory and are lost.
func TestInboxFull(t *testing.T) {
	b := &inbox{}
	for i := range 10 * maxEvents {
		b.put(fsnotify.Event{Name: fmt.Sprint(i), Op: fsnotify.Write})
		if len(b.events) > maxEvents {
			t.Fatalf("it holds %d", len(b.events))
		}
	}
	if events, lost := b.take(); len(events) != 0 || !lost {
		t.Errorf("got %d events, lost %v", len(events), lost)
	}
	b.put(fsnotify.Event{Name: "a", Op: fsnotify.Create})
	b.put(fsnotify.Event{Name: "a", Op: fsnotify.Remove})
	if events, lost := b.take(); lost || events["a"] != fsnotify.Create|fsnotify.Remove {
		t.Errorf("got %v, lost %v", events, lost)
	}
}

// TestRootGone: that the folder goes is an error, in whichever way it does.
func TestRootGone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not let go of what is watched")
	}
	for name, gone := range map[string]func(w *watcher){
		"removed":         func(w *watcher) { w.remove("") },
		"renamed":         func(w *watcher) { w.rename("", "../other") },
		"renamed above":   func(w *watcher) { w.rename("..", "../../other") },
		"another instead": func(w *watcher) { w.rename("", "../other"); w.mkdir("") },
		"link turned": func(w *watcher) {
			w.must(os.Mkdir(w.path("../../else"), 0o777))
			w.remove("../../link")
			w.link("else", "../../link")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			dir := filepath.Join(base, "up", "root")
			if err := errors.Join(os.MkdirAll(dir, 0o777), os.Symlink("up/root", filepath.Join(base, "link"))); err != nil {
				t.Fatal(err)
			}
			watched := dir
			if name == "link turned" {
				watched = filepath.Join(base, "link")
			}
			w := start(t, watched, brisk, nil)
			w.dir = dir
			gone(w)
			select {
			case err := <-w.ended:
				if w.ended <- nil; err == nil || errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "gone") {
					t.Errorf("got %v", err)
				}
			case <-time.After(patience):
				t.Error("not noticed")
			}
		})
	}
}

// TestRootReplaced: a folder that went and came back before it was missed is watched anew, and everything may have changed.
func TestRootReplaced(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not let go of what is watched")
	}
	opt, unseen := holdable()
	w := start(t, t.TempDir(), opt, nil)
	unseen(w, func() {
		w.rename("", "../aside")
		w.rename("../aside", "")
	})
	for c := w.next(); !c.Lost; c = w.next() {
	}
	w.write("x.tif", "")
	if got, _ := w.told(); !reflect.DeepEqual(got, Change{Keys: []string{"x.tif"}}) {
		t.Errorf("got %+v", got)
	}
}

// holdable returns options and a function that lets things happen before any of their events is looked at.
func holdable() (opt Options, unseen func(w *watcher, do func())) {
	var armed atomic.Bool
	busy, goOn := make(chan bool), make(chan bool)
	opt = brisk
	opt.Ignore = func(key string) bool {
		if key == "~hold" && armed.CompareAndSwap(true, false) {
			busy <- true
			<-goOn
		}
		return key == "~hold"
	}
	return opt, func(w *watcher, do func()) {
		w.Helper()
		armed.Store(true)
		w.write("~hold", "")
		<-busy
		do()
		goOn <- true
	}
}

// TestFolderBecomesLink: a folder that turns into a link to another one before its events are looked at does not take that
// one's watch away.
func TestFolderBecomesLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege")
	}
	opt, unseen := holdable()
	w := start(t, t.TempDir(), opt, nil)
	w.mkdir("real/b")
	w.mkdir("x/l")
	w.told()
	for i := range 20 { // the order in which events are looked at is random
		unseen(w, func() {
			w.mkdir("x/l/b")
			w.remove("x/l")
			w.link("../real", "x/l")
		})
		w.told()
		file := fmt.Sprintf("real/b/%d.tif", i)
		w.write(file, "")
		if got, _ := w.told(); !reflect.DeepEqual(got, Change{Keys: []string{file}}) {
			t.Fatalf("got %+v, want %s", got, file)
		}
		w.remove("x/l")
		w.mkdir("x/l")
		w.told()
	}
}

// TestEnd: nothing is left of a watch whose context is done, or that could not begin.
func TestEnd(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a/b/c"), 0o777); err != nil {
		t.Fatal(err)
	}
	goroutines, before := runtime.NumGoroutine(), notifiers(t)
	for range 20 {
		ctx, stop := context.WithCancel(t.Context())
		if err := Folder(ctx, dir, Options{Ready: stop}, nil); err != nil {
			t.Error(err)
		}
		if err := Folder(ctx, dir, Options{}, nil); err != nil { // ended before it began
			t.Error(err)
		}
		err := Folder(t.Context(), filepath.Join(dir, "none"), Options{}, nil)
		if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "none") {
			t.Errorf("a folder that is not there: got %v", err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Folder(t.Context(), filepath.Join(dir, "file"), Options{}, nil); err == nil || errors.Is(err, ErrUnsupported) {
		t.Errorf("a file: got %v", err)
	}
	for end := time.Now().Add(patience); runtime.NumGoroutine() > goroutines; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
		}
	}
	if n := notifiers(t); n != before {
		t.Errorf("%d notifiers open, %d before", n, before)
	}
}

// notifiers counts the open descriptors of inotify, where there are such.
func notifiers(t *testing.T) (n int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.Contains(to, "inotify") {
			n++
		}
	}
	return n
}

// TestUnsupported: a system that has not enough watches says so, with what to do about it.
func TestUnsupported(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a/b/c"), 0o777); err != nil {
		t.Fatal(err)
	}
	tree, err := newTree(dir, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.close()
	tree.most = 3
	if err := tree.watch(t.Context(), nil); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "more than 3") {
		t.Errorf("got %v", err)
	}
	for no, says := range map[syscall.Errno]string{
		syscall.ENOSPC: "max_user_watches", syscall.EMFILE: "max_user_instances", syscall.ENFILE: "ulimit -n",
	} {
		if err := exhausted(fmt.Errorf("add: %w", no)); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: got %v", no, err)
		}
	}
	if err := exhausted(syscall.EACCES); errors.Is(err, ErrUnsupported) {
		t.Errorf("EACCES: got %v", err)
	}
}

// TestUnreadableFolder: a folder that may not be read is watched once it may.
func TestUnreadableFolder(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("permissions do not apply")
	}
	dir := t.TempDir()
	closed := filepath.Join(dir, "a/closed")
	if err := errors.Join(os.MkdirAll(filepath.Join(closed, "b"), 0o777), os.Chmod(closed, 0)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(closed, 0o755) })
	w := start(t, dir, brisk, nil)
	w.must(os.Chmod(closed, 0o755))
	if got, _ := w.told(); !reflect.DeepEqual(got, Change{Prefixes: []string{"a/closed/"}}) {
		t.Errorf("got %+v", got)
	}
	w.write("a/closed/b/x.tif", "")
	if got, _ := w.told(); !reflect.DeepEqual(got, Change{Keys: []string{"a/closed/b/x.tif"}}) {
		t.Errorf("got %+v", got)
	}
}
