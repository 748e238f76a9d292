package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

const jsonSpace = " \t\r\n"

// A document is what a file holds one or many of: bytes that should be a sync batch.
type document struct {
	line        int // on which it begins
	data        []byte
	contentType string
}

// documents yields the documents of a file: the whole file when it is not JSON, else every JSON document in it, whether
// on a line of its own or not. What is not even a document comes with an error that says so; after it comes whatever
// begins a line with a brace, so that one broken line costs no other.
func documents(file []byte) iter.Seq2[document, error] {
	return func(yield func(document, error) bool) {
		data := bytes.TrimPrefix(file, []byte("\ufeff")) // some editors put this mark before JSON
		text := bytes.TrimLeft(data, jsonSpace)
		switch {
		case len(text) == 0:
			yield(document{line: 1}, errors.New("nothing is in it"))
		case text[0] == '[' && json.Valid(text):
			yield(document{line: 1}, errors.New("this is a JSON list: give its sync batches one after another, without brackets"))
		case text[0] != '{':
			yield(document{line: 1, data: data, contentType: syncv1.ContentTypeProto}, nil)
		default:
			eachJSON(data, yield)
		}
	}
}

func eachJSON(data []byte, yield func(document, error) bool) {
	line := 1
	skip := func(n int) {
		line += bytes.Count(data[:n], []byte("\n"))
		data = data[n:]
	}
	for {
		skip(len(data) - len(bytes.TrimLeft(data, jsonSpace)))
		if len(data) == 0 {
			return
		}
		doc := document{line: line, contentType: syncv1.ContentTypeJSON}
		var raw json.RawMessage
		decoder := json.NewDecoder(bytes.NewReader(data))
		if err := decoder.Decode(&raw); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = errors.New("it has no end")
			}
			if !yield(doc, fmt.Errorf("this is not JSON: %w", err)) {
				return
			}
			next := bytes.Index(data, []byte("\n{"))
			if next < 0 {
				return
			}
			skip(next + 1)
			continue
		}
		doc.data = raw
		if !yield(doc, nil) {
			return
		}
		skip(int(decoder.InputOffset()))
	}
}

// decode returns the sync batch that the document is.
func (d document) decode() (*syncv1.Batch, error) {
	b, err := syncv1.Decode(d.contentType, d.data)
	if err != nil && d.contentType == syncv1.ContentTypeProto {
		return nil, fmt.Errorf("%w, and JSON would begin with a brace", err)
	}
	return b, err
}
