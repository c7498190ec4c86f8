package template

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/objstore/faultstore"
)

var update = flag.Bool("update", false, "write the sums into docs/operations.md")

// Prices of us-east-1 in USD, as AWS's pages gave them in November 2025: aws.amazon.com/s3/pricing, /lambda/pricing (arm64),
// /step-functions/pricing, /dynamodb/pricing/on-demand, /sqs/pricing, /cloudwatch/pricing.
const (
	priceGet        = 0.40 / 1e6
	pricePut        = 5.00 / 1e6 // and LIST
	priceInvoke     = 0.20 / 1e6
	priceGBSecond   = 0.0000133334
	priceTransition = 25.0 / 1e6
	priceWrite      = 0.625 / 1e6 // unit of 1 KB; a transaction takes two
	priceRead       = 0.125 / 1e6 // unit of 4 KB, consistent
	priceAlarm      = 0.10        // and metric, a month
	priceDashboard  = 3.00        // a month
	pricePoll       = 0.40 / 1e6  // request to SQS
)

// What cannot be counted here is assumed.
const (
	million       = 1_000_000
	shardOf       = 2048 // scenes, on average: where keys are cut is their hash's doing
	getSeconds    = 0.05 // that a ranged GET takes
	scanSeconds   = 1.0  // of a scan beside its GETs: reading its Shard, writing its Part
	planSeconds   = 60.0 // that a plan takes for a million keys
	tidySeconds   = 30.0 // that publishing takes
	listOverhead  = 1.27 // pages asked for, for one that has keys (s3store)
	reportSeconds = 2.0  // between two of a Shard's reports of its progress (dynamostate)
	childSteps    = 2    // transitions of a Map's child: its start and its only state
	pollers       = 5    // of Lambda, at a queue that has nothing
	pollSeconds   = 20.0 // that one waits there for something
)

// A line of a bill.
type line struct {
	what  string
	units float64
	price float64
}

type bill []line

func (b bill) sum() float64 {
	var out float64
	for _, l := range b {
		out += l.units * l.price
	}
	return out
}

func (b bill) table(title string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "| %s | units | USD |\n| --- | --: | --: |\n", title)
	for _, l := range b {
		fmt.Fprintf(&out, "| %s | %.0f | %.4f |\n", l.what, l.units, l.units*l.price)
	}
	fmt.Fprintf(&out, "| **together** | | **%.2f** |\n", b.sum())
	return out.String()
}

// A tally is what one refresh asked for.
type tally struct{ headers, lists, gets, puts, transactions, writes, reads, shards float64 }

func (c *cloud) count(refresh func() int) tally {
	c.gets.Forget()
	c.calls.Forget()
	c.table.Reset()
	shards := refresh()
	n := c.table.Counts()
	return tally{
		headers: float64(c.gets.Count(faultstore.Match{Op: faultstore.Get})),
		lists:   float64(c.calls.Count(faultstore.Match{Op: faultstore.List})),
		gets:    float64(c.calls.Count(faultstore.Match{Op: faultstore.Get})),
		puts:    float64(c.calls.Count(faultstore.Match{Op: faultstore.Put})),
		shards:  float64(shards), transactions: float64(n["TransactWriteItems"]),
		writes: float64(n["PutItem"] + n["UpdateItem"]), reads: float64(n["GetItem"] + n["Query"]),
	}
}

// gigabytes is the memory of a step's function.
func (c *cloud) gigabytes(step string) float64 {
	return float64(number(c.t, c.stack.properties(logical(step, "Function"), "MemorySize"))) / 1024
}

// bill scales a refresh to a million Objects: what is counted a Shard grows with them, the rest is once a refresh. perShard and once
// are two refreshes' difference and the one without a Shard.
func (c *cloud) bill(perShard, once tally, shards, headersEach float64) bill {
	reads := float64(number(c.t, c.stack.parameters["ScanReads"]))
	seconds := shardOf/reads*getSeconds*headersEach + scanSeconds
	reports := perShard.transactions + seconds/reportSeconds
	var steps float64
	for name, s := range machine(c.t)["States"].(object) {
		if !slices.Contains([]string{"SettleFailed", "HowItEnded", "Failed", "Ended"}, name) && s != nil {
			steps++
		}
	}
	headers := 0.0
	if shards > 0 {
		headers = headersEach * million
	}
	return bill{
		{"GETs of headers", headers, priceGet},
		{"LISTs of the Source", million / 1000 * listOverhead, pricePut},
		{"PUTs and LISTs of the Catalog", perShard.puts*shards + once.puts + once.lists, pricePut},
		{"GETs of the Catalog", perShard.gets*shards + once.gets, priceGet},
		{"Lambda: GB-seconds", seconds*shards*c.gigabytes("scan") + planSeconds*c.gigabytes("plan") + tidySeconds*c.gigabytes("publish") + c.gigabytes("settle"), priceGBSecond},
		{"Lambda: invocations", shards + 4, priceInvoke},
		{"Step Functions: transitions", steps + childSteps*shards, priceTransition},
		{"DynamoDB: write units", 4*reports*shards + once.writes + 4*once.transactions, priceWrite},
		{"DynamoDB: read units", perShard.reads*shards + once.reads, priceRead},
	}
}

