package httpapi

import (
	"errors"
	"net/http"
	"strings"
)

// maxKey of Idempotency-Key, in bytes.
const maxKey = 255

var errKey = errors.New(`header "Idempotency-Key": expected 1 to 255 visible ASCII characters, once, and quotes around all of them or none`)

// idempotencyKey reads the header Idempotency-Key; "" without one. The draft (draft-ietf-httpapi-idempotency-key-header) has it a
// string of RFC 8941, in quotes; most clients send it without.
func idempotencyKey(h http.Header) (string, error) {
	given := h.Values("Idempotency-Key")
	if len(given) == 0 {
		return "", nil
	}
	key := strings.Trim(given[0], " \t")
	if strings.HasPrefix(key, `"`) {
		var ok bool
		if key, ok = unquote(key); !ok {
			return "", errKey
		}
	}
	if len(given) > 1 || key == "" || len(key) > maxKey {
		return "", errKey
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return "", errKey
		}
	}
	return key, nil
}

// unquote takes the quotes off a string of RFC 8941, 3.3.3, and the backslashes off what was escaped.
func unquote(s string) (string, bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; c {
		case '"':
			return b.String(), i == len(s)-1
		case '\\':
			if i++; i == len(s) || s[i] != '"' && s[i] != '\\' {
				return "", false
			}
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
