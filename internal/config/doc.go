// Package config reads cairn.yaml. Unknown keys and wrong values are errors that name the line.
//
// A Run freezes its config as the bytes of the file: Parse of the same bytes gives the same Config in every step.
package config
