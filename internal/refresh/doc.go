// Package refresh is what a Run does: start takes the Lease, plan lists the Source and cuts it into Shards, scan turns each
// changed Shard into a Part, publish makes a Snapshot of the Parts and swaps Head, settle records the end and releases the
// Lease. One file a step. The steps know nothing of where they run: a driver (a workflow or goroutines) calls them in
// order, repeats them after errors, and may run two of them at once by mistake; the fence makes that harmless.
package refresh
