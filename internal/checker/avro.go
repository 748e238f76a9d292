package checker

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

var errAvro = errors.New("not an Avro file that can be read")

// readAvro returns the records of an object container file. Records are maps by field, unions what they hold.
func readAvro(data []byte) ([]map[string]any, error) {
	r := &avroReader{left: data}
	if string(r.take(4)) != "Obj\x01" {
		return nil, errAvro
	}
	header := map[string][]byte{}
	r.blocks(func() { key := string(r.bytes()); header[key] = r.bytes() })
	sync := r.take(16)
	var schema any
	if r.broken || json.Unmarshal(header["avro.schema"], &schema) != nil {
		return nil, errAvro
	}
	names := map[string]any{}
	var records []map[string]any
	for len(r.left) > 0 && !r.broken {
		count := r.long()
		block, err := inflate(string(header["avro.codec"]), r.take(r.long()))
		if err != nil || !bytes.Equal(r.take(16), sync) {
			return nil, errors.Join(errAvro, err)
		}
		b := &avroReader{left: block}
		for range count {
			record, ok := b.value(schema, names).(map[string]any)
			if b.broken || !ok {
				return nil, errAvro
			}
			records = append(records, record)
		}
	}
	if r.broken {
		return nil, errAvro
	}
	return records, nil
}

func inflate(codec string, block []byte) ([]byte, error) {
	switch codec {
	case "", "null":
		return block, nil
	case "deflate":
		plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(block)))
		if err != nil {
			return nil, fmt.Errorf("inflate a block: %w", err)
		}
		return plain, nil
	default:
		return nil, fmt.Errorf("codec %s: %w", codec, errors.ErrUnsupported)
	}
}

// An avroReader reads values one after the other. Once broken, everything it returns is nothing.
type avroReader struct {
	left   []byte
	broken bool
}

func (r *avroReader) take(n int64) []byte {
	if n < 0 || n > int64(len(r.left)) {
		r.broken = true
		return nil
	}
	taken := r.left[:n]
	r.left = r.left[n:]
	return taken
}

func (r *avroReader) long() int64 {
	v, n := binary.Varint(r.left)
	if n <= 0 {
		r.broken = true
		return 0
	}
	r.left = r.left[n:]
	return v
}

func (r *avroReader) bytes() []byte { return r.take(r.long()) }

// blocks calls each for every element of an array or a map.
func (r *avroReader) blocks(each func()) {
	for !r.broken {
		count := r.long()
		if count == 0 {
			return
		}
		if count < 0 {
			count = -count
			r.long() // the size of the block in bytes, for those who skip it
		}
		for range count {
			if r.broken {
				return
			}
			each()
		}
	}
}

// value reads one value of a schema as encoding/json gives it.
func (r *avroReader) value(schema any, names map[string]any) any {
	switch s := schema.(type) {
	case string:
		if known, ok := names[s]; ok {
			return r.value(known, names)
		}
		return r.primitive(s)
	case []any:
		branch := r.long()
		if branch < 0 || branch >= int64(len(s)) {
			r.broken = true
			return nil
		}
		return r.value(s[branch], names)
	case map[string]any:
		return r.complex(s, names)
	default:
		r.broken = true
		return nil
	}
}

func (r *avroReader) complex(s map[string]any, names map[string]any) any {
	if name, ok := s["name"].(string); ok {
		names[name] = s
	}
	switch s["type"] {
	case "record":
		record := map[string]any{}
		fields, _ := s["fields"].([]any)
		for _, f := range fields {
			field, _ := f.(map[string]any)
			name, _ := field["name"].(string)
			record[name] = r.value(field["type"], names)
		}
		return record
	case "array":
		var items []any
		r.blocks(func() { items = append(items, r.value(s["items"], names)) })
		return items
	case "map":
		entries := map[string]any{}
		r.blocks(func() { key := string(r.bytes()); entries[key] = r.value(s["values"], names) })
		return entries
	case "enum":
		return r.long()
	case "fixed":
		size, _ := s["size"].(float64)
		return r.take(int64(size))
	default:
		return r.value(s["type"], names)
	}
}

func (r *avroReader) primitive(name string) any {
	switch name {
	case "null":
		return nil
	case "boolean":
		b := r.take(1)
		return len(b) == 1 && b[0] == 1
	case "int", "long":
		return r.long()
	case "float":
		if b := r.take(4); b != nil {
			return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
	case "double":
		if b := r.take(8); b != nil {
			return math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
	case "bytes":
		return r.bytes()
	case "string":
		return string(r.bytes())
	}
	r.broken = true
	return nil
}
