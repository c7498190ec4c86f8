package lambdafn

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A sourceEvent is an event that S3 sends to EventBridge, as it lies in a message of the queue
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html).
//
// The key is the key: unlike in S3's own notifications it is not URL-encoded. What else an event tells does not matter here, for the
// Run that it asks for lists the place again and looks at what is there then: an event that comes twice, late, or after its like
// (which the sequencer would tell) leads to the same.
type sourceEvent struct {
	Source string `json:"source"`
	Type   string `json:"detail-type"`
	Detail struct {
		Bucket struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key string `json:"key"`
		} `json:"object"`
	} `json:"detail"`
}

// parseSourceEvent reads the body of a message. What is no event of an object of S3 is an error.
func parseSourceEvent(body string) (sourceEvent, error) {
	var e sourceEvent
	switch err := json.Unmarshal([]byte(body), &e); {
	case err != nil:
		return e, fmt.Errorf("decode event: %w", err)
	case e.Source != "aws.s3":
		return e, fmt.Errorf("event is one of %.50q and not of aws.s3", e.Source)
	case e.Detail.Bucket.Name == "" || e.Detail.Object.Key == "":
		return e, errors.New("event names no object")
	}
	return e, nil
}

// idle are the types of events after which all is as it was, for a catalog: an archived object cannot be read until its restoring is
// completed.
var idle = map[string]bool{"Object Restore Initiated": true, "Object Tags Added": true, "Object Tags Deleted": true}

// key is the event's key below the prefix of a bucket; ok is false if the event is of something else: another bucket, as that of
// the Catalog, or beside the prefix.
func (e sourceEvent) key(bucket, prefix string) (key string, ok bool) {
	key, ok = strings.CutPrefix(e.Detail.Object.Key, prefix)
	return key, ok && key != "" && e.Detail.Bucket.Name == bucket && !idle[e.Type]
}
