package s3store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A client makes requests to one bucket.
type client struct {
	at        Location
	http      *http.Client
	signer    *v4.Signer
	creds     aws.CredentialsProvider // nil: requests are not signed
	payer     bool
	endpoints func(ctx context.Context, region string) (*place, error)
	place     atomic.Pointer[place]
	skew      atomic.Int64 // how far this clock is behind the server's, in ns
	limit     *limiter
	log       *slog.Logger

	// What tests change.
	attempts int                                                 // most attempts of a request
	patience time.Duration                                       // longest time without a byte sent or received
	sleep    func(ctx context.Context, most time.Duration) error // waits for a random part of most
}

// A place is where a bucket is reached.
type place struct {
	region string
	base   url.URL // of the bucket
}

// firstRegion is where the bucket of an unknown region is asked for, and what servers other than AWS take.
const firstRegion = "us-east-1"

func newClient(ctx context.Context, at Location, opt Options) (*client, error) {
	pool := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxConnsPerHost, t.MaxIdleConnsPerHost, t.MaxIdleConns = opt.Parallel, opt.Parallel, opt.Parallel
		t.IdleConnTimeout = 30 * time.Second
		t.DisableCompression = true // ranges and lengths are those of the Object
		t.ForceAttemptHTTP2 = false
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP1(true)
	})
	load := []func(*config.LoadOptions) error{config.WithHTTPClient(pool)}
	if opt.Anonymous {
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}),
			config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("load AWS configuration: %w", err)
	}
	if opt.Config != nil {
		opt.Config(&cfg)
	}
	transport := pool.GetTransport() // with AWS_CA_BUNDLE, if that is set
	if built, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		transport = built.GetTransport()
	}
	c := &client{
		at: at,
		// A signature is for one host, so no redirect is followed.
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
		signer: v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
		payer:  opt.RequesterPays, limit: newLimiter(opt.Parallel), log: opt.Log,
		attempts: 8, patience: 30 * time.Second, sleep: sleep,
	}
	if !opt.Anonymous {
		c.creds = cfg.Credentials
	}
	resolved := s3.NewFromConfig(cfg).Options()
	params := s3.EndpointParameters{
		Bucket: &at.Bucket, Endpoint: resolved.BaseEndpoint,
		ForcePathStyle: aws.Bool(resolved.UsePathStyle || resolved.BaseEndpoint != nil),
		UseFIPS:        aws.Bool(resolved.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack:   aws.Bool(resolved.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	}
	c.endpoints = func(ctx context.Context, region string) (*place, error) {
		params := params
		params.Region = &region
		endpoint, err := resolved.EndpointResolverV2.ResolveEndpoint(ctx, params)
		if err != nil {
			return nil, fmt.Errorf("find the endpoint in region %q: %w", region, err)
		}
		return &place{region, endpoint.URI}, nil
	}
	region := cfg.Region
	if region == "" {
		region = firstRegion
	}
	if err := c.move(ctx, region); err != nil {
		return nil, err
	}
	if cfg.Region == "" && resolved.BaseEndpoint == nil {
		return c, c.findRegion(ctx)
	}
	return c, nil
}

func (c *client) move(ctx context.Context, region string) error {
	p, err := c.endpoints(ctx, region)
	if err == nil {
		c.place.Store(p)
	}
	return err
}

// findRegion asks for the bucket's region. S3 tells it even those who may do nothing else.
func (c *client) findRegion(ctx context.Context) error {
	region := ""
	err := c.do(ctx, request{method: http.MethodHead, unsigned: true, attempts: checkAttempts}, func(resp *http.Response, _ io.Reader) error {
		region = resp.Header.Get("X-Amz-Bucket-Region")
		return nil
	})
	var answer *apiError
	if errors.As(err, &answer) {
		region, err = answer.region(), nil
	}
	if err != nil {
		return fmt.Errorf("find the bucket's region (AWS_REGION tells it without): %w", err)
	}
	if region == "" {
		return nil
	}
	return c.move(ctx, region)
}

// A request is one of S3's, in any number of attempts.
type request struct {
	method   string
	key      string // in the bucket; "": the bucket itself
	query    url.Values
	header   http.Header
	body     []byte
	unsigned bool
	attempts int             // most; 0: the client's
	failed   func(err error) // sees the error of each attempt
}

// build makes the HTTP request of one attempt.
func (c *client) build(ctx context.Context, r request, at *place, progress func()) (*http.Request, error) {
	u := at.base
	if r.key != "" || u.Path == "" {
		escaped := strings.TrimSuffix(u.EscapedPath(), "/") + "/" + escape(r.key)
		u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/")+"/"+r.key, escaped
	}
	u.RawQuery = strings.ReplaceAll(r.query.Encode(), "+", "%20")
	req := (&http.Request{
		Method: r.method, URL: &u, Host: u.Host, Header: make(http.Header, len(r.header)+6),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header["User-Agent"] = []string{"cairn"}
	if c.payer {
		req.Header["X-Amz-Request-Payer"] = []string{"requester"}
	}
	sum := emptySum
	if r.method == http.MethodPut {
		req.ContentLength = int64(len(r.body))
		req.GetBody = func() (io.ReadCloser, error) {
			if len(r.body) == 0 {
				return http.NoBody, nil
			}
			return io.NopCloser(&moving{bytes.NewReader(r.body), progress}), nil
		}
		req.Body, _ = req.GetBody()
		digest := sha256.Sum256(r.body)
		sum = hex.EncodeToString(digest[:])
	}
	if c.creds == nil || r.unsigned {
		return req, nil
	}
	creds, err := c.creds.Retrieve(ctx)
	if err != nil {
		return nil, &noCredentials{err}
	}
	req.Header["X-Amz-Content-Sha256"] = []string{sum}
	now := time.Now().Add(time.Duration(c.skew.Load()))
	return req, c.signer.SignHTTP(ctx, creds, req, sum, "s3", at.region, now.UTC())
}

// emptySum is the SHA-256 of nothing.
const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// errStalled ends an attempt in which nothing moves any more.
var errStalled = errors.New("no answer, or no more of it")

// A moving reader reports that bytes move.
type moving struct {
	io.Reader
	progress func()
}

func (m *moving) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if n > 0 {
		m.progress()
	}
	return n, err
}

// attempt makes a request once. use gets an answer of success and reads its body.
func (c *client) attempt(ctx context.Context, r request, use func(resp *http.Response, body io.Reader) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(c.patience, func() { cancel(errStalled) })
	defer timer.Stop()
	// Bytes that trickle are no better than none.
	whole := time.AfterFunc(slowest*c.patience, func() { cancel(errStalled) })
	defer whole.Stop()
	progress := func() { timer.Reset(c.patience) }

	at := c.place.Load()
	req, err := c.build(ctx, r, at, progress)
	if err != nil {
		return err
	}
	err = func() error {
		resp, err := c.http.Do(req)
		if err != nil {
			var outer *url.Error // names the method and the URL
			if errors.As(err, &outer) {
				err = outer.Err
			}
			return err
		}
		progress()
		body := &moving{resp.Body, progress}
		defer func() {
			// What is left is little, unless the body is not wanted; a connection is used again only when it is read.
			_, _ = io.CopyN(io.Discard, body, maxDrain)
			_ = resp.Body.Close()
		}()
		if resp.StatusCode/100 != 2 {
			err := readError(resp, body, at.region)
			var answer *apiError
			if errors.As(err, &answer) {
				answer.object = r.method == http.MethodGet && r.key != ""
			}
			return err
		}
		return use(resp, body)
	}()
	if err != nil && context.Cause(ctx) == errStalled {
		return errStalled
	}
	return err
}

// slowest is how many times its patience an attempt may take as a whole. Headers and Parts are at most some megabytes.
const slowest = 10

// maxDrain is how much of an unwanted body is read so that its connection can be used again.
const maxDrain = 64 << 10

func drop(*http.Response, io.Reader) error { return nil }
