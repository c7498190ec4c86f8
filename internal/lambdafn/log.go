package lambdafn

import (
	"context"
	"io"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

type runKey struct{}

// withRun notes which Run the work of a context is for, so that each line of the log tells.
func withRun(ctx context.Context, run string) context.Context {
	return context.WithValue(ctx, runKey{}, run)
}

// NewLog writes lines of JSON in the words of Lambda (timestamp, level, message), each with the requestId of its invocation and the
// run that it is about, where the context tells.
func NewLog(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(&logHandler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: lambdacontext.ReplaceAttr})})
}

type logHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("requestId", lc.AwsRequestID))
	}
	if run, ok := ctx.Value(runKey{}).(string); ok {
		told := false
		r.Attrs(func(a slog.Attr) bool { told = a.Key == "run"; return !told })
		if !told {
			r.AddAttrs(slog.String("run", run))
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h *logHandler) WithGroup(name string) slog.Handler {
	return &logHandler{h.Handler.WithGroup(name)}
}
