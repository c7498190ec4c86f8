// Package fidelity holds what Cairn makes of real GeoTIFFs against what GDAL and PROJ say of the same files, field by field. It
// is a test alone: `make fidelity` runs it over the folder CORPUS, which has a truth.jsonl with a line a file.
// scripts/oddtiffs.py makes such a folder, and writes the truth of any other.
package fidelity
