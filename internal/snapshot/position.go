package snapshot

import (
	"fmt"
	"strconv"
	"strings"
)

// A Position is a place between two Items of a Snapshot in key order: before Item number Item, from 0, of the manifest's
// row Row. The zero Position is before the first. It means nothing without the Snapshot's fence, which its user has to
// keep beside it.
type Position struct{ Row, Item int }

// String is the Position in letters and digits and a dot, for a page token.
func (p Position) String() string {
	return strconv.FormatInt(int64(p.Row), 36) + "." + strconv.FormatInt(int64(p.Item), 36)
}

// ParsePosition is the inverse of String. It takes nothing else: not another spelling of the same numbers.
func ParsePosition(s string) (Position, error) {
	row, item, _ := strings.Cut(s, ".")
	r, err1 := strconv.ParseUint(row, 36, 31)
	i, err2 := strconv.ParseUint(item, 36, 31)
	p := Position{int(r), int(i)}
	if err1 != nil || err2 != nil || p.String() != s {
		return Position{}, fmt.Errorf("%q is no position", s)
	}
	return p, nil
}