// idle is a month in which nothing happens.
func (c *cloud) idle() bill {
	const looks = 30 * 24 * 60 // one a minute
	metrics := 0.0
	for _, name := range c.stack.of("AWS::CloudWatch::Alarm") {
		if m := list(c.stack.properties(name, "Metrics")); m != nil {
			metrics += float64(len(m) - 1) // the sum is none
		} else {
			metrics++
		}
	}
	queues := float64(len(c.stack.of("AWS::Lambda::EventSourceMapping")))
	return bill{
		{"Reaper: invocations", looks, priceInvoke},
		{"Reaper: GB-seconds", looks * 0.02 * c.gigabytes("settle"), priceGBSecond},
		{"Reaper: read units", looks, priceRead},
		{"Lambda's looks into the queue of events (the first million of an account are free)", queues * pollers * looks * 60 / pollSeconds, pricePoll},
		{"Metrics of alarms (the first ten of an account are free)", metrics, priceAlarm},
		{"Dashboard (the first three of an account are free)", 1, priceDashboard},
	}
}

// The sums that the documentation gives are made of what the steps ask for when they are run.
func TestCostPerMillionHeaders(t *testing.T) {
	c := newCloud(t)
	const few, many = 1_000, 9_000
	fill := func(from, to int) {
		for i := from; i < to; i++ {
			c.put(fmt.Sprintf("a/%05d.tif", i), i)
		}
	}
	refresh := func() int { _, shards := c.refresh(); return shards }
	if _, err := c.catalog.Put(t.Context(), "cairn.yaml", []byte("static: none\n"), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	fill(0, few)
	first := c.count(refresh)
	fill(few, many)
	second := c.count(refresh)
	unchanged := c.count(refresh)
	if first.headers != few || second.headers != many-few {
		t.Errorf("%g GETs for %d headers, %g for %d more", first.headers, few, second.headers, many-few)
	}
	if unchanged.shards != 0 || unchanged.headers != 0 {
		t.Errorf("nothing changed: %+v", unchanged)
	}
	if second.shards < 3 {
		t.Fatalf("%g shards", second.shards)
	}
	per := func(all, once float64) float64 { return (all - once) / second.shards }
	perShard := tally{
		gets: per(second.gets, unchanged.gets), puts: per(second.puts, unchanged.puts), reads: per(second.reads, unchanged.reads),
		transactions: per(second.transactions, unchanged.transactions),
	}
	if perShard.puts > 6 || perShard.gets > 8 || perShard.transactions > 3 || perShard.reads > 6 {
		t.Errorf("a Shard costs %+v", perShard)
	}

	whole := c.bill(perShard, unchanged, million/shardOf, 1)
	if sum := whole.sum(); sum >= 0.50 || sum < 0.40 {
		t.Errorf("a million headers cost %.3f USD", sum)
	}
	same, idle := c.bill(perShard, unchanged, 0, 1), c.idle()
	short := fmt.Sprintf("%.2f USD for the first refresh of a million COGs, %.2f USD for one in which nothing changed, and %.2f USD a month at rest",
		whole.sum(), same.sum(), idle.sum())
	if !strings.Contains(strings.Join(strings.Fields(readFile(t, "README.md")), " "), short) {
		t.Errorf("README.md does not say: %s", short)
	}
	text := whole.table("first refresh of 1,000,000 COGs") + "\n" +
		same.table("refresh of 1,000,000 of which nothing changed") + "\n" +
		idle.table("a month in which nothing happens")
	doc := readFile(t, "docs/operations.md")
	const begin, end = "<!-- costs -->\n", "<!-- end of costs -->"
	i, j := strings.Index(doc, begin)+len(begin), strings.Index(doc, end)
	if i < len(begin) || j < i {
		t.Fatal("docs/operations.md has no place for the sums")
	}
	if doc[i:j] == text {
		return
	}
	if !*update {
		t.Fatalf("docs/operations.md gives other sums (-update writes them); now they are\n%s", text)
	}
	if err := os.WriteFile(root+"docs/operations.md", []byte(doc[:i]+text+doc[j:]), 0o644); err != nil {
		t.Fatal(err)
	}
}
