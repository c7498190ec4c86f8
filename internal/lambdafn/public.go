package lambdafn

import (
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

// notThere answers what strays.
var notThere = Response{
	Status:  http.StatusNotFound,
	Headers: map[string]string{"Content-Type": "application/problem+json", "Cache-Control": "no-store"},
	Body: `{"type":"about:blank","title":"Not Found","status":404,"code":"not_found",` +
		`"detail":"there is nothing at this path, as it is written"}`,
}
