package main

import "github.com/spf13/pflag"

func catalogFlag(f *pflag.FlagSet, catalog *string) {
	f.StringVar(catalog, "catalog", defaultCatalog, "the `FOLDER` of the catalog; made if it is not there")
}

func configFlag(f *pflag.FlagSet, file *string) {
	f.StringVar(file, "config", "", "the config `FILE` (default: "+configName+" in the catalog, if there is one)")
}
