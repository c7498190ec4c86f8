package template

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A route is one of the HTTP API.
type route struct{ method, path, auth, function string }

func (s *stack) routes() []route {
	var out []route
	for _, name := range s.of("AWS::ApiGatewayV2::Route") {
		method, path, _ := strings.Cut(s.properties(name, "RouteKey").(string), " ")
		r := route{method: method, path: path, auth: fmt.Sprint(s.properties(name, "AuthorizationType"))}
		authorizer := s.properties(name, "AuthorizerId")
		if wants := r.auth == "JWT"; wants != (authorizer == "<JwtAuthorizer>") {
			s.t.Errorf("%s has %s authorization by %v", name, r.auth, authorizer)
		}
		integration := strings.Trim(strings.TrimPrefix(s.properties(name, "Target").(string), "integrations/"), "<>")
		uri := s.properties(integration, "IntegrationUri").(string)
		_, function, _ := strings.Cut(uri, "/functions/<")
		r.function, _, _ = strings.Cut(function, ".")
		if version := s.properties(integration, "PayloadFormatVersion"); version != "2.0" {
			s.t.Errorf("%s has payload format %v", integration, version)
		}
		if method := s.properties(integration, "IntegrationMethod"); method != "POST" {
			s.t.Errorf("%s calls Lambda by %v", integration, method)
		}
		out = append(out, r)
	}
	return out
}

// choose is the route that API Gateway takes: a whole path before one with a variable, and that before one that takes all that
// follows, of which the longest wins.
func choose(routes []route, method, path string) *route {
	var best *route
	rank := func(r *route) int {
		if prefix, ok := strings.CutSuffix(r.path, "{proxy+}"); ok {
			return len(prefix)
		}
		return 1000 - strings.Count(r.path, "{")
	}
	for i := range routes {
		r := &routes[i]
		if r.method == method && matches(r.path, path) && (best == nil || rank(r) > rank(best)) {
			best = r
		}
	}
	return best
}

func matches(pattern, path string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "{proxy+}"); ok {
		return strings.HasPrefix(path, prefix) && len(path) > len(prefix)
	}
	a, b := strings.Split(pattern, "/"), strings.Split(path, "/")
	return len(a) == len(b) && !slices.ContainsFunc(a, func(part string) bool {
		i := slices.Index(a, part)
		return part != b[i] && !strings.HasPrefix(part, "{")
	})
}

// catalogRoutes are those that PublicReads opens.
var catalogRoutes = []string{"GET /", "GET /{proxy+}", "HEAD /", "HEAD /{proxy+}"}

func TestEveryRouteNeedsAuth(t *testing.T) {
	for _, mode := range []struct{ name, auth string }{{"IAM", "AWS_IAM"}, {"JWT", "JWT"}} {
		for _, public := range []string{"false", "true"} {
			s := deploy(t, "AuthMode="+mode.name, "PublicReads="+public, "JwtIssuer=https://issuer.example", "JwtAudience=a,b")
			routes := s.routes()
			if len(routes) < 10 {
				t.Fatalf("%d routes", len(routes))
			}
			open := []string{}
			for _, r := range routes {
				switch key := r.method + " " + r.path; r.auth {
				case mode.auth:
				case "NONE":
					open = append(open, key)
				default:
					t.Errorf("%s has authorization %s", key, r.auth)
				}
			}
			slices.Sort(open)
			want := []string{}
			if public == "true" {
				want = catalogRoutes
			}
			if !slices.Equal(open, want) {
				t.Errorf("with AuthMode %s and PublicReads %s anybody may call %q", mode.name, public, open)
			}
		}
	}
	if s := deploy(t); len(s.of("AWS::Serverless::HttpApi")) != 0 || s.resources["JwtAuthorizer"] != nil || s.parameters["PublicReads"] != "false" {
		t.Error("there are routes that this test does not see, or reads are public by default")
	}
}

func TestJwtNeedsIssuerAndAudience(t *testing.T) {
	rules := parse(t, readFile(t, "template.yaml"))["Rules"].(object)
	var asserted []string
	for _, r := range rules {
		if fmt.Sprint(at(r, "RuleCondition")) != fmt.Sprint(object{"Fn::Equals": []any{object{"Ref": "AuthMode"}, "JWT"}}) {
			continue
		}
		for _, a := range list(at(r, "Assertions")) {
			asserted = append(asserted, fmt.Sprint(at(a, "Assert")))
		}
	}
	for _, name := range []string{"JwtIssuer", "JwtAudience"} {
		want := object{"Fn::Not": []any{object{"Fn::Equals": []any{object{"Ref": name}, ""}}}}
		if !slices.Contains(asserted, fmt.Sprint(want)) {
			t.Errorf("%s may be empty with AuthMode JWT", name)
		}
	}
	s := deploy(t, "AuthMode=JWT", "JwtIssuer=https://issuer.example", "JwtAudience=a,b")
	config := s.properties("JwtAuthorizer", "JwtConfiguration")
	if at(config, "Issuer") != "https://issuer.example" || !slices.Equal(texts(at(config, "Audience")), []string{"a", "b"}) {
		t.Errorf("authorizer %v", config)
	}
}

