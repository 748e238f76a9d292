package lake

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// pageValues is how many values of a list fill a page, and pageBytes how many bytes.
const (
	pageValues = 1 << 16
	pageBytes  = 1 << 20
)

var recordCodec = zstd.Codec{Level: zstd.SpeedFastest}

// A pageCount says how many there are in a page.
type pageCount struct {
	rows, values int // an absent value and an empty list count as a value
	absent       int
	rawBytes     int // of texts and bytes that have no dictionary
}

// A page is what is known of a finished page.
type page struct {
	pageCount

	low, high parquet.Value // null when all are absent
	size      int           // with its header
	plainSize int           // the same before compression
}

// A chunk is the finished pages of one column in a group of rows.
type chunk struct {
	leaf  *recordLeaf
	bytes []byte
	pages []page
	err   error
}

func (c *chunk) reset() { c.bytes, c.pages, c.err = c.bytes[:0], c.pages[:0], nil }

func (c *chunk) memory() int { return cap(c.bytes) + 120*cap(c.pages) }

// with returns the chunk with one more page. Its bytes are those of the chunk only as long as that gets no other page.
func (c *chunk) with(e *pageEncoder, n pageCount, low, high parquet.Value) chunk {
	if n.values == 0 {
		return *c
	}
	bytes, p, err := e.append(c.bytes, c.leaf, n, low, high)
	if err == nil {
		err = c.err
	}
	return chunk{leaf: c.leaf, bytes: bytes, pages: append(c.pages, p), err: err}
}

// A pageEncoder is the memory that encoding a page takes. The encoded levels and values of the page are left in it.
type pageEncoder struct {
	levels     []byte
	repetition int // how many of them are of repetition levels
	values     []byte

	compressed []byte
	header     bytes.Buffer
	thrift     *thrift.Encoder
}

var pageEncoders = sync.Pool{New: func() any {
	e := &pageEncoder{}
	e.thrift = thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&e.header))
	return e
}}

// setLevels encodes the levels of a page; goesOn is nil where values are no lists.
func (e *pageEncoder) setLevels(goesOn *levels, optional bool, there *levels) {
	e.levels = e.levels[:0]
	if goesOn != nil {
		e.levels = goesOn.appendTo(e.levels)
	}
	e.repetition = len(e.levels)
	if optional {
		e.levels = there.appendTo(e.levels)
	}
}

// append appends the page, and returns what is to be known of it.
func (e *pageEncoder) append(dst []byte, leaf *recordLeaf, n pageCount, low, high parquet.Value) ([]byte, page, error) {
	header := format.PageHeader{
		Type: format.DataPageV2,
		DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{
			NumValues: int32(n.values), NumNulls: int32(n.absent), NumRows: int32(n.rows), Encoding: leaf.encoding,
			DefinitionLevelsByteLength: int32(len(e.levels) - e.repetition), RepetitionLevelsByteLength: int32(e.repetition),
			IsCompressed: thrift.New(true), Statistics: statistics(int64(n.absent), low, high),
		}),
	}
	from := len(dst)
	dst, plain, err := e.appendPage(dst, &header)
	return dst, page{pageCount: n, low: low, high: high, size: len(dst) - from, plainSize: plain}, err
}

// appendDictionary appends the values as a page of a dictionary, and returns its size before compression.
func (e *pageEncoder) appendDictionary(dst []byte, texts int) ([]byte, int, error) {
	e.levels, e.repetition = e.levels[:0], 0
	return e.appendPage(dst, &format.PageHeader{
		Type:                 format.DictionaryPage,
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(texts), Encoding: format.Plain}),
	})
}

// appendPage appends a header and what it is of.
func (e *pageEncoder) appendPage(dst []byte, header *format.PageHeader) ([]byte, int, error) {
	var err error
	if e.compressed, err = recordCodec.Encode(e.compressed, e.values); err != nil {
		return dst, 0, fmt.Errorf("compress page: %w", err)
	}
	header.UncompressedPageSize = int32(len(e.levels) + len(e.values))
	header.CompressedPageSize = int32(len(e.levels) + len(e.compressed))
	header.CRC = int32(crc32.Update(crc32.ChecksumIEEE(e.levels), crc32.IEEETable, e.compressed))
	e.header.Reset()
	if err := e.thrift.Encode(header); err != nil {
		return dst, 0, fmt.Errorf("encode header of page: %w", err)
	}
	dst = slices.Grow(dst, e.header.Len()+len(e.levels)+len(e.compressed))
	dst = append(dst, e.header.Bytes()...)
	dst = append(dst, e.levels...)
	dst = append(dst, e.compressed...)
	return dst, e.header.Len() + len(e.levels) + len(e.values), nil
}

