package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseYAML reads the one document of data; nil where it is empty. What would make a small file large (anchors and aliases)
// or the parser slow is refused on its tokens.
func parseYAML(data []byte) (ast.Node, error) {
	if len(data) > maxBytes {
		return nil, &Error{Msg: fmt.Sprintf("the file has %d bytes; at most %d are read", len(data), maxBytes)}
	}
	if !utf8.Valid(data) {
		return nil, &Error{Msg: "the file is not UTF-8 text"}
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(data), "\ufeff")) // a mark that Windows editors leave
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		var ye yaml.Error
		if errors.As(err, &ye) && ye.GetToken() != nil {
			return nil, &Error{Line: ye.GetToken().Position.Line, Msg: ye.GetMessage()}
		}
		return nil, &Error{Msg: err.Error()}
	}
	var root ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.CommentType:
		case root != nil:
			return nil, errorf(doc.Body, "a second YAML document; there may be only one")
		default:
			root = doc.Body
		}
	}
	return root, nil
}

func checkTokens(tokens token.Tokens) error {
	if len(tokens) > maxTokens {
		return &Error{Msg: fmt.Sprintf("the file has more than %d YAML tokens", maxTokens)}
	}
	brackets, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			dashes, line = 0, t.Position.Line
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType, token.MappingKeyType:
			return &Error{Line: line, Msg: fmt.Sprintf("%s: anchors, aliases, tags, directives and complex keys are not used here",
				show(t.Value))}
		case token.SequenceStartType, token.MappingStartType:
			brackets++
		case token.SequenceEndType, token.MappingEndType:
			brackets--
		case token.SequenceEntryType:
			dashes++
		}
		if brackets+dashes > maxNesting {
			return &Error{Line: line, Msg: fmt.Sprintf("more than %d levels of nesting", maxNesting)}
		}
	}
	return nil
}

// A field reads one value of the file. Its errors are *Error.
type field func(ast.Node) error

type fields map[string]field

func errorf(n ast.Node, format string, args ...any) *Error {
	return &Error{Line: lineOf(n), Msg: fmt.Sprintf(format, args...)}
}

func lineOf(n ast.Node) int {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return lineOf(m.Values[0].Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// entries are the pairs of a mapping; false for anything else.
func entries(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// mapping reads a mapping with these keys. A key without a value counts as not there.
func mapping(known fields) field {
	return func(n ast.Node) error {
		pairs, ok := entries(n)
		if !ok {
			return errorf(n, "want keys (%s), have %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "), kindOf(n))
		}
		for _, pair := range pairs {
			key, ok := scalar(pair.Key)
			read := known[key]
			if !ok || read == nil {
				return unknownKey(pair.Key, key, known)
			}
			if isNull(pair.Value) {
				continue
			}
			if err := read(pair.Value); err != nil {
				return within(key, err)
			}
		}
		return nil
	}
}

// within adds the key that an error lies under.
func within(key string, err error) error {
	e := *err.(*Error) // every field gives this type
	e.Path = strings.TrimSuffix(key+"."+e.Path, ".")
	return &e
}

func unknownKey(n ast.Node, key string, known fields) error {
	best, dist := "", max(1, len(key)/3)+1
	for _, k := range slices.Sorted(maps.Keys(known)) {
		if d := distance(key, k); d < dist {
			best, dist = k, d
		}
	}
	if best == "" {
		return errorf(n, "unknown key %s; known here: %s", show(key), strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	return errorf(n, "unknown key %s; did you mean %q?", show(key), best)
}

// distance is the number of letters to insert, delete or replace to turn a into b.
func distance(a, b string) int {
	if len(a) > 50 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// list reads a list of up to limit entries.
func list(limit int, each field) field {
	return func(n ast.Node) error {
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			return errorf(n, "want a list, have %s", kindOf(n))
		}
		if len(seq.Values) > limit {
			return errorf(n, "want at most %d entries, have %d", limit, len(seq.Values))
		}
		for _, v := range seq.Values {
			if err := each(v); err != nil {
				return err
			}
		}
		return nil
	}
}

// scalar is the text of a value as it is written: a title may be 2024.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func text(dst *string) field {
	return func(n ast.Node) error {
		s, ok := scalar(n)
		switch {
		case !ok:
			return errorf(n, "want text, have %s", kindOf(n))
		case s == "":
			return errorf(n, "want text, have none")
		case len(s) > maxText:
			return errorf(n, "want at most %d bytes of text, have %d", maxText, len(s))
		}
		*dst = s
		return nil
	}
}

func texts(dst *[]string) field {
	return list(maxList, func(n ast.Node) error {
		var s string
		err := text(&s)(n)
		*dst = append(*dst, s)
		return err
	})
}

func oneOf[T ~string](dst *T, values ...T) field {
	return func(n ast.Node) error {
		s, _ := scalar(n)
		if !slices.Contains(values, T(s)) {
			var names []string
			for _, v := range values {
				names = append(names, string(v))
			}
			return errorf(n, "want one of %s; have %s", strings.Join(names, ", "), kindOf(n))
		}
		*dst = T(s)
		return nil
	}
}

func isNull(n ast.Node) bool { return n == nil || n.Type() == ast.NullType }

// kindOf names what a node is, for people.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys"
	case *ast.SequenceNode:
		return "a list"
	}
	if s, ok := scalar(n); ok {
		return show(s)
	}
	return "something else"
}

// show quotes what a file says, shortened.
func show(s string) string {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return strconv.Quote(s)
}
