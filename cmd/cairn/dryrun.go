package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"

	"github.com/cairn-stac/cairn/internal/config"
	"github.com/cairn-stac/cairn/internal/refresh"
	"github.com/cairn-stac/cairn/internal/statictree"
)

// dryRun tells what a refresh would do, and writes nothing anywhere.
func (a *app) dryRun(ctx context.Context, o refreshOptions) error {
	log := a.log(slog.LevelWarn)
	s, err := prepare(ctx, o.setupOptions, log)
	if err != nil {
		return err
	}
	p, err := s.worker(readOnly{s.into}, log).Preview(ctx, o.scope)
	if err != nil {
		var wrong *refresh.ScopeError
		if errors.As(err, &wrong) {
			return usagef("%w", err)
		}
		return err
	}
	e := s.estimate(p, len(o.scope.Prefixes))
	if o.json {
		return json.NewEncoder(a.stdout).Encode(dryRunLine{p, e})
	}
	return a.writeDryRun(s, p, e)
}

// A dryRunLine is what refresh --dry-run --json prints.
type dryRunLine struct {
	refresh.Preview
	estimate
}

// An estimate is what a Run would ask of buckets. Folders cost no requests.
type estimate struct {
	Requests requests `json:"requests"`
	USDLeast float64  `json:"usd_least"`
	USDMost  float64  `json:"usd_most"`
}

type requests struct {
	List     int `json:"list"`
	GetLeast int `json:"get_least"`
	GetMost  int `json:"get_most"`
	Put      int `json:"put"` // at most
}

// What an estimate rests on.
const (
	listPage = 1000 // keys that a LIST answers with
	readsCOG = 1    // GETs for the header of a COG
	readsAny = 3    // for that of most other files

	// What a Run asks of its Catalog, whatever is in it, and for each Part that it makes; tests count it.
	catalogLists, catalogGets, catalogPuts = 10, 28, 12
	partGets, partPuts                     = 6, 4
	treePuts                               = 3 // files of the static tree that are not a Collection's or an Item's
)

// List prices of S3 Standard in us-east-1 in USD, as of 2025-11 (aws.amazon.com/s3/pricing).
const (
	pricesOf  = "2025-11"
	usdPerPut = 0.005 / 1000 // PUT, LIST
	usdPerGet = 0.0004 / 1000
)

// estimate adds up what a Run over so many key ranges would ask of the buckets.
func (s *setup) estimate(p refresh.Preview, ranges int) estimate {
	var r requests
	if s.source.isBucket() {
		r.List = p.Objects/listPage + 1 + max(1, ranges) // one to see whether it can be listed
		r.GetLeast, r.GetMost = readsCOG*p.Rasters, readsAny*p.Rasters
	}
	if s.places.catalog.isBucket() {
		r.List += catalogLists
		gets := catalogGets + partGets*p.Shards
		r.GetLeast, r.GetMost = r.GetLeast+gets, r.GetMost+gets
		r.Put = catalogPuts + partPuts*p.Shards
		files := p.Objects - p.Ignored
		if s.cfg.Static != config.StaticNone && p.Shards > 0 {
			r.Put += treePuts + p.Shards // of Collections
		}
		if s.cfg.Static == config.StaticItems || s.cfg.Static == config.StaticAuto && files <= statictree.MaxItems {
			r.Put += p.Rasters // of Items
		}
	}
	writes := float64(r.List+r.Put) * usdPerPut
	cost := func(gets int) float64 { return math.Round((writes+float64(gets)*usdPerGet)*1e7) / 1e7 }
	return estimate{r, cost(r.GetLeast), cost(r.GetMost)}
}

func (a *app) writeDryRun(s *setup, p refresh.Preview, e estimate) error {
	fmt.Fprintf(a.stdout, "source    %s: %s, of them %s ignored and %s unchanged; %s gone\n", s.source, count(p.Objects, "file"),
		number(p.Ignored), number(p.Unchanged), number(p.Removed))
	fmt.Fprintf(a.stdout, "to open   %s, for %s of the catalog\n", count(p.Rasters, "raster"), count(p.Shards, "part"))
	if p.Refused != "" {
		fmt.Fprintf(a.stdout, "refused   %s (--allow-mass-delete)\n", p.Refused)
	}
	if !s.source.isBucket() && !s.places.catalog.isBucket() {
		_, err := fmt.Fprintln(a.stdout, "cost      none: both are folders\nnothing was written")
		return err
	}
	r := e.Requests
	fmt.Fprintf(a.stdout, "requests  about %s LIST, %s GET, at most %s PUT\n", number(r.List), span(number(r.GetLeast), number(r.GetMost)), number(r.Put))
	fmt.Fprintf(a.stdout, "cost      about %s USD for them, at the list prices of S3 Standard in us-east-1 (%s)\n", span(usd(e.USDLeast), usd(e.USDMost)), pricesOf)
	if s.source.isBucket() {
		fmt.Fprintf(a.stdout, "          %d GET for a cloud optimized file, up to %d for most others; without traffic, which is free within the region;\n"+
			"          colder storage classes cost more\n", readsCOG, readsAny)
		who := "the owner of the bucket pays for requests to it, unless you do or it asks requesters to (--request-payer)"
		if s.options.bucket.requesterPays {
			who = "with --request-payer the requests to the source, and what it sends, are charged to you"
		}
		fmt.Fprintf(a.stdout, "          %s\n", who)
	}
	_, err := fmt.Fprintln(a.stdout, "nothing was written")
	return err
}

// span is "3 to 9", or "3".
func span(least, most string) string {
	if least == most {
		return least
	}
	return least + " to " + most
}

// usd is an amount with two digits that count, and at least to the cent.
func usd(amount float64) string {
	if amount >= 0.1 || amount == 0 {
		return strconv.FormatFloat(amount, 'f', 2, 64)
	}
	return strconv.FormatFloat(amount, 'g', 2, 64)
}
