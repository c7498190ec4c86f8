package lambdafn

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
)

// With the catalog open to all, no way of writing a path leads from its routes to what is below /refresh.
func TestOpenRoutesDoNotLeadToRefresh(t *testing.T) {
	reached := ""
	g := &Gateway{Log: slog.New(slog.DiscardHandler), Handler: func(string) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { reached = r.URL.Path })
	}}
	for _, c := range []struct {
		route, path string
		want        int
	}{
		{"GET /{proxy+}", "/refresh/runs", 404}, // was /refresh%2Fruns
		{"GET /{proxy+}", "/refresh", 404},
		{"GET /{proxy+}", "//refresh/runs/R/rejects", 404},
		{"GET /{proxy+}", "/collections/../refresh/status", 404},
		{"HEAD /{proxy+}", "/refresh/status", 404},
		{"GET /", "/refresh/status", 404},
		{"GET /{proxy+}", "/refreshments", 200},
		{"GET /{proxy+}", "/collections/refresh/items", 200},
		{"GET /", "/", 200},
		{"GET /refresh/{proxy+}", "/refresh/runs", 200},
		{"GET /refresh/status", "/refresh/status", 200},
		{"DELETE /refresh/runs/{run}", "/refresh/runs/R", 200},
	} {
		reached = ""
		event, err := json.Marshal(map[string]any{"version": "2.0", "routeKey": c.route, "rawPath": c.path,
			"requestContext": map[string]any{"stage": "$default", "http": map[string]string{"method": "GET"}}})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := g.Handle(t.Context(), event)
		if err != nil || resp.Status != c.want || (reached == "") != (c.want == 404) {
			t.Errorf("%s as %s: %d, %v, reached %q", c.path, c.route, resp.Status, err, reached)
		}
		if c.want == 404 {
			var problem struct{ Status int }
			if err := json.Unmarshal([]byte(resp.Body), &problem); err != nil || problem.Status != 404 {
				t.Error(fmt.Sprint(resp.Body), err)
			}
		}
	}
}
