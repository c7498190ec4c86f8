package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// Of wrong tokens, from all clients together.
const (
	wrongRate  = 1  // a second are answered
	wrongBurst = 20 // at once
)

// signIn is the query parameter that asks for the token where the page could be read without.
const signIn = "sign-in"

// challenges are the ways to give the token: programs may send it as it is, browsers, QGIS and curl ask for a password.
var challenges = []string{`Bearer realm="cairn"`, `Basic realm="cairn", charset="UTF-8"`}

// admit lets a request in that has the token, or needs none. pattern is the route that it takes, "" for none.
//
// Which it is must not hang on what the path looks like, but on who will answer it: hence the pattern.
func (s *server) admit(w http.ResponseWriter, r *http.Request, pattern string) error {
	if s.Token == "" || r.Method == http.MethodOptions { // browsers ask beforehand without it
		return nil
	}
	given, some := credentials(r)
	switch {
	case some && s.isToken(given): // before anything is counted, so that nobody can lock out who has it
		return nil
	case some:
		if err := s.wrong.take(w, "too many requests came with a wrong token"); err != nil {
			return err
		}
	case s.public(r, pattern):
		return nil
	}
	for _, c := range challenges {
		w.Header().Add("WWW-Authenticate", c)
	}
	return refuse("unauthorized", "a token is needed: send it as Authorization: Bearer TOKEN, or as the password with any user name")
}

// public tells whether a request without a token is let in: one that reads the catalog. What is below /refresh names files of the
// Source, and the errors of Runs the machine's folders.
func (s *server) public(r *http.Request, pattern string) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	return s.OpenReads && reads && !strings.HasPrefix(pattern, "GET "+s.BasePath+"/refresh") && !r.URL.Query().Has(signIn)
}

// manages tells whether whoever sent a request that was let in may see Runs and ask for them.
func (s *server) manages(r *http.Request) bool {
	if s.Manages != nil {
		return s.Manages(r)
	}
	given, some := credentials(r)
	return s.Token == "" || some && s.isToken(given)
}

// credentials reads what a request gives as the token: RFC 6750, or the password of RFC 7617.
func credentials(r *http.Request) (string, bool) {
	if _, password, ok := r.BasicAuth(); ok {
		return password, true
	}
	header := r.Header.Get("Authorization")
	if scheme, value, _ := strings.Cut(header, " "); strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(value), true
	}
	return "", header != "" // another scheme is as good as a wrong token
}

// isToken compares in a time that tells nothing, not even the token's length.
func (s *server) isToken(given string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.Token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