func statistics(absent int64, low, high parquet.Value) format.Statistics {
	s := format.Statistics{NullCount: absent}
	if !low.IsNull() { // empty bytes are bounds too
		s.MinValue, s.MaxValue = low.AppendBytes([]byte{}), high.AppendBytes([]byte{})
		s.Min, s.Max = s.MinValue, s.MaxValue
	}
	return s
}

// appendTo appends the pages to a group, the dictionary first, and says there what they are.
func (c *chunk) appendTo(g *recordGroup, dictionary []byte, dictionaryPlainSize int) error {
	at := int64(len(g.pages))
	g.pages = append(append(g.pages, dictionary...), c.bytes...)
	c.describe(g, at, len(dictionary), dictionaryPlainSize)
	return c.err
}

// describe adds the chunk to what is known of its group. It lies at the offset, its dictionary first.
func (c *chunk) describe(g *recordGroup, at int64, dictionarySize, dictionaryPlainSize int) {
	meta := c.leaf.meta
	meta.DataPageOffset = at + int64(dictionarySize)
	meta.TotalCompressedSize, meta.TotalUncompressedSize = int64(dictionarySize), int64(dictionaryPlainSize)
	if c.leaf.dictionary {
		meta.DictionaryPageOffset = at
		meta.EncodingStats = append(meta.EncodingStats, format.PageEncodingStats{PageType: format.DictionaryPage, Encoding: format.Plain, Count: 1})
	}
	meta.EncodingStats = append(meta.EncodingStats,
		format.PageEncodingStats{PageType: format.DataPageV2, Encoding: c.leaf.encoding, Count: int32(len(c.pages))})
	indexer := c.leaf.typ.NewColumnIndexer(parquet.DefaultColumnIndexSizeLimit)
	var whole page
	var repetition, definition []int64 // page by page, how often each level is there
	var offsets format.OffsetIndex
	for i := range c.pages {
		p := &c.pages[i]
		indexer.IndexPage(int64(p.values), int64(p.absent), p.low, p.high)
		offsets.PageLocations = append(offsets.PageLocations, format.PageLocation{
			Offset: meta.DataPageOffset + int64(whole.size), CompressedPageSize: int32(p.size), FirstRowIndex: int64(whole.rows),
		})
		repetition = append(repetition, int64(p.rows), int64(p.values-p.rows))
		definition = append(definition, int64(p.absent), int64(p.values-p.absent))
		whole.add(p, c.leaf.typ)
	}
	meta.NumValues = int64(whole.values)
	meta.TotalCompressedSize += int64(whole.size)
	meta.TotalUncompressedSize += int64(whole.plainSize)
	meta.Statistics = statistics(int64(whole.absent), whole.low, whole.high)
	meta.Statistics.Min, meta.Statistics.Max = nil, nil
	meta.SizeStatistics.UnencodedByteArrayDataBytes = int64(whole.rawBytes)
	index := indexer.ColumnIndex()
	if c.leaf.repeated {
		index.RepetitionLevelHistogram = repetition
		meta.SizeStatistics.RepetitionLevelHistogram = []int64{int64(whole.rows), int64(whole.values - whole.rows)}
	}
	if c.leaf.optional {
		index.DefinitionLevelHistogram = definition
		meta.SizeStatistics.DefinitionLevelHistogram = []int64{int64(whole.absent), int64(whole.values - whole.absent)}
	}
	g.columns = append(g.columns, format.ColumnChunk{MetaData: meta})
	g.columnIndexes = append(g.columnIndexes, index)
	g.offsetIndexes = append(g.offsetIndexes, offsets)
}

// add counts another page in.
func (p *page) add(o *page, typ parquet.Type) {
	p.rows, p.values, p.absent, p.rawBytes = p.rows+o.rows, p.values+o.values, p.absent+o.absent, p.rawBytes+o.rawBytes
	p.size, p.plainSize = p.size+o.size, p.plainSize+o.plainSize
	if o.low.IsNull() {
		return
	}
	if p.low.IsNull() || typ.Compare(o.low, p.low) < 0 {
		p.low = o.low
	}
	if p.high.IsNull() || typ.Compare(o.high, p.high) > 0 {
		p.high = o.high
	}
}
