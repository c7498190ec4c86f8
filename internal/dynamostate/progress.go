package dynamostate

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/cairn-stac/cairn/internal/refresh"
)

const (
	counters     = 8                  // over which Shards are spread; all of them are read for a status
	reportEvery  = 2 * time.Second    // and Shard and process, at most, but for its last tally
	progressLife = 7 * 24 * time.Hour // after it was last written
	shardTries   = 10                 // against others that report the same Shard
)

func counterKey(run string, i int) attributes {
	return key("progress#"+run, fmt.Sprint("count#", i))
}

// phases in order; an item holds the index.
var phases = []refresh.Phase{"", refresh.Planning, refresh.Scanning, refresh.Publishing}

// Begin notes that a Run entered a phase, unless a later one is noted.
func (s *State) Begin(ctx context.Context, run string, phase refresh.Phase, t refresh.Totals) error {
	if err := checkRun(run); err != nil {
		return err
	}
	order := slices.Index(phases, phase)
	if order < 1 {
		return fmt.Errorf("begin phase %q of run %s: there is no such phase", phase, run)
	}
	now := s.now()
	c := change{
		key: counterKey(run, 0), update: "SET #phase = :phase, #expires = :expires",
		condition: "attribute_not_exists(#phase) OR #phase <= :phase",
		values:    attributes{":phase": number(order), ":expires": epoch(now.Add(progressLife))},
	}
	if phase == refresh.Scanning {
		totals, err := json.Marshal(t)
		if err != nil {
			return fmt.Errorf("encode totals of run %s: %w", run, err)
		}
		c.update += ", #totals = :totals, #since = if_not_exists(#since, :now)"
		c.values[":totals"], c.values[":now"] = text(string(totals)), millis(now)
	}
	_, err := s.change(ctx, "progress of run "+run, c)
	return err
}

// A shard is what this process knows of a Shard that it scans.
type shard struct {
	mu   sync.Mutex // held while it is written
	due  time.Time  // before this it is not written, but for its last tally
	held record
}

// A record is a Shard's item: its version, 0 while there is none, and the tally that the counters contain.
type record struct {
	version int
	tally   refresh.Tally
}

func recordOf(item attributes) record { return record{item.number("version"), tallyOf(item)} }

func tallyOf(item attributes) refresh.Tally {
	return refresh.Tally{Done: item.number("done"), Items: item.number("items"), Rejects: item.number("rejects"),
		Unchanged: item.number("unchanged"), Removed: item.number("removed")}
}

func tallyValues(t refresh.Tally) attributes {
	return attributes{":done": number(t.Done), ":items": number(t.Items), ":rejects": number(t.Rejects),
		":unchanged": number(t.Unchanged), ":removed": number(t.Removed)}
}

// Shard notes how far the scan of a Shard is. What would take it back is left out, as is what comes too soon after the last report
// or while one is being written; a Final one never is. The tally and its difference to the last one, in a counter, are written in
// one transaction, on the condition that the Shard's record is still the one that the difference was taken from: a report that is
// repeated, or comes from two scans at once, counts once.
func (s *State) Shard(ctx context.Context, run, name string, t refresh.Tally) error {
	if err := checkRun(run); err != nil {
		return err
	}
	now := s.now()
	sh := s.shard(run, name, now)
	if t.Final {
		sh.mu.Lock()
	} else if !sh.mu.TryLock() {
		return nil
	}
	defer sh.mu.Unlock()
	if !t.Final && now.Before(sh.due) {
		return nil
	}
	sh.due = now.Add(reportEvery)
	for range shardTries {
		next := record{sh.held.version + 1, t}
		next.tally.Final = false
		if t.Done < sh.held.tally.Done || next.tally == sh.held.tally {
			return s.reported(run, name, t)
		}
		err := s.report(ctx, run, name, sh.held, next, now, t.Final)
		switch held, changed := unmet(err, 0); {
		case err == nil:
			sh.held = next
			return s.reported(run, name, t)
		case changed: // by another process, or by a write of this one whose reply was lost
			sh.held = recordOf(held)
		case !t.Final && passing(err): // the next report will do
			return nil
		default:
			return s.explain(fmt.Sprintf("write progress of shard %s of run %s", name, run), err)
		}
	}
	return fmt.Errorf("write progress of shard %s of run %s in table %s: others write it all the time", name, run, s.table)
}

