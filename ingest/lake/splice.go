package lake

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
)

// ErrUnlike is returned by ReadGroups and Splice for files that are not of one schema and one writer, or are laid out as none that is
// known here.
var ErrUnlike = errors.New("the files are not alike enough to make one of their groups of rows")

// A RowGroup is a group of rows of a data file.
type RowGroup struct {
	Rows int64
	// The values of the column that was asked for lie between these two, both included; "" and IsBounded false when the
	// file does not say.
	Lower, Upper string
	IsBounded    bool
}

// A GroupedFile is a data file, some megabytes, and where its groups of rows lie.
type GroupedFile struct {
	Groups []RowGroup

	data, footer []byte
	groups       []fileGroup
}

// ReadGroups reads the data file at path, with the bounds of a column of text in its groups.
func ReadGroups(path, column string) (*GroupedFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read data file: %w", err)
	}
	f, err := parseGroups(data, column)
	if err != nil {
		return nil, fmt.Errorf("read footer of data file: %w", err)
	}
	return f, nil
}

// Splice writes to dst the file with the groups of rows of the data file at patch in the place of its own groups [from, to).
// The groups that stay are copied as they are: nothing of them is decoded.
func (f *GroupedFile) Splice(dst, patch string, from, to int) error {
	fresh, err := ReadGroups(patch, "")
	if err != nil {
		return err
	}
	if !bytes.Equal(f.footerWith(0, nil), fresh.footerWith(0, nil)) {
		return ErrUnlike
	}
	if from < 0 || from > to || to > len(f.groups) {
		return fmt.Errorf("splice groups %d to %d of %d", from, to, len(f.groups))
	}
	w := splicer{file: []byte(magic)}
	w.add(f, f.groups[:from])
	w.add(fresh, fresh.groups)
	w.add(f, f.groups[to:])
	if err := os.WriteFile(dst, w.finish(f), 0o600); err != nil {
		return fmt.Errorf("write spliced file: %w", err)
	}
	return nil
}

// A fileGroup is a group, and what the footer has of it.
type fileGroup struct {
	RowGroup

	raw    []byte    // of the footer
	pages  byteRange // of all columns
	blooms []byteRange
}

// A byteRange is a part of a file.
type byteRange struct{ from, to int64 }

func (s byteRange) isIn(data []byte) bool {
	return s.from >= 0 && s.from <= s.to && s.to <= int64(len(data))
}

