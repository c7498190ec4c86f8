package refresh

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// Limits of what is recorded of a Run. An error may tell of thousands of files, but the control record holds its last Run and must
// stay below the 400 KB of a DynamoDB item: one that does not fit could never be settled. And an answer holds a hundred Runs, and Lambda
// takes 6 MB. The log has all of it.
const (
	maxSentence = 4 << 10 // bytes in JSON
	maxWarnings = 4
)

// sentence is a text as a record may hold it. What is too much is left out of its middle: it begins with what was done and ends with
// the cause or the advice.
func sentence(text string) string {
	if whole := cutAfter(text, maxSentence); whole == len(text) {
		return text
	}
	const gap, tail = " … ", maxSentence / 4
	end := len(text)
	for n := 0; ; {
		r, size := utf8.DecodeLastRuneInString(text[:end])
		if n += inJSON(r); n > tail {
			break
		}
		end -= size
	}
	return text[:cutAfter(text, maxSentence-tail-len(gap))] + gap + text[end:]
}

// cutAfter is how many bytes of a text take at most so many in JSON.
func cutAfter(text string, most int) int {
	n := 0
	for i, r := range text {
		if n += inJSON(r); n > most {
			return i
		}
	}
	return len(text)
}

// inJSON is how many bytes encoding/json makes of a rune, at most.
func inJSON(r rune) int {
	switch {
	case r == '"', r == '\\', r == '\n', r == '\t':
		return 2
	case r < ' ', r == '<', r == '>', r == '&', r == '\u2028', r == '\u2029', r == utf8.RuneError:
		return 6
	}
	return utf8.RuneLen(r)
}

// bounded is the Run with no more than a record may hold.
func (r Run) bounded() Run {
	if r.Error != nil && sentence(r.Error.Message) != r.Error.Message {
		r.Error = &Problem{Code: r.Error.Code, Message: sentence(r.Error.Message)}
	}
	if n := len(r.Warnings); n > maxWarnings {
		r.Warnings = append(slices.Clone(r.Warnings[:maxWarnings-1]), fmt.Sprintf("%d more; the log has them", n-maxWarnings+1))
	} else {
		r.Warnings = slices.Clone(r.Warnings)
	}
	for i, w := range r.Warnings {
		r.Warnings[i] = sentence(w)
	}
	return r
}