// reported drops what is known of a Shard whose scan has ended.
func (s *State) reported(run, name string, t refresh.Tally) error {
	if t.Final {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.run == run {
			delete(s.shards, name)
		}
	}
	return nil
}

// report writes the next record of a Shard and adds what is new in it to the Shard's counter.
func (s *State) report(ctx context.Context, run, name string, held, next record, now time.Time, persist bool) error {
	expires := epoch(now.Add(progressLife))
	r := change{
		key: key("progress#"+run, "shard#"+name), values: tallyValues(next.tally),
		update: "SET #version = :version, #done = :done, #items = :items, #rejects = :rejects, #unchanged = :unchanged, #removed = :removed, " +
			"#expires = :expires",
		condition: "attribute_not_exists(#pk)",
	}
	r.values[":version"], r.values[":expires"] = number(next.version), expires
	if held.version > 0 {
		r.condition, r.values[":held"] = "#version = :held", number(held.version)
	}
	c := change{
		key: counterKey(run, counterOf(name)), values: tallyValues(sum(next.tally, held.tally, -1)),
		update: "SET #moved = :now, #expires = :expires ADD #done :done, #items :items, #rejects :rejects, #unchanged :unchanged, #removed :removed",
	}
	c.values[":now"], c.values[":expires"] = millis(now), expires
	write := func() error {
		return s.transact(ctx, types.TransactWriteItem{Update: s.update(r)}, types.TransactWriteItem{Update: s.update(c)})
	}
	if persist {
		return insist(ctx, write)
	}
	return write()
}

func counterOf(shard string) int {
	h := fnv.New32a()
	h.Write([]byte(shard)) //nolint:errcheck // never fails
	return int(h.Sum32() % counters)
}

func sum(a, b refresh.Tally, sign int) refresh.Tally {
	return refresh.Tally{Done: a.Done + sign*b.Done, Items: a.Items + sign*b.Items, Rejects: a.Rejects + sign*b.Rejects,
		Unchanged: a.Unchanged + sign*b.Unchanged, Removed: a.Removed + sign*b.Removed}
}

// shard is what is known of a Shard. Only those of one Run are kept: a process scans for one at a time.
func (s *State) shard(run, name string, now time.Time) *shard {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != run {
		s.run = run
		clear(s.shards)
	}
	sh := s.shards[name]
	if sh == nil {
		sh = &shard{due: now.Add(reportEvery)} // one that is over before writes only its last tally
		s.shards[name] = sh
	}
	return sh
}

// Progress reads what is known of a Run: 8 small items in one request. Its Rate is the mean since scanning began.
func (s *State) Progress(ctx context.Context, run string) (refresh.Progress, error) {
	if err := checkRun(run); err != nil {
		return refresh.Progress{}, err
	}
	condition := "#pk = :pk AND begins_with(#sk, :count)"
	page, err := s.client.Query(ctx, &dynamodb.QueryInput{
		TableName: &s.table, ConsistentRead: aws.Bool(true), // or people would see it go back
		KeyConditionExpression: &condition, ExpressionAttributeNames: names(condition),
		ExpressionAttributeValues: attributes{":pk": text("progress#" + run), ":count": text("count#")},
	})
	if err != nil {
		return refresh.Progress{}, s.explain("read progress of run "+run, err)
	}
	var p refresh.Progress
	for _, raw := range page.Items {
		item := attributes(raw)
		p.Scans = sum(p.Scans, tallyOf(item), 1)
		if at := item.time("moved"); at.After(p.Rate.At) {
			p.Rate.At = at
		}
		if i := item.number("phase"); i > 0 {
			p.Phase, p.Rate.Since = phases[min(i, len(phases)-1)], item.time("since")
		}
		if totals := item.text("totals"); totals != "" {
			if err := json.Unmarshal([]byte(totals), &p.Totals); err != nil {
				return p, fmt.Errorf("decode totals of run %s in table %s: %w", run, s.table, err)
			}
		}
	}
	p.Rate.Done = p.Scans.Done
	if d := p.Rate.At.Sub(p.Rate.Since); !p.Rate.Since.IsZero() && d > 0 {
		p.Rate.Average = float64(p.Scans.Done) / d.Seconds()
	}
	return p, nil
}
