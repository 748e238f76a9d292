package fitabase

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/diurna-health/diurna/ingest/imports"
)

// maxLineBytes is several times the longest row of any kind.
const maxLineBytes = 64 << 10

// reportEvery is after how many lines progress is told and the context looked at.
const reportEvery = 4096

// A file is one of the export's files.
type file struct {
	name, path string
	bytes      int64
	kind       *kind
}

// errLongLine is returned by lines.next for a line that no row can be; the line is passed over.
var errLongLine = errors.New("the line is too long for a row")

// lines reads a file line by line, gzipped or not, with or without a byte order mark, ended by LF or CRLF.
type lines struct {
	disk   *os.File
	read   int64 // bytes taken from the disk
	unzip  *gzip.Reader
	buf    *bufio.Reader
	number int // of the line last returned
}

func openLines(path string) (*lines, error) {
	disk, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	l := &lines{disk: disk}
	l.buf = bufio.NewReaderSize(readerFunc(l.readDisk), maxLineBytes)
	if head, _ := l.buf.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		if l.unzip, err = gzip.NewReader(l.buf); err != nil {
			return nil, errors.Join(err, disk.Close())
		}
		l.buf = bufio.NewReaderSize(l.unzip, maxLineBytes)
	}
	if head, _ := l.buf.Peek(3); bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		if _, err := l.buf.Discard(3); err != nil {
			return nil, errors.Join(err, disk.Close())
		}
	}
	return l, nil
}

// next returns the next line without its end. The error is io.EOF at the end of the file.
func (l *lines) next() (string, error) {
	line, err := l.buf.ReadSlice('\n')
	l.number++
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = l.buf.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return "", errLongLine
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

func (l *lines) close() error { return l.disk.Close() }

func (l *lines) readDisk(p []byte) (int, error) {
	n, err := l.disk.Read(p)
	l.read += int64(n)
	return n, err
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// sniff returns the kind of the file by its header; nil when it is of none.
func sniff(path string) (*kind, error) {
	l, err := openLines(path)
	if err != nil {
		if errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, nil //nolint:nilnil // something else whose first bytes look like gzip: of no kind, and no error
		}
		return nil, err
	}
	defer l.close() //nolint:errcheck // only read from
	header, err := l.next()
	if err != nil {
		return nil, nil //nolint:nilnil // empty, or no text: of no kind
	}
	return kindOf(splitRow(header)), nil
}

func (e *export) readFile(ctx context.Context, f file) error {
	before := e.progress.BytesRead
	defer func() {
		e.progress.BytesRead = before + f.bytes
		e.report()
	}()
	l, err := openLines(f.path)
	if err != nil {
		e.problem(imports.Problem{File: f.name, Message: "cannot be opened: " + plain(err)})
		return nil
	}
	defer l.close() //nolint:errcheck // only read from
	header, err := l.next()
	if err != nil {
		e.problem(imports.Problem{File: f.name, Message: "cannot be read: " + plain(err)})
		return nil
	}

	rows := newRowReader(e, f, splitRow(header))
	for {
		line, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLongLine):
			e.problem(imports.Problem{File: f.name, Line: l.number, Message: errLongLine.Error()})
			continue
		case err != nil:
			// A cut-off download: the rows before the cut are whole, and kept.
			e.problem(imports.Problem{File: f.name, Line: l.number, Message: "the file cannot be read from here on: " + plain(err)})
			return nil
		}
		if l.number%reportEvery == 0 {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("read export: %w", err)
			}
			e.progress.BytesRead = before + l.read
			e.report()
		}
		if strings.Trim(line, ", \t") == "" {
			continue
		}
		if err := rows.take(line); err != nil {
			e.problem(imports.Problem{File: f.name, Line: l.number, Message: err.Error()})
		}
	}
}

// splitRow returns the cells of a line.
func splitRow(line string) []string {
	cells := strings.Split(line, ",")
	for i, c := range cells {
		c = strings.TrimSpace(c)
		if len(c) >= 2 && c[0] == '"' && c[len(c)-1] == '"' {
			c = strings.TrimSpace(c[1 : len(c)-1])
		}
		cells[i] = c
	}
	return cells
}
