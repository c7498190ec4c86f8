package geotiff

import "fmt"

// Codes of a FormatError. They are stable: the Item layer makes Rejects of them.
const (
	CodeNotTIFF   = "not_tiff"  // the file does not begin as a TIFF or BigTIFF does
	CodeTruncated = "truncated" // something that must be read lies past the end of the file
	CodeMalformed = "malformed" // a TIFF, but its first image cannot be described
)

// A FormatError says that the bytes are no raster that can be described. It is a fact about the file: reading it again
// gives the same. A failed read is never a FormatError.
type FormatError struct {
	Code string // one of the Code constants
	Msg  string // a sentence that names the place, without the file's name
}

func (e *FormatError) Error() string { return e.Msg }

func notTIFF(format string, args ...any) error {
	return &FormatError{CodeNotTIFF, fmt.Sprintf(format, args...)}
}

func truncated(format string, args ...any) error {
	return &FormatError{CodeTruncated, fmt.Sprintf(format, args...)}
}

func malformed(format string, args ...any) error {
	return &FormatError{CodeMalformed, fmt.Sprintf(format, args...)}
}
