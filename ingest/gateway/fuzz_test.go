package gateway

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// fuzzLimit is how many batches a fuzzed body may hold.
const fuzzLimit = 50

func FuzzSplitJSON(f *testing.F) {
	for _, seed := range []string{
		`{"batch_id":"1"}`, `[{"a":1},{"b":[2,"]"]}]`, ` [ {} , {"x":"\"},{"} ] `, "[]", "[,]", "[{}]]", "[[[", "\ufeff[{}]", `["`, `["\`, "", "[1 2]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		docs, err := splitJSON(body, fuzzLimit)
		checkDocuments(t, body, docs, err)
		var want []json.RawMessage
		valid := json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &want) == nil && want != nil
		if !valid || len(want) > fuzzLimit {
			return
		}
		if err != nil || len(docs) != len(want) {
			t.Fatalf("of an array of %d values there are %d documents: %v", len(want), len(docs), err)
		}
		for i := range want {
			if !bytes.Equal(docs[i].data, bytes.Trim(want[i], jsonSpace)) {
				t.Errorf("document %d is %q, the array has %q", i, docs[i].data, want[i])
			}
		}
	})
}

func FuzzSplitLines(f *testing.F) {
	f.Add([]byte("{}\n{}\r\n\n {\"a\":1} "))
	f.Add([]byte("\ufeff{}\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		docs, err := splitLines(body, fuzzLimit)
		checkDocuments(t, body, docs, err)
		for _, d := range docs {
			if bytes.ContainsRune(d.data, '\n') || len(d.data) == 0 {
				t.Errorf("%q is no line", d.data)
			}
		}
	})
}

func FuzzSplitDelimited(f *testing.F) {
	f.Add([]byte{2, 1, 2, 0, 1, 7})
	f.Add([]byte{5, 1})
	f.Add(bytes.Repeat([]byte{0xff}, 12))
	f.Fuzz(func(t *testing.T, body []byte) {
		docs, err := splitDelimited(body, fuzzLimit)
		checkDocuments(t, body, docs, err)
		if err != nil {
			return
		}
		// Lengths may be written longer than need be, so the messages are compared, not the bytes around them.
		var again []byte
		for _, d := range docs {
			again = append(binary.AppendUvarint(again, uint64(len(d.data))), d.data...)
		}
		second, err := splitDelimited(again, fuzzLimit)
		if err != nil || len(second) != len(docs) {
			t.Fatalf("written again there are %d messages, not %d: %v", len(second), len(docs), err)
		}
		for i := range docs {
			if !bytes.Equal(docs[i].data, second[i].data) {
				t.Errorf("message %d differs once it is written again", i)
			}
		}
	})
}

// checkDocuments holds documents to what is true of them whatever the form.
func checkDocuments(t *testing.T, body []byte, docs []document, err error) {
	t.Helper()
	if err != nil && docs != nil {
		t.Error("there are documents and an error")
	}
	total := 0
	for _, d := range docs {
		total += len(d.data)
	}
	if len(docs) > fuzzLimit || total > len(body) {
		t.Errorf("%d documents of %d bytes in a body of %d", len(docs), total, len(body))
	}
}

func FuzzReadBody(f *testing.F) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(make([]byte, 1<<16)) // into memory
	_ = z.Close()
	f.Add("gzip", packed.Bytes())
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("zstd", encoder.EncodeAll([]byte(`{"batch_id":"1"}`), nil))
	f.Add("zstd", encoder.EncodeAll(make([]byte, 1<<16), nil))
	f.Add("", []byte(`[{}]`))
	f.Add("gzip", []byte{0x1f, 0x8b})
	limits := Limits{PackedBytes: 8 << 10, BodyBytes: 32 << 10}
	f.Fuzz(func(t *testing.T, encoding string, body []byte) {
		m := &memory{max: 4 * limits.BodyBytes}
		held, ok := m.admit()
		if !ok {
			t.Fatal("there is no room in an empty memory")
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/sync", io.NopCloser(bytes.NewReader(body)))
		r.Header.Set("Content-Encoding", encoding)
		plain, err := readBody(httptest.NewRecorder(), r, limits, held)
		if err == nil && int64(len(plain)) > limits.BodyBytes {
			t.Errorf("%d bytes came out of %d", len(plain), len(body))
		}
		if err != nil {
			if _, known := refusalOf(err); !known {
				t.Errorf("what a sender did is taken for ours to mend: %v", err)
			}
		}
		held.release()
		if m.used != 0 {
			t.Errorf("%d bytes of memory are never given back", m.used)
		}
	})
}
