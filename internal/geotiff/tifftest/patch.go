package tifftest

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// File is a TIFF to be broken. Its methods return changed copies, so that they chain; they panic where the file has not
// what is to be changed, which is a mistake of the test. IFDs are numbered from 0 along the chain.
type File []byte

func (f File) order() binary.ByteOrder {
	if f[0] == 'M' {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (f File) big() bool { return f.order().Uint16(f[2:]) == 43 }

// offset reads a number as wide as the file's offsets.
func (f File) offset(at uint64) uint64 {
	if f.big() {
		return f.order().Uint64(f[at:])
	}
	return uint64(f.order().Uint32(f[at:]))
}

// with returns a copy with such a number changed.
func (f File) with(at, v uint64) File {
	f = bytes.Clone(f)
	if f.big() {
		f.order().PutUint64(f[at:], v)
	} else {
		f.order().PutUint32(f[at:], uint32(v))
	}
	return f
}

// firstAt is where the offset of the first IFD stands.
func (f File) firstAt() uint64 {
	if f.big() {
		return 8
	}
	return 4
}

// layout tells where the entries of IFD i begin, how many there are, how long each is, and where the offset of the next
// IFD stands.
func (f File) layout(i int) (entries, count, size, next uint64) {
	at := f.firstAt()
	for ; ; i-- {
		at = f.offset(at)
		if at == 0 {
			panic("tifftest: no such IFD")
		}
		if f.big() {
			entries, count, size = at+8, f.order().Uint64(f[at:]), 20
		} else {
			entries, count, size = at+2, uint64(f.order().Uint16(f[at:])), 12
		}
		next = entries + count*size
		if i == 0 {
			return entries, count, size, next
		}
		at = next
	}
}

// entry tells where the entry of a tag in IFD i stands.
func (f File) entry(i int, tag uint16) uint64 {
	entries, count, size, _ := f.layout(i)
	for e := range count {
		if at := entries + e*size; f.order().Uint16(f[at:]) == tag {
			return at
		}
	}
	panic(fmt.Sprintf("tifftest: IFD %d has no tag %d", i, tag))
}

// IFD is the offset of IFD i.
func (f File) IFD(i int) uint64 {
	entries, _, size, _ := f.layout(i)
	if size == 20 {
		return entries - 8
	}
	return entries - 2
}

// First moves the offset of the first IFD.
func (f File) First(at uint64) File { return f.with(f.firstAt(), at) }

// NextAt is where the offset of the IFD that follows IFD i stands.
func (f File) NextAt(i int) uint64 {
	_, _, _, next := f.layout(i)
	return next
}

// Next sets the offset of the IFD that follows IFD i.
func (f File) Next(i int, at uint64) File {
	_, _, _, next := f.layout(i)
	return f.with(next, at)
}

// Entries sets the number of entries of IFD i.
func (f File) Entries(i int, n uint64) File {
	at := f.IFD(i)
	if f.big() {
		return f.with(at, n)
	}
	f = bytes.Clone(f)
	f.order().PutUint16(f[at:], uint16(n))
	return f
}

// Retag gives an entry of IFD i another tag number.
func (f File) Retag(i int, tag, to uint16) File {
	at := f.entry(i, tag)
	f = bytes.Clone(f)
	f.order().PutUint16(f[at:], to)
	return f
}

// Type sets the field type of an entry of IFD i.
func (f File) Type(i int, tag, typ uint16) File {
	at := f.entry(i, tag)
	f = bytes.Clone(f)
	f.order().PutUint16(f[at+2:], typ)
	return f
}

// Count sets the number of values of an entry of IFD i.
func (f File) Count(i int, tag uint16, n uint64) File { return f.with(f.entry(i, tag)+4, n) }

// Value sets the value field of an entry of IFD i, which holds an offset or up to 4 (BigTIFF: 8) bytes of values.
func (f File) Value(i int, tag uint16, v uint64) File {
	at := f.entry(i, tag) + 8
	if f.big() {
		at += 4
	}
	return f.with(at, v)
}

// Short sets the value of an entry of IFD i that holds one SHORT.
func (f File) Short(i int, tag, v uint16) File {
	at := f.inline(i, tag)
	f = bytes.Clone(f)
	f.order().PutUint16(f[at:], v)
	return f
}

// Long sets the value of an entry of IFD i that holds one LONG.
func (f File) Long(i int, tag uint16, v uint32) File {
	at := f.inline(i, tag)
	f = bytes.Clone(f)
	f.order().PutUint32(f[at:], v)
	return f
}

// inline tells where an entry holds a value that fits into it.
func (f File) inline(i int, tag uint16) uint64 {
	at := f.entry(i, tag) + 8
	if f.big() {
		at += 4
	}
	return at
}

// Cut ends the file after n bytes.
func (f File) Cut(n int) File { return bytes.Clone(f[:n]) }

// Replace changes the first stretch of bytes that is old, which must be as long as the new one.
func (f File) Replace(old, to string) File {
	if len(old) != len(to) || !bytes.Contains(f, []byte(old)) {
		panic(fmt.Sprintf("tifftest: %q cannot be replaced", old))
	}
	return bytes.Replace(f, []byte(old), []byte(to), 1)
}
