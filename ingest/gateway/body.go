package gateway

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/klauspost/compress/zstd"

	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// A form is how a body holds its batches.
type form int

const (
	formJSON form = iota // one object, or an array of them
	formLines
	formProto
	formDelimited // protobuf messages, each behind its length as a varint
)

// The media types of bodies, beside those of a single batch.
const (
	typeLines    = "application/x-ndjson"
	typeProto    = "application/protobuf" // the registered name of what Kafka's header calls application/x-protobuf
	paramForm    = "encoding"
	formAsStream = "delimited"
)

// formOf reads the content type of a request.
func formOf(contentType string) (form, error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		media = ""
	}
	switch media {
	case syncv1.ContentTypeJSON:
		return formJSON, nil
	case typeLines, "application/ndjson":
		return formLines, nil
	case syncv1.ContentTypeProto, typeProto:
		if params[paramForm] == formAsStream {
			return formDelimited, nil
		}
		return formProto, nil
	default:
		return 0, refuse(http.StatusUnsupportedMediaType, codeMediaType,
			"the content type is none of application/json, application/x-ndjson, application/x-protobuf and application/x-protobuf;encoding=delimited")
	}
}

// unpack returns a reader of the body's plain bytes. release gives back what it holds.
func unpack(encoding string, body io.Reader, maxBytes int64) (plain io.Reader, release func(), err error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return body, func() {}, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, nil, unpacking(err)
		}
		return z, func() { _ = z.Close() }, nil // only read from
	case "zstd":
		// The window decides what a decoder allocates before the first byte comes out: 8 MiB is what RFC 9659 lets
		// senders use.
		z, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderMaxMemory(uint64(maxBytes)+1))
		if err != nil {
			return nil, nil, unpacking(err)
		}
		return z, z.Close, nil
	default:
		return nil, nil, refuse(http.StatusUnsupportedMediaType, codeMediaType, "the content encoding is neither gzip nor zstd")
	}
}

// readBody reads a request's body to its end, unpacked, and charges the memory for it as it comes.
func readBody(w http.ResponseWriter, r *http.Request, limits Limits, charge *charge) ([]byte, error) {
	packed := http.MaxBytesReader(w, r.Body, limits.PackedBytes)
	plain, release, err := unpack(r.Header.Get("Content-Encoding"), packed, limits.BodyBytes)
	if err != nil {
		return nil, err
	}
	defer release()
	var body bytes.Buffer
	chunk := make([]byte, 64<<10)
	for {
		n, err := plain.Read(chunk)
		if int64(body.Len()+n) > limits.BodyBytes {
			return nil, tooLarge(limits.BodyBytes, "unpacked")
		}
		// A buffer that grows doubles: what it may come to is charged, not what is in it.
		if !charge.grow(2 * int64(n)) {
			return nil, errBusy()
		}
		body.Write(chunk[:n])
		if errors.Is(err, io.EOF) {
			return body.Bytes(), nil
		}
		if err != nil {
			return nil, unpacking(err)
		}
	}
}

// unpacking turns an error of reading a body into what its sender is told.
func unpacking(err error) error {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(large.Limit, "as sent")
	}
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return refuse(http.StatusRequestEntityTooLarge, codeTooLarge, "the body unpacks to more than a body may have, or needs too large a window: send fewer batches at a time")
	}
	return refuse(http.StatusBadRequest, codeBody, "the body could not be read to its end, or is not packed as its content encoding says")
}

func tooLarge(limit int64, how string) error {
	return refuse(http.StatusRequestEntityTooLarge, codeTooLarge,
		fmt.Sprintf("the body has more than %d bytes %s: send fewer batches at a time", limit, how))
}

// A document is bytes of a body that should be a sync batch. They share memory with the body.
type document struct {
	data        []byte
	contentType string
}

// split cuts a body into documents, at most limit. It finds where each begins and ends; whether it is a batch is the
// decoder's to say. A body whose frame is broken is refused whole, for nobody can say which of its parts were meant.
func split(f form, body []byte, limit int) ([]document, error) {
	var docs []document
	var err error
	switch f {
	case formJSON:
		docs, err = splitJSON(body, limit)
	case formLines:
		docs, err = splitLines(body, limit)
	case formProto:
		docs = []document{{body, syncv1.ContentTypeProto}}
	case formDelimited:
		docs, err = splitDelimited(body, limit)
	}
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 || len(docs) == 1 && len(docs[0].data) == 0 {
		return nil, refuse(http.StatusBadRequest, codeBody, "the body holds no sync batch")
	}
	return docs, nil
}

func tooMany(limit int) error {
	return refuse(http.StatusRequestEntityTooLarge, codeTooLarge,
		fmt.Sprintf("the body holds more than %d batches: send fewer at a time", limit))
}

const jsonSpace = " \t\r\n"

// splitJSON takes an object as it is and an array apart.
func splitJSON(body []byte, limit int) ([]document, error) {
	text := bytes.Trim(bytes.TrimPrefix(body, []byte("\ufeff")), jsonSpace) // some editors put this mark before JSON
	if len(text) == 0 || text[0] != '[' {
		return []document{{text, syncv1.ContentTypeJSON}}, nil
	}
	broken := refuse(http.StatusBadRequest, codeBody, "the body is no JSON array of sync batches, or has no end")
	var docs []document
	rest := bytes.TrimLeft(text[1:], jsonSpace)
	if bytes.HasPrefix(rest, []byte("]")) {
		rest = rest[1:]
	} else {
		for more := true; more; {
			end := valueEnd(rest)
			if end <= 0 {
				return nil, broken
			}
			if len(docs) == limit {
				return nil, tooMany(limit)
			}
			docs = append(docs, document{bytes.TrimRight(rest[:end], jsonSpace), syncv1.ContentTypeJSON})
			more = rest[end] == ','
			rest = bytes.TrimLeft(rest[end+1:], jsonSpace)
		}
	}
	if len(rest) > 0 {
		return nil, broken
	}
	return docs, nil
}

// valueEnd returns where the comma or bracket stands that ends the value at the beginning of s, -1 when there is none.
// It knows of JSON only what nests and what hides: brackets and strings.
func valueEnd(s []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case depth == 0 && (c == ',' || c == ']'):
			return i
		case c == '}' || c == ']':
			depth--
		}
		if depth < 0 {
			return -1
		}
	}
	return -1
}

// splitLines takes every line that is not empty for a document.
func splitLines(body []byte, limit int) ([]document, error) {
	var docs []document
	for line := range bytes.Lines(bytes.TrimPrefix(body, []byte("\ufeff"))) {
		if line = bytes.Trim(line, jsonSpace); len(line) == 0 {
			continue
		}
		if len(docs) == limit {
			return nil, tooMany(limit)
		}
		docs = append(docs, document{line, syncv1.ContentTypeJSON})
	}
	return docs, nil
}

// splitDelimited reads length, message, length, message ...
func splitDelimited(body []byte, limit int) ([]document, error) {
	var docs []document
	for len(body) > 0 {
		size, n := binary.Uvarint(body)
		if n <= 0 || size > uint64(len(body)-n) {
			return nil, refuse(http.StatusBadRequest, codeBody,
				fmt.Sprintf("message %d of the body is shorter than its length says", len(docs)))
		}
		if len(docs) == limit {
			return nil, tooMany(limit)
		}
		end := n + int(size)
		docs = append(docs, document{body[n:end:end], syncv1.ContentTypeProto})
		body = body[end:]
	}
	return docs, nil
}
