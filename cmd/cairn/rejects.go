package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cairn-stac/cairn/internal/item"
	"github.com/cairn-stac/cairn/internal/objstore"
	"github.com/cairn-stac/cairn/internal/snapshot"
)

// listRejects writes the Rejects of the published Snapshot: all, or those with a code.
func (a *app) listRejects(ctx context.Context, catalog objstore.Reader, code string) error {
	r, err := snapshot.Open(ctx, catalog, nil)
	if errors.Is(err, snapshot.ErrNoSnapshot) {
		return nil
	}
	if err != nil {
		return err
	}
	for rej, err := range r.Rejects(ctx) {
		if err != nil {
			return err
		}
		if code != "" && rej.Code != code {
			continue
		}
		if _, err := fmt.Fprintf(a.stdout, "%s: %s: %s\n", printable(rej.Key), rej.Code, printable(rej.Message)); err != nil {
			return err
		}
	}
	return nil
}

// rejectCodes completes a code.
func rejectCodes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, c := range item.RejectCodes {
		out = append(out, c.Code)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
