package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/cairn-stac/cairn/internal/stac"
)

// encode gives JSON without a newline, and without \u escapes for the sake of HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// write answers with a whole body, or says that it is too large.
func write(w http.ResponseWriter, status int, mediaType string, body []byte) {
	if rw, ok := w.(*response); ok && rw.most > 0 && len(body) > rw.most {
		p := tooLarge(len(body), rw.most)
		status, mediaType = p.Status, "application/problem+json"
		body, _ = encode(p) // a struct of strings
		w.Header().Set("Cache-Control", "no-store")
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have gone
}

// answer encodes v as the body.
func answer(w http.ResponseWriter, status int, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	write(w, status, stac.TypeJSON, body)
	return nil
}
