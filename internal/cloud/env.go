// Package cloud makes the adapters that Cairn's functions on AWS need of their environment. Each function opens only what it uses, so
// that the linker leaves out the rest.
package cloud

import (
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/cairn-stac/cairn/internal/objstore/s3store"
)

// A Name is that of a variable of the environment.
type Name string

// The variables that a function may not do without.
const (
	Source       Name = "CAIRN_SOURCE"
	Catalog      Name = "CAIRN_CATALOG"
	Table        Name = "CAIRN_TABLE"
	StateMachine Name = "CAIRN_STATE_MACHINE"
)

// The others.
const (
	scans         Name = "CAIRN_SCANS"
	reads         Name = "CAIRN_READS"
	requesterPays Name = "CAIRN_REQUESTER_PAYS"
	cors          Name = "CAIRN_CORS"
	basePath      Name = "CAIRN_BASE_PATH"
	logLevel      Name = "CAIRN_LOG_LEVEL"
)

// Settings are what the environment says.
type Settings struct {
	Source, Catalog s3store.Location // where the rasters lie, and the catalog
	Table           string           // DynamoDB table of the state
	StateMachine    string           // its ARN
	Scans           int              // Shards scanned at once
	Reads           int              // requests at once of one function to the Source
	RequesterPays   bool             // for requests to the Source
	CORS            bool             // pages of other origins may start and cancel Runs
	BasePath        string           // of the API at a domain name of one's own; "" or "/a/b"
	Level           slog.Level       // of the log
}

// As many as the targets for a bucket are made for: 16 scans with 32 reads keep below the 5,500 GETs a second of one prefix of S3.
const (
	usualScans = 16
	usualReads = 32
	mostScans  = 10_000 // children that a Distributed Map runs at once
	mostReads  = 1024   // file descriptors of a function
)

// isMachine tells whether text has the form of a state machine's ARN. (An expression would be compiled at each cold start.)
func isMachine(text string) bool {
	parts := strings.Split(text, ":")
	return len(parts) == 7 && parts[0] == "arn" && parts[2] == "states" && parts[5] == "stateMachine" && !slices.Contains(parts, "") &&
		!strings.ContainsAny(text, " /*?")
}

// isTable tells whether text may be the name of a table.
func isTable(text string) bool {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.-", r))
	}
	return len(text) >= 3 && len(text) <= 255 && !strings.ContainsFunc(text, odd)
}

// Read reads the environment, in which the needed variables must be. Its error tells of all that is wrong at once.
func Read(getenv func(string) string, needed ...Name) (Settings, error) {
	s := Settings{Scans: usualScans, Reads: usualReads}
	r := reader{getenv: getenv}
	for _, name := range needed {
		switch name {
		case Source:
			s.Source = r.bucket(name, "s3://bucket/prefix")
		case Catalog:
			s.Catalog = r.bucket(name, "s3://bucket")
		case Table:
			s.Table = r.text(name, isTable, "the name of a DynamoDB table")
		case StateMachine:
			s.StateMachine = r.text(name, isMachine, "arn:aws:states:REGION:ACCOUNT:stateMachine:NAME")
		}
	}
	if s.Source.Bucket != "" && s.Source.Bucket == s.Catalog.Bucket {
		// Else what Cairn writes would be events of the Source, and start the next Run.
		r.wrong(Catalog, "a bucket of its own, other than that of "+string(Source))
	}
	s.Scans = r.number(scans, usualScans, mostScans)
	s.Reads = r.number(reads, usualReads, mostReads)
	s.RequesterPays = r.choice(requesterPays, "true", "false")
	s.CORS = r.choice(cors, "*", "")
	if base := getenv(string(basePath)); base != "" {
		if s.BasePath = strings.TrimSuffix(path.Clean("/"+base), "/"); strings.ContainsAny(base, "?#%{} ") {
			r.wrong(basePath, "a path such as /catalog")
		}
	}
	if text := getenv(string(logLevel)); text != "" {
		if err := s.Level.UnmarshalText([]byte(text)); err != nil {
			r.wrong(logLevel, "one of DEBUG, INFO, WARN, ERROR")
		}
	}
	if r.problems != nil {
		return s, fmt.Errorf("environment of the function: %w", errors.Join(r.problems...))
	}
	return s, nil
}

// A reader reads variables and notes what is wrong with them.
type reader struct {
	getenv   func(string) string
	problems []error
}

func (r *reader) wrong(name Name, want string) {
	if value := r.getenv(string(name)); value != "" {
		r.problems = append(r.problems, fmt.Errorf("%s is %.200q; it must be %s", name, value, want))
		return
	}
	r.problems = append(r.problems, fmt.Errorf("%s is not set; it must be %s", name, want))
}

func (r *reader) bucket(name Name, want string) s3store.Location {
	at, err := s3store.ParseURL(r.getenv(string(name)))
	if err != nil {
		r.wrong(name, want)
	}
	return at
}

func (r *reader) text(name Name, good func(string) bool, want string) string {
	value := r.getenv(string(name))
	if !good(value) {
		r.wrong(name, want)
	}
	return value
}

func (r *reader) number(name Name, usual, most int) int {
	text := r.getenv(string(name))
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		r.wrong(name, fmt.Sprintf("a number from 1 to %d", most))
	}
	return n
}

// choice tells whether a variable is yes and not no; one that is not set is no.
func (r *reader) choice(name Name, yes, no string) bool {
	value := r.getenv(string(name))
	if value != yes && value != no && value != "" {
		r.wrong(name, fmt.Sprintf("%q or empty", yes))
	}
	return value == yes
}
