package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/term"
)

// A sheet is text for people, no wider than it should be. A word that does not fit stands on a line of its own.
type sheet struct {
	w     io.Writer
	width int // characters
}

// Widths of a sheet: the limits on a terminal, and what holds elsewhere.
const (
	leastWidth = 40
	mostWidth  = 120
	plainWidth = 100
)

// sheetWidth is how wide a sheet is that ends up at out; live tells whether that is a terminal.
func sheetWidth(out io.Writer) (width int, live bool) {
	if f, ok := out.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return max(leastWidth, min(width, mostWidth)), true
		}
	}
	return plainWidth, false
}

// line writes a label and what belongs to it.
func (s sheet) line(label, format string, args ...any) {
	s.hang(fmt.Sprintf("  %-10s ", label), fmt.Sprintf(format, args...))
}

// row writes a number and of what there are so many.
func (s sheet) row(n int, text string) { s.hang(fmt.Sprintf("  %9s  ", number(n)), text) }

// hang writes a text behind a head. Its further lines begin where the first does.
func (s sheet) hang(head, text string) {
	indent := utf8.RuneCountInString(head)
	var b strings.Builder
	b.WriteString(head)
	at := indent
	for i, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > s.width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	fmt.Fprintln(s.w, b.String())
}

// innermost is an array or object of indented JSON that holds no other. No string of JSON holds a line break.
var innermost = regexp.MustCompile(`[\[{]\n[^\[\]{}]*[\]}]`)

// json writes JSON, indented. What is short is not broken up, and what a terminal might obey is escaped.
func (s sheet) json(text []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(text), "", "  "); err != nil {
		return err
	}
	short := innermost.ReplaceAllFunc(b.Bytes(), func(value []byte) []byte {
		last := len(value) - 1
		var items []string
		for line := range strings.Lines(string(value[2:last])) {
			items = append(items, strings.TrimSpace(line))
		}
		one := string(value[0]) + strings.TrimSpace(strings.Join(items, " ")) + string(value[last])
		if len(one) > s.width/2 {
			return value
		}
		return []byte(one)
	})
	_, err := fmt.Fprintln(s.w, escapeUnprintable(string(short)))
	return err
}

// escapeUnprintable writes as JSON's escapes what is not printable, other than line breaks. In JSON that is only within strings.
func escapeUnprintable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\n' || strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
