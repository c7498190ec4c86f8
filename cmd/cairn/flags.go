package main

import (
	"github.com/spf13/cobra"
)

// setupFlags are those of commands that make or serve a Catalog.
func setupFlags(cmd *cobra.Command, o *setupOptions) {
	catalogFlag(cmd, &o.catalog)
	configFlag(cmd, &o.config)
	bucketFlags(cmd.Flags(), &o.bucket, "SOURCE")
}

func catalogFlag(cmd *cobra.Command, catalog *string) {
	cmd.Flags().StringVar(catalog, "catalog", defaultCatalog, "the `PLACE` of the catalog: a folder, which is made if it is not there, or s3://bucket/prefix")
	complete(cmd.MarkFlagDirname("catalog"))
}

func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "config", "", "the config `FILE` (default: "+configName+" in the catalog, if there is one)")
	complete(cmd.MarkFlagFilename("config", "yaml", "yml"))
}

// complete takes the outcome of marking a flag for the completion of shells, which fails only for a flag that was not defined.
func complete(err error) {
	if err != nil {
		panic(err)
	}
}

// folders completes an argument by the folders that there are.
func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// nothingMore completes nothing.
func nothingMore(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}
