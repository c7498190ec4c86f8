package deployment_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/cairn-stac/cairn/internal/objstore"
)

// ask reads from the table of alps at a server, with the standard configuration of an environment that has credentials or none.
func ask(t *testing.T, url string, credentials bool) error {
	t.Helper()
	gone := filepath.Join(t.TempDir(), "none")
	key := ""
	if credentials {
		key = "test"
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_DYNAMODB": url, "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "",
		"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": key, "AWS_SESSION_TOKEN": "", "AWS_MAX_ATTEMPTS": "1",
		"AWS_CONFIG_FILE": gone, "AWS_SHARED_CREDENTIALS_FILE": gone, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	client, err := alps.Client(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &alps.Table})
	return err
}

// Whatever keeps the table from being used, the error says so in one sentence, and what to do.
func TestTableThatCannotBeUsed(t *testing.T) {
	var code string
	var signed string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"no %s"}`, code, strings.Repeat("x", 1000))
	}))
	defer server.Close()
	for c, want := range map[string]struct {
		kind error
		text string
	}{
		"ResourceNotFoundException":   {objstore.ErrNoStore, "delete cairn.json"},
		"AccessDeniedException":       {objstore.ErrCredentials, "dynamodb:GetItem"},
		"UnrecognizedClientException": {objstore.ErrCredentials, "sign in again"},
		"ExpiredTokenException":       {objstore.ErrCredentials, "sign in again"},
		"ThrottlingException":         {objstore.ErrUnreachable, "busy"},
	} {
		code = c
		err := ask(t, server.URL, true)
		if !errors.Is(err, want.kind) || !strings.Contains(err.Error(), want.text) || !strings.Contains(err.Error(), "alps-Table-1ABC in eu-central-1") || len(err.Error()) > 800 {
			t.Errorf("%s: %v; want %v and %q", c, err, want.kind, want.text)
		}
	}
	if !strings.Contains(signed, "/eu-central-1/dynamodb/") {
		t.Errorf("requests are signed as %q; want the table's region", signed)
	}
	code = "ConditionalCheckFailedException" // is for who asked
	if err := ask(t, server.URL, true); err == nil || strings.Contains(err.Error(), "holds the state") {
		t.Errorf("%s: %v", code, err)
	}
	if err := ask(t, server.URL, false); !errors.Is(err, objstore.ErrCredentials) || !strings.Contains(err.Error(), "aws sso login") {
		t.Errorf("without credentials: %v", err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	if err := ask(t, "http://"+free.Addr().String(), true); !errors.Is(err, objstore.ErrUnreachable) || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("nobody listens: %v", err)
	}
	hung := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer hung.Close()
	if err := ask(t, hung.URL, true); !errors.Is(err, objstore.ErrUnreachable) {
		t.Errorf("the connection ends: %v", err)
	}
}

// A table that answers is one.
func TestTable(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"Count":0,"Items":[]}`) }))
	defer server.Close()
	if err := ask(t, server.URL, true); err != nil {
		t.Error(err)
	}
}
