package lambdafn

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cairn-stac/cairn/internal/refresh"
)

// maxMessage is how many bytes of a sentence go through the workflow, whose data must stay small.
const maxMessage = 4 << 10

// failure gives a step's error the type that the workflow matches on, outermost, for Lambda tells no other. problem is what is to be
// recorded of it: nil where it is no fault of the Run's.
func failure(err error) (problem *refresh.Problem, typed error) {
	var late *refresh.DeadlineError
	if errors.As(err, &late) {
		return nil, &DeadlineError{clip(late.Error())}
	}
	p := *refresh.ProblemOf(err)
	if errors.Is(err, context.DeadlineExceeded) {
		p = refresh.Problem{Code: refresh.CodeWorkflow, Message: fmt.Sprintf("a step did not end within its function's time (%.1000s); "+
			"refresh a part of the source at a time with prefixes", p.Message)}
	}
	p.Message = clip(p.Message)
	problem = &p
	if p.Code == "cancelled" || p.Code == "superseded" {
		problem = nil
	}
	if refresh.Final(err) {
		return problem, &FinalError{p.Code, p.Message}
	}
	return problem, &TransientError{p.Code, p.Message}
}

// clip cuts a text to maxMessage, and makes it UTF-8.
func clip(text string) string {
	if len(text) > maxMessage {
		text = text[:maxMessage] + "…"
	}
	return strings.ToValidUTF8(text, "�")
}
