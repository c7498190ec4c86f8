// Package template is only tests: they hold template.yaml, the workflow, the functions and the documents together.
package template
