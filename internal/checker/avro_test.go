package checker

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sampleSchema = `{"type":"record","name":"entry","fields":[
	{"name":"path","type":"string"},
	{"name":"size","type":["null","long"]},
	{"name":"counts","type":{"type":"array","items":{"type":"record","name":"pair","fields":[{"name":"key","type":"int"},{"name":"value","type":"bytes"}]}}},
	{"name":"more","type":{"type":"map","values":"pair"}},
	{"name":"half","type":"double"},
	{"name":"sure","type":"boolean"},
	{"name":"id","type":{"type":"fixed","name":"two","size":2}}]}`

// An avroWriter writes what the test needs, as the specification says it.
type avroWriter struct{ bytes.Buffer }

func (w *avroWriter) long(v int64)    { w.Write(binary.AppendVarint(nil, v)) }
func (w *avroWriter) text(s string)   { w.long(int64(len(s))); w.WriteString(s) }
func (w *avroWriter) double(v uint64) { w.Write(binary.LittleEndian.AppendUint64(nil, v)) }

func sampleFile(t *testing.T, codec string) []byte {
	t.Helper()
	var block avroWriter
	block.text("a.parquet")
	block.long(1) // the second branch
	block.long(-300)
	block.long(-2) // a block of two whose size is told
	block.long(6)
	block.long(7)
	block.text("x")
	block.long(8)
	block.text("y")
	block.long(0)
	block.long(1)
	block.text("k")
	block.long(9)
	block.text("z")
	block.long(0)
	block.double(0x3fe0000000000000)
	block.WriteByte(1)
	block.WriteString("ab")
	content := block.Bytes()
	if codec == "deflate" {
		var packed bytes.Buffer
		f, err := flate.NewWriter(&packed, flate.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		content = packed.Bytes()
	}
	var w avroWriter
	w.WriteString("Obj\x01")
	w.long(2)
	w.text("avro.schema")
	w.text(sampleSchema)
	w.text("avro.codec")
	w.text(codec)
	w.long(0)
	w.WriteString("0123456789abcdef")
	w.long(1)
	w.text(string(content))
	w.WriteString("0123456789abcdef")
	return w.Bytes()
}

func TestRecordsAreReadAsTheSpecificationSays(t *testing.T) {
	pair := func(key int64, value string) map[string]any {
		return map[string]any{"key": key, "value": []byte(value)}
	}
	want := []map[string]any{{
		"path": "a.parquet", "size": int64(-300), "counts": []any{pair(7, "x"), pair(8, "y")},
		"more": map[string]any{"k": pair(9, "z")}, "half": 0.5, "sure": true, "id": []byte("ab"),
	}}
	for _, codec := range []string{"null", "deflate"} {
		got, err := readAvro(sampleFile(t, codec))
		if err != nil {
			t.Fatalf("%s: %v", codec, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", codec, diff)
		}
	}
}

func TestAFileThatIsCutOrDamagedIsNeverReadAsAWholeOne(t *testing.T) {
	whole := sampleFile(t, "deflate")
	header := bytes.Index(whole, []byte("0123456789abcdef")) + 16
	for n := range whole {
		if got, err := readAvro(whole[:n]); err == nil && n != header {
			t.Fatalf("the first %d bytes were read as %v", n, got)
		}
	}
	if _, err := readAvro(sampleFile(t, "snappy")); err == nil {
		t.Error("a codec that is not known was read")
	}
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-1] ^= 1
	if _, err := readAvro(damaged); err == nil {
		t.Error("a block that does not end with the mark was read")
	}
}
