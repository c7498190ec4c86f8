package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

var propertyPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_:.-]{0,99}$`)

// propertyTypes are the types that STAC 1.1.0's common metadata asks for, where it says. What is "-" has no place here.
var propertyTypes = map[string]string{
	"title": "text", "description": "text", "license": "license",
	"platform": "text", "mission": "text", "constellation": "text", "instruments": "texts", "keywords": "texts",
	"gsd": "length", "created": "time", "updated": "time",
	"datetime": "-", "start_datetime": "-", "end_datetime": "-", "providers": "-", "bands": "-", "statistics": "-",
	"data_type": "-", "nodata": "-", "unit": "-",
}

// checkProperty tells what speaks against a property of that name and type ("" for any); "" if nothing does.
func checkProperty(name, kind string) string {
	switch {
	case !propertyPattern.MatchString(name):
		return "want a property name of letters, digits, \"_\", \":\", \".\" and \"-\", have " + show(name)
	case propertyTypes[name] == "-" || strings.HasPrefix(name, "proj:") || strings.HasPrefix(name, "cairn:"):
		return "the property " + name + " cannot be set here"
	}
	if want := propertyTypes[name]; want != "" && kind != "" && want != kind {
		return fmt.Sprintf("the property %s cannot be %s", name, kind)
	}
	return ""
}

func (c *Config) constants(n ast.Node) error {
	pairs, ok := entries(n)
	if !ok {
		return errorf(n, "want properties, have %s", kindOf(n))
	}
	c.Properties.Constants = make(map[string]any, len(pairs))
	for _, pair := range pairs {
		name, _ := scalar(pair.Key)
		if problem := checkProperty(name, ""); problem != "" {
			return errorf(pair.Key, "%s", problem)
		}
		v, err := value(pair.Value)
		if err != nil {
			return err
		}
		if problem := checkType(propertyTypes[name], v); problem != "" {
			return errorf(pair.Key, "%s: %s", name, problem)
		}
		c.Properties.Constants[name] = v
	}
	return nil
}

// PropertyValue is the value of a property that a text of a file gives: a number, true or false where it is written like one in
// JSON, and the text itself otherwise; what STAC's common metadata wants where it asks for a type. ok is false for what cannot be
// that.
func PropertyValue(name, text string) (v any, ok bool) {
	switch want := propertyTypes[name]; want {
	case "":
		return scalarOf(text), text != ""
	case "texts":
		return []any{text}, text != ""
	case "length":
		f, err := strconv.ParseFloat(text, 64)
		return f, err == nil && f > 0 && !math.IsInf(f, 0)
	default:
		return text, text != "" && checkType(want, text) == ""
	}
}

var numberPattern = regexp.MustCompile(`^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$`) // RFC 8259, section 6

func scalarOf(text string) any {
	switch {
	case text == "true", text == "false":
		return text == "true"
	case numberPattern.MatchString(text):
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return i
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	}
	return text
}

func checkType(want string, v any) string {
	switch want {
	case "text":
		if _, ok := v.(string); !ok {
			return "want text"
		}
	case "license":
		if s, _ := v.(string); !licensePattern.MatchString(s) {
			return "want an SPDX license identifier, or \"other\""
		}
	case "texts":
		l, ok := v.([]any)
		for _, e := range l {
			if _, isText := e.(string); !isText {
				ok = false
			}
		}
		if !ok {
			return "want a list of texts"
		}
	case "length":
		metres := 0.0
		switch v := v.(type) {
		case int64:
			metres = float64(v)
		case float64:
			metres = v
		}
		if !(metres > 0) {
			return "want metres, above 0"
		}
	case "time":
		s, _ := v.(string)
		if t, err := time.Parse(time.RFC3339, s); err != nil || !strings.HasSuffix(s, "Z") || t.Year() < 1 {
			return "want a time such as 2024-01-31T12:00:00Z"
		}
	}
	return ""
}

// value turns a node into what encoding/json can write. What a schema would refuse (null, an empty list) is an error.
func value(n ast.Node) (any, error) {
	switch n := n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		var s string
		err := text(&s)(n)
		return s, err
	case *ast.BoolNode:
		return n.Value, nil
	case *ast.IntegerNode:
		if u, ok := n.Value.(uint64); ok && u <= math.MaxInt64 {
			return int64(u), nil
		}
		return n.Value, nil
	case *ast.FloatNode:
		if !math.IsInf(n.Value, 0) && !math.IsNaN(n.Value) {
			return n.Value, nil
		}
	case *ast.SequenceNode:
		var l []any
		err := list(maxList, func(n ast.Node) error {
			v, err := value(n)
			l = append(l, v)
			return err
		})(n)
		if err == nil && len(l) == 0 {
			err = errorf(n, "want a value, have an empty list")
		}
		return l, err
	}
	pairs, ok := entries(n)
	if !ok || len(pairs) == 0 {
		return nil, errorf(n, "want a value, have %s", kindOf(n))
	}
	m := make(map[string]any, len(pairs))
	for _, pair := range pairs {
		key, ok := scalar(pair.Key)
		if !ok {
			return nil, errorf(pair.Key, "want a name, have %s", kindOf(pair.Key))
		}
		v, err := value(pair.Value)
		if err != nil {
			return nil, err
		}
		m[key] = v
	}
	return m, nil
}
