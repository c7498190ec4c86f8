package cloud

import (
	"context"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/cairn-stac/cairn/internal/objstore/s3store"
)

const machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:cairn-refresh"

var all = []Name{Source, Catalog, Table, StateMachine}

func env(change map[string]string) func(string) string {
	set := map[string]string{
		"CAIRN_SOURCE": "s3://rasters/ortho%20photos", "CAIRN_CATALOG": "s3://cairn-catalog", "CAIRN_TABLE": "cairn-Table-1ABC", "CAIRN_STATE_MACHINE": machine,
	}
	for name, value := range change {
		set[name] = value
	}
	return func(name string) string { return set[name] }
}

func TestRead(t *testing.T) {
	got, err := Read(env(nil), all...)
	want := Settings{
		Source: s3store.Location{Bucket: "rasters", Prefix: "ortho photos/"}, Catalog: s3store.Location{Bucket: "cairn-catalog"},
		Table: "cairn-Table-1ABC", StateMachine: machine, Scans: 16, Reads: 32,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	got, err = Read(env(map[string]string{"CAIRN_SCANS": "40", "CAIRN_READS": "1", "CAIRN_REQUESTER_PAYS": "true", "CAIRN_CORS": "*", "CAIRN_BASE_PATH": "a//b/", "CAIRN_LOG_LEVEL": "warn"}), Table)
	want = Settings{Table: want.Table, Scans: 40, Reads: 1, RequesterPays: true, CORS: true, BasePath: "/a/b", Level: slog.LevelWarn}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for _, base := range []string{"", "/", "//", "."} {
		if got, err := Read(env(map[string]string{"CAIRN_BASE_PATH": base}), Table); err != nil || got.BasePath != "" {
			t.Errorf("%q: %q, %v", base, got.BasePath, err)
		}
	}
	if _, err := Read(env(map[string]string{"CAIRN_SOURCE": "", "CAIRN_STATE_MACHINE": "", "CAIRN_REQUESTER_PAYS": "false"}), Table, Catalog); err != nil {
		t.Errorf("what is not needed is missed: %v", err)
	}
}

// Somebody who repairs an environment wants to be told of everything at once.
func TestReadTellsAllThatIsWrong(t *testing.T) {
	_, err := Read(func(string) string { return "" }, all...)
	if err == nil {
		t.Fatal("an empty environment is good")
	}
	for _, name := range all {
		if !strings.Contains(err.Error(), string(name)+" is not set; it must be ") {
			t.Errorf("%v does not tell of %s", err, name)
		}
	}
	bad := map[string]string{
		"CAIRN_SOURCE": "rasters", "CAIRN_CATALOG": "/var/catalog", "CAIRN_TABLE": "a b", "CAIRN_STATE_MACHINE": "cairn-refresh", "CAIRN_SCANS": "0", "CAIRN_READS": "many",
		"CAIRN_REQUESTER_PAYS": "yes", "CAIRN_CORS": "https://x", "CAIRN_BASE_PATH": "/a?b", "CAIRN_LOG_LEVEL": "loud",
	}
	_, err = Read(env(bad), all...)
	if err == nil {
		t.Fatal("a bad environment is good")
	}
	for name, value := range bad {
		if !strings.Contains(err.Error(), name+` is "`+value+`"; it must be `) {
			t.Errorf("%v does not tell of %s", err, name)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for name, values := range map[string][]string{
		"CAIRN_SOURCE":         {"s3://", "s3:///x", "https://rasters", "s3://rasters/%zz", "s3://cairn-catalog", "s3://cairn-catalog/x"},
		"CAIRN_TABLE":          {"ab", strings.Repeat("x", 256), "a/b", "é-table", "arn:aws:dynamodb:x:1:table/a"},
		"CAIRN_STATE_MACHINE":  {machine + ":1", "arn:aws:states:eu-west-1:123456789012:execution:a:b", "arn:aws:states::1:stateMachine:a", machine + " ", "arn:aws:lambda:eu-west-1:1:stateMachine:a"},
		"CAIRN_SCANS":          {"-1", "1.5", "10001", "99999999999999999999"},
		"CAIRN_READS":          {"0", "2000"},
		"CAIRN_REQUESTER_PAYS": {"TRUE", "1"}, "CAIRN_CORS": {"**", "true"}, "CAIRN_BASE_PATH": {"/{a}", "/a b", "/%41"},
	} {
		for _, value := range values {
			if s, err := Read(env(map[string]string{name: value}), all...); err == nil {
				t.Errorf("%s may be %q: %+v", name, value, s)
			}
		}
	}
}

func TestOpenNeedsARightEnvironment(t *testing.T) {
	if _, err := Open(context.Background(), func(string) string { return "" }, Table); err == nil {
		t.Error("opened by nothing")
	}
}