func parseGroups(data []byte, column string) (*GroupedFile, error) {
	footer, err := footerBytes(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	if !bytes.HasSuffix(data, []byte(magic)) {
		return nil, errThrift
	}
	f := &GroupedFile{data: data, footer: footer}
	c := thriftCopier{in: f.footer}
	c.structure(func(id int64, kind byte) bool {
		if id != footerRowGroups || kind != thriftList {
			return false
		}
		c.listOf(thriftStruct, func() {
			g := readGroup(&c, column)
			f.groups, f.Groups = append(f.groups, g), append(f.Groups, g.RowGroup)
		})
		return true
	})
	if c.err != nil {
		return nil, c.err
	}
	for _, g := range f.groups {
		for _, r := range append(g.blooms, g.pages) {
			if !r.isIn(data) {
				return nil, ErrUnlike
			}
		}
	}
	return f, nil
}

// The fields of a footer that say where something lies or how much there is, by their numbers in the structures of Parquet.
const (
	footerRows      = 3
	footerRowGroups = 4

	groupColumns    = 1
	groupRows       = 3
	groupFileOffset = 5
	groupOrdinal    = 7

	chunkFilePath     = 1
	chunkFileOffset   = 2
	chunkMeta         = 3
	chunkOffsetIndex  = 4
	chunkColumnIndex  = 6
	chunkCryptoMeta   = 8
	chunkCryptedMeta  = 9
	metaPath          = 3
	metaBytes         = 7
	metaDataPage      = 9
	metaIndexPage     = 10
	metaDictionary    = 11
	metaStatistics    = 12
	metaBloomFilter   = 14
	metaBloomLength   = 15
	statisticsMaximum = 5
	statisticsMinimum = 6
)

// A place is what of a group depends on where it lies.
type place int

const (
	placeRows    place = iota // how many; no place, but read with them
	placeOrdinal              // of the group among the groups
	placePages                // where some pages of a column begin
	placeBytes                // how long all of them are
	placeOther                // where something of the group begins that its columns tell too
	placeBloom                // where a Bloom filter lies
	placeBloomLength
)

// copyGroup copies what a footer says of a group, with places changed, and calls column behind each of its columns.
func copyGroup(c *thriftCopier, change func(p place, v int64) int64, column func(path string, low, high []byte)) {
	number := func(p place, kind byte) bool {
		if isThriftInteger(kind) {
			c.integer(func(v int64) int64 { return change(p, v) })
		}
		return isThriftInteger(kind)
	}
	c.structure(func(id int64, kind byte) bool {
		switch {
		case id == groupColumns && kind == thriftList:
			c.listOf(thriftStruct, func() { copyChunk(c, number, column) })
			return true
		case id == groupRows:
			return number(placeRows, kind)
		case id == groupFileOffset:
			return number(placeOther, kind)
		case id == groupOrdinal:
			return number(placeOrdinal, kind)
		}
		return false
	})
}

func copyChunk(c *thriftCopier, number func(p place, kind byte) bool, column func(path string, low, high []byte)) {
	c.structure(func(id int64, kind byte) bool {
		switch id {
		case chunkFileOffset:
			return number(placeOther, kind)
		case chunkMeta:
			if kind == thriftStruct {
				copyMeta(c, number, column)
				return true
			}
		case chunkFilePath, chunkOffsetIndex, chunkColumnIndex, chunkCryptoMeta, chunkCryptedMeta:
			c.err = ErrUnlike // indexes of pages lie elsewhere, and DuckDB writes none
		}
		return false
	})
}

func copyMeta(c *thriftCopier, number func(p place, kind byte) bool, column func(path string, low, high []byte)) {
	var path []string
	var low, high []byte
	c.structure(func(id int64, kind byte) bool {
		switch {
		case id == metaPath && kind == thriftList:
			c.listOf(thriftBinary, func() { path = append(path, string(c.text())) })
			return true
		case id == metaBytes:
			return number(placeBytes, kind)
		case id == metaDataPage, id == metaDictionary:
			return number(placePages, kind)
		case id == metaIndexPage:
			return number(placeOther, kind)
		case id == metaStatistics && kind == thriftStruct:
			c.structure(func(id int64, kind byte) bool {
				switch {
				case id == statisticsMaximum && kind == thriftBinary:
					high = c.text()
				case id == statisticsMinimum && kind == thriftBinary:
					low = c.text()
				default:
					return false
				}
				return true
			})
			return true
		case id == metaBloomFilter:
			return number(placeBloom, kind)
		case id == metaBloomLength:
			return number(placeBloomLength, kind)
		}
		return false
	})
	column(strings.Join(path, "."), low, high)
}

// readGroup reads what a footer says of a group, with the bounds of a column.
func readGroup(c *thriftCopier, column string) fileGroup {
	raw := c.in
	g := fileGroup{pages: byteRange{math.MaxInt64, 0}}
	start, size := int64(math.MaxInt64), int64(0)
	copyGroup(c, func(p place, v int64) int64 {
		switch p {
		case placeRows:
			g.Rows = v
		case placePages:
			if v > 0 { // what is not there is sometimes said to lie at 0
				start = min(start, v)
			}
		case placeBytes:
			size = v
		case placeBloom:
			g.blooms = append(g.blooms, byteRange{v, v})
		case placeBloomLength:
			if n := len(g.blooms); n > 0 {
				g.blooms[n-1].to = g.blooms[n-1].from + v
			}
		case placeOrdinal, placeOther:
		}
		return v
	}, func(path string, low, high []byte) {
		g.pages = byteRange{min(g.pages.from, start), max(g.pages.to, start+size)}
		start = math.MaxInt64
		if path == column && low != nil && high != nil {
			g.Lower, g.Upper, g.IsBounded = string(low), string(high), true
		}
	})
	g.raw = raw[:len(raw)-len(c.in)]
	for _, b := range g.blooms {
		if b.from == b.to {
			c.err = cmp.Or(c.err, ErrUnlike) // its length stands before it alone
		}
	}
	return g
}

// A splicer puts a file together.
type splicer struct {
	file   []byte
	groups []spliced
	rows   int64
}

// A spliced group lies elsewhere than it did.
type spliced struct {
	fileGroup

	from *GroupedFile
	by   int64 // how much further back
}

func (s *splicer) add(f *GroupedFile, groups []fileGroup) {
	for _, g := range groups {
		s.groups = append(s.groups, spliced{g, f, int64(len(s.file)) - g.pages.from})
		s.file = append(s.file, f.data[g.pages.from:g.pages.to]...)
		s.rows += g.Rows
	}
}

// finish writes what stands behind the groups: Bloom filters and the footer, which is that of a file but for the groups.
func (s *splicer) finish(like *GroupedFile) []byte {
	raws := make([][]byte, len(s.groups))
	for i, g := range s.groups {
		blooms := make([]int64, 0, len(g.blooms))
		for _, b := range g.blooms {
			blooms = append(blooms, int64(len(s.file)))
			s.file = append(s.file, g.from.data[b.from:b.to]...)
		}
		c := thriftCopier{in: g.raw}
		copyGroup(&c, func(p place, v int64) int64 {
			switch p {
			case placePages, placeOther:
				if v > 0 {
					v += g.by
				}
			case placeOrdinal:
				v = int64(i)
			case placeBloom:
				v, blooms = blooms[0], blooms[1:]
			case placeRows, placeBytes, placeBloomLength:
			}
			return v
		}, func(string, []byte, []byte) {})
		raws[i] = c.out
	}
	footer := like.footerWith(s.rows, raws)
	s.file = append(s.file, footer...)
	s.file = binary.LittleEndian.AppendUint32(s.file, uint32(len(footer)))
	return append(s.file, magic...)
}

// footerWith returns the file's footer with other groups in it.
func (f *GroupedFile) footerWith(rows int64, groups [][]byte) []byte {
	c := thriftCopier{in: f.footer}
	c.structure(func(id int64, kind byte) bool {
		switch {
		case id == footerRows && isThriftInteger(kind):
			c.integer(func(int64) int64 { return rows })
		case id == footerRowGroups && kind == thriftList:
			c.replaceList(groups)
		default:
			return false
		}
		return true
	})
	return c.out
}
