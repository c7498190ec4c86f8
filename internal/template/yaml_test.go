package template

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// root is where template.yaml lies.
const root = "../../"

func readFile(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile(root + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

type object = map[string]any

// parse reads a template; the short form of a function of CloudFormation becomes its long one.
func parse(t testing.TB, text string) object {
	t.Helper()
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	out, ok := valueOf(t, file.Docs[0].Body).(object)
	if !ok {
		t.Fatal("the template is no mapping")
	}
	return out
}

func valueOf(t testing.TB, n ast.Node) any {
	switch n := n.(type) {
	case *ast.MappingNode:
		out := object{}
		for _, v := range n.Values {
			name := v.Key.GetToken().Value
			if _, twice := out[name]; twice {
				t.Fatalf("%s is there twice, again at %v", name, v.Key.GetToken().Position)
			}
			out[name] = valueOf(t, v.Value)
		}
		return out
	case *ast.MappingValueNode:
		return object{n.Key.GetToken().Value: valueOf(t, n.Value)}
	case *ast.SequenceNode:
		out := []any{}
		for _, v := range n.Values {
			out = append(out, valueOf(t, v))
		}
		return out
	case *ast.TagNode:
		v := valueOf(t, n.Value)
		switch name := strings.TrimPrefix(n.Start.Value, "!"); name {
		case "Ref", "Condition":
			return object{name: v}
		case "GetAtt":
			resource, attribute, _ := strings.Cut(v.(string), ".")
			return object{"Fn::GetAtt": []any{resource, attribute}}
		default:
			return object{"Fn::" + name: v}
		}
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.StringNode:
		return n.Value
	case *ast.IntegerNode:
		return n.GetToken().Value
	case *ast.FloatNode:
		return n.GetToken().Value
	case *ast.BoolNode:
		return n.Value
	case *ast.NullNode:
		return nil
	}
	t.Fatalf("%T at %v", n, n.GetToken().Position)
	return nil
}

// A stack is the template with its parameters filled in, as CloudFormation fills it in: what a condition excludes is not there. A
// reference to a resource is its name in angle brackets, one to an attribute of it <name.attribute>.
type stack struct {
	t          testing.TB
	parameters map[string]string
	conditions object
	resources  object
	globals    object
	outputs    object
}

// deploy fills in the template with parameters NAME=VALUE, and with the defaults of the others.
func deploy(t testing.TB, parameters ...string) *stack {
	t.Helper()
	tpl := parse(t, readFile(t, "template.yaml"))
	s := &stack{t: t, conditions: tpl["Conditions"].(object), parameters: map[string]string{
		"AWS::StackName": "stack", "AWS::Region": "eu-west-1", "AWS::AccountId": "account", "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
	}}
	for name, p := range tpl["Parameters"].(object) {
		if d, ok := p.(object)["Default"]; ok {
			s.parameters[name] = fmt.Sprint(d)
		}
	}
	for _, p := range append([]string{"SourceBucket=imagery"}, parameters...) {
		name, value, _ := strings.Cut(p, "=")
		if _, ok := tpl["Parameters"].(object)[name]; !ok {
			t.Fatalf("the template has no parameter %s", name)
		}
		s.parameters[name] = value
	}
	s.resources = object{}
	for name, r := range tpl["Resources"].(object) {
		if c, ok := r.(object)["Condition"]; !ok || s.holds(c.(string)) {
			s.resources[name] = r
		}
	}
	s.resources = s.eval(s.resources).(object)
	s.globals = s.eval(tpl["Globals"]).(object)
	s.outputs = s.eval(tpl["Outputs"]).(object)
	return s
}

func (s *stack) holds(condition string) bool {
	s.t.Helper()
	c, ok := s.conditions[condition]
	if !ok {
		s.t.Fatalf("there is no condition %s", condition)
	}
	return s.test(c)
}

func (s *stack) test(c any) bool {
	s.t.Helper()
	for fn, arg := range c.(object) {
		switch fn {
		case "Fn::Not":
			return !s.test(arg.([]any)[0])
		case "Fn::Equals":
			return s.eval(arg.([]any)[0]) == s.eval(arg.([]any)[1])
		}
	}
	s.t.Fatalf("condition %v", c)
	return false
}

// none is AWS::NoValue.
type none struct{}

var reference = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)

func (s *stack) ref(name string) string {
	s.t.Helper()
	if v, ok := s.parameters[name]; ok {
		return v
	}
	resource, _, _ := strings.Cut(name, ".")
	if _, ok := s.resources[resource]; !ok {
		s.t.Fatalf("%s refers to nothing that is there", name)
	}
	return "<" + name + ">"
}

func (s *stack) eval(v any) any {
	s.t.Helper()
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, e := range v {
			if e := s.eval(e); e != (none{}) {
				out = append(out, e)
			}
		}
		return out
	case object:
		if len(v) == 1 {
			for fn, arg := range v {
				if out, ok := s.function(fn, arg); ok {
					return out
				}
			}
		}
		out := object{}
		for name, e := range v {
			if e := s.eval(e); e != (none{}) {
				out[name] = e
			}
		}
		return out
	}
	return v
}

