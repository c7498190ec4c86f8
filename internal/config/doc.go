// Package config reads cairn.yaml. Unknown keys and wrong values are errors that name the line.
package config
