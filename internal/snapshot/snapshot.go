// Package snapshot keeps the published states of a Catalog: immutable Parts and manifests, and Head, the one mutable
// pointer to the published one. It decides keys and visibility.
package snapshot

import (
	"time"

	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/stac"
)

// A Role is what a listed Object turned out to be.
type Role string

// Each Object of a Part has exactly one Role. Objects that are none of Cairn's concern, or that vanished before they could
// be read, are in no Part: the Run counts them.
const (
	Asset    Role = "asset"   // in an Item
	Sidecar  Role = "sidecar" // belongs to a raster
	Rejected Role = "reject"  // a raster that cannot be catalogued, or a sidecar that may not be read
)

// An Object of the Source with its Role.
type Object struct {
	objstore.Object
	Role Role
}

// A Reject is a raster that cannot be catalogued, or a sidecar that may not be read, and why. It is data, not an error.
type Reject struct {
	Key     string `json:"key"`
	Code    string `json:"code"`            // stable, e.g. "not_tiff"
	Message string `json:"message"`         // a sentence for people
	Retry   bool   `json:"retry,omitempty"` // tried again in each Run (denied, archived)
}

// An Item of a Part: its canonical JSON, one line without a newline, `"links":[]` as its last member.
type Item struct {
	ID   string
	JSON []byte
}

// A Scene is the unit of scanning: the Objects of one directory that share a scene key, and what became of them.
type Scene struct {
	Key     string
	Objects []Object
	Items   []Item
	Rejects []Reject
}

// Counts of a Part or a Snapshot. Items counts Items, the others Objects.
type Counts struct {
	Items    int `json:"items"`
	Assets   int `json:"assets"`
	Sidecars int `json:"sidecars"`
	Rejects  int `json:"rejects"`
	Retry    int `json:"retry,omitempty"` // those of Rejects that are tried again each Run
	// RejectCodes are the Rejects by code, none of them 0. Not to be changed: copies of the Counts share it.
	RejectCodes map[string]int `json:"reject_codes,omitempty"`
}

// A Row of a manifest stands for a Part.
type Row struct {
	Collection  string       `json:"collection"`
	Prefix      string       `json:"prefix,omitempty"` // of the Collection's keys
	Start       string       `json:"start"`            // key range of the Source, half-open
	End         string       `json:"end,omitempty"`
	Fingerprint string       `json:"fingerprint"` // of the Shard's listing, the scanner's version and the config
	Shaping     string       `json:"shaping"`     // of the scanner's version and the config alone
	Part        string       `json:"part"`        // key
	Hash        string       `json:"hash"`        // of the Part's canonical content
	Size        int64        `json:"size"`        // bytes of the Part
	Index       int64        `json:"index"`       // offset of the frame index in the Part
	Counts      Counts       `json:"counts"`
	IDs         [2]string    `json:"ids"` // least and greatest id of the Items
	Summary     stac.Summary `json:"summary"`
}

// A Manifest is one Snapshot.
type Manifest struct {
	Format      int               `json:"format"`
	Fence       uint64            `json:"fence"`
	Base        uint64            `json:"base,omitempty"` // fence of the Snapshot that it superseded; set by Publish
	Run         string            `json:"run"`
	Source      string            `json:"source"` // URL
	Created     time.Time         `json:"created"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Rows        []Row             `json:"rows"`        // by Collection, then Start
	Collections []stac.Collection `json:"collections"` // by id; links empty
}

// Head is the one mutable record of a Catalog: which Snapshot is published and which fence may publish next.
type Head struct {
	Format   int    `json:"format"`
	Snapshot uint64 `json:"snapshot"` // fence of the published Snapshot; 0: none yet
	Run      string `json:"run"`      // that published it
	Claim    uint64 `json:"claim"`    // only this fence may publish …
	Closed   bool   `json:"closed"`   // … unless the claim was closed
}