func (s *stack) function(fn string, arg any) (out any, ok bool) {
	s.t.Helper()
	switch fn {
	case "Ref":
		if arg == "AWS::NoValue" {
			return none{}, true
		}
		return s.ref(arg.(string)), true
	case "Fn::GetAtt":
		a := arg.([]any)
		return s.ref(a[0].(string) + "." + a[1].(string)), true
	case "Fn::Sub":
		return reference.ReplaceAllStringFunc(arg.(string), func(m string) string { return s.ref(m[2 : len(m)-1]) }), true
	case "Fn::If":
		a := arg.([]any)
		if s.holds(a[0].(string)) {
			return s.eval(a[1]), true
		}
		return s.eval(a[2]), true
	case "Fn::Join":
		a := arg.([]any)
		if list, ok := s.eval(a[1]).([]any); ok {
			return strings.Join(texts(list), a[0].(string)), true
		}
		return strings.ReplaceAll(s.eval(a[1]).(string), ",", a[0].(string)), true // a CommaDelimitedList
	case "Fn::Split":
		a := arg.([]any)
		var out []any
		for _, e := range strings.Split(s.eval(a[1]).(string), a[0].(string)) {
			out = append(out, e)
		}
		return out, true
	}
	if strings.HasPrefix(fn, "Fn::") {
		s.t.Fatalf("function %s", fn)
	}
	return nil, false
}

// of lists the resources of a type by name, in order.
func (s *stack) of(kind string) []string {
	var out []string
	for name, r := range s.resources {
		if r.(object)["Type"] == kind {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// properties are those of a resource; with names, what lies there.
func (s *stack) properties(resource string, names ...string) any {
	s.t.Helper()
	r, ok := s.resources[resource].(object)
	if !ok {
		s.t.Fatalf("there is no resource %s", resource)
	}
	return at(r["Properties"], names...)
}

// at is what lies at a path, nil if there is nothing.
func at(v any, names ...string) any {
	for _, name := range names {
		o, ok := v.(object)
		if !ok {
			return nil
		}
		v = o[name]
	}
	return v
}

// list is a list, or the one that is not put into one.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func texts(v any) []string {
	var out []string
	for _, e := range list(v) {
		out = append(out, fmt.Sprint(e))
	}
	return out
}

func number(t testing.TB, v any) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(fmt.Sprint(v), &n); err != nil {
		t.Fatalf("%v is no number", v)
	}
	return n
}

// seven are the steps, by the names of their folders.
var seven = []string{"start", "plan", "scan", "publish", "settle", "status", "api"}

// logical is the name of a step's resources, as in StartFunction.
func logical(step, what string) string { return strings.ToUpper(step[:1]) + step[1:] + what }
