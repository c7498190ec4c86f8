package lambdafn

import (
	"context"
	"net/http"
	"path"
	"strings"
)

// strays tells whether a request is for something of /refresh but came by a route of the catalog, which may be open to all. The
// gateway chooses routes by the path as it was sent and hands it over decoded: /refresh%2Fruns is one name there and two here.
func (e httpEvent) strays(base string) bool {
	_, route, _ := strings.Cut(e.Route, " ")
	if route != "/" && route != "/{proxy+}" {
		return false
	}
	clean := path.Clean("/" + strings.TrimPrefix(e.RawPath, base))
	return clean == "/refresh" || strings.HasPrefix(clean, "/refresh/")
}

type proofKey struct{}

// withProof notes whether the gateway made who asks prove who it is: with AWS signatures or with a token.
func withProof(ctx context.Context, e httpEvent) context.Context {
	for _, kind := range []string{"iam", "jwt"} {
		if found := string(e.Context.Authorizer[kind]); found != "" && found != "null" {
			return context.WithValue(ctx, proofKey{}, true)
		}
	}
	return ctx
}

// Proven tells whether whoever sent a request has proved who it is, to the gateway. By a route that is open to all nobody has.
func Proven(r *http.Request) bool {
	proven, _ := r.Context().Value(proofKey{}).(bool)
	return proven
}

// notThere answers what strays.
var notThere = Response{
	Status:  http.StatusNotFound,
	Headers: map[string]string{"Content-Type": "application/problem+json", "Cache-Control": "no-store"},
	Body: `{"type":"about:blank","title":"Not Found","status":404,"code":"not_found",` +
		`"detail":"there is nothing at this path, as it is written"}`,
}