func TestRequestsReachTheirFunction(t *testing.T) {
	s := deploy(t, "PublicReads=true")
	routes := s.routes()
	const guarded, public = "AWS_IAM", "NONE"
	for _, c := range []struct{ method, path, function, auth string }{
		{"POST", "/refresh", "StartFunction", guarded},
		{"GET", "/refresh/status", "StatusFunction", guarded},
		{"HEAD", "/refresh/status", "ApiFunction", guarded},
		{"GET", "/refresh", "ApiFunction", guarded},
		{"HEAD", "/refresh", "ApiFunction", guarded},
		{"GET", "/refresh/runs", "ApiFunction", guarded},
		{"GET", "/refresh/runs/R/rejects", "ApiFunction", guarded},
		{"HEAD", "/refresh/runs/R", "ApiFunction", guarded},
		{"DELETE", "/refresh/runs/R", "ApiFunction", guarded},
		{"GET", "/", "ApiFunction", public},
		{"HEAD", "/", "ApiFunction", public},
		{"GET", "/collections/a/items/b", "ApiFunction", public},
		{"HEAD", "/conformance", "ApiFunction", public},
		{"POST", "/", "", ""},
		{"POST", "/refresh/status", "", ""},
		{"POST", "/collections", "", ""},
		{"PUT", "/collections/a", "", ""},
		{"PATCH", "/refresh", "", ""},
		{"DELETE", "/refresh", "", ""},
		{"DELETE", "/collections/a", "", ""},
		{"DELETE", "/refresh/runs/R/rejects", "", ""},
	} {
		var got route
		if r := choose(routes, c.method, c.path); r != nil {
			got = *r
		}
		if got.function != c.function || got.auth != c.auth {
			t.Errorf("%s %s reaches %q with authorization %q, want %q with %q", c.method, c.path, got.function, got.auth, c.function, c.auth)
		}
	}
	// The gateway may call what its routes lead to, from this API alone.
	called := map[string]bool{}
	for _, r := range routes {
		called[r.function] = true
	}
	for _, name := range s.of("AWS::Lambda::Permission") {
		if s.properties(name, "Principal") == "apigateway.amazonaws.com" {
			if !strings.Contains(s.properties(name, "SourceArn").(string), ":<HttpApi>/") {
				t.Errorf("%s is for every API", name)
			}
			delete(called, strings.Trim(s.properties(name, "FunctionName").(string), "<>"))
		}
	}
	if len(called) != 0 {
		t.Errorf("the gateway may not call %v", slices.Collect(maps.Keys(called)))
	}
}

func TestThrottlingAndCors(t *testing.T) {
	s := deploy(t)
	settings := s.properties("ApiStage", "DefaultRouteSettings")
	if number(t, at(settings, "ThrottlingRateLimit")) < 1 || number(t, at(settings, "ThrottlingBurstLimit")) < 1 {
		t.Errorf("settings %v", settings)
	}
	routes := s.properties("ApiStage", "RouteSettings").(object)
	for _, settings := range append(slices.Collect(maps.Values(routes)), settings) {
		// Metrics of routes cost as much as one's own, each, and no alarm, dashboard or document knows them.
		if at(settings, "DetailedMetricsEnabled") != false {
			t.Errorf("settings %v pay for metrics of routes", settings)
		}
	}
	for key := range routes {
		method, path, _ := strings.Cut(key, " ")
		if choose(s.routes(), method, path) == nil {
			t.Errorf("settings for %s, which is no route", key)
		}
	}
	if s.properties("HttpApi", "CorsConfiguration") != nil {
		t.Error("pages of other origins may read by default")
	}
	for _, c := range []struct {
		refresh string
		methods []string
		env     string
	}{
		{"false", []string{"GET", "HEAD"}, ""},
		{"true", []string{"GET", "HEAD", "POST", "DELETE"}, "*"},
	} {
		s := deploy(t, "CorsOrigins=https://a.example", "CorsRefresh="+c.refresh)
		cors := s.properties("HttpApi", "CorsConfiguration")
		if got := texts(at(cors, "AllowMethods")); !slices.Equal(got, c.methods) || at(cors, "AllowCredentials") != nil {
			t.Errorf("with CorsRefresh %s: %v", c.refresh, cors)
		}
		if got := at(s.globals, "Function", "Environment", "Variables", "CAIRN_CORS"); got != c.env {
			t.Errorf("CAIRN_CORS is %q, want %q", got, c.env)
		}
	}
}
