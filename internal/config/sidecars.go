package config

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Bounds on what is asked of sidecars.
const (
	maxFields     = 100 // of a list or mapping
	maxFieldParts = 4   // paths that belong together
	maxFieldText  = 500 // bytes
)

// fieldOf reads the name of a field: a path, or several with "+" between them.
func fieldOf(n ast.Node) (Field, error) {
	var s string
	if err := text(&s)(n); err != nil {
		return nil, err
	}
	if name, rest, cut := strings.Cut(s, ": "); cut {
		return nil, errorf(n, "want the name of a field, have %s; a property with a colon in braces needs quotes, as in {\"eo:%s\": %s}",
			show(s), name, rest) // the YAML parser ends a name in braces at any colon
	}
	f := Field(strings.Split(s, "+"))
	for i, part := range f {
		f[i] = strings.TrimSpace(part)
	}
	if len(s) > maxFieldText || len(f) > maxFieldParts || slices.Contains(f, "") {
		return nil, errorf(n, "want the name of a field, such as CLOUD_COVER, or up to %d with \"+\" between them, have %s", maxFieldParts, show(s))
	}
	return f, nil
}

// timeFields reads a list of fields, or a single one.
func timeFields(dst *[]Field) field {
	each := func(n ast.Node) error {
		f, err := fieldOf(n)
		*dst = append(*dst, f)
		return err
	}
	many := list(maxFields, each)
	return func(n ast.Node) error {
		if _, single := scalar(n); single {
			return each(n)
		}
		return many(n)
	}
}

// propertyFields reads a mapping of properties to fields.
func propertyFields(dst *map[string]Field) field {
	return func(n ast.Node) error {
		pairs, ok := entries(n)
		if !ok || len(pairs) > maxFields {
			return errorf(n, "want up to %d properties with a field each, have %s", maxFields, kindOf(n))
		}
		*dst = make(map[string]Field, len(pairs))
		for _, pair := range pairs {
			name, _ := scalar(pair.Key)
			if problem := checkProperty(name, ""); problem != "" {
				return errorf(pair.Key, "%s", problem)
			}
			f, err := fieldOf(pair.Value)
			if err != nil {
				return err
			}
			(*dst)[name] = f
		}
		return nil
	}
}

// knownTokens stands in scenes for those of the missions that are known.
const knownTokens = "known"

func boolean(dst *bool) field {
	return func(n ast.Node) error {
		b, ok := n.(*ast.BoolNode)
		if !ok {
			return errorf(n, "want true or false, have %s", kindOf(n))
		}
		*dst = b.Value
		return nil
	}
}

func (c *Config) scenes(n ast.Node) error {
	if s, single := scalar(n); single && (s == "off" || s == "false") {
		c.Scenes = Scenes{Off: true}
		return nil
	}
	c.Scenes = Scenes{}
	err := oneOrMore(func(n ast.Node) error {
		var s string
		if err := text(&s)(n); err != nil {
			return err
		}
		if s == knownTokens {
			c.Scenes.Known = true
			return nil
		}
		g, err := NewGlob(s)
		switch {
		case err != nil:
			return errorf(n, "%v", err)
		case strings.Contains(s, "/"):
			return errorf(n, "want what names end in, such as red or B*, have %s", show(s))
		}
		c.Scenes.Tokens = append(c.Scenes.Tokens, g)
		return nil
	})(n)
	if err == nil && !c.Scenes.Known && len(c.Scenes.Tokens) == 0 {
		err = errorf(n, "want off, or what the names of a scene's files end in, such as [red, green, blue]")
	}
	return err
}
