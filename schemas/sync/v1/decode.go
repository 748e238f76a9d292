package syncv1

import (
	"bytes"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

// The content types of a sync batch.
const (
	ContentTypeProto = "application/x-protobuf"
	ContentTypeJSON  = "application/json"
)

// Decode reads one sync batch. contentType is that of the message's header; "" means that the sender named none, and
// then a message that starts with { is JSON. (A protobuf batch cannot: it would need an identity that no rule allows.)
//
// The error is always a *DecodeError. The batch shares no memory with data.
func Decode(contentType string, data []byte) (*Batch, error) {
	return new(Decoder).Decode(contentType, data)
}

// A Decoder decodes one message after the other and uses the memory of their numbers again.
type Decoder struct{ numbers slab }

// Decode is the function Decode, but the batch is good only until the next call.
func (d *Decoder) Decode(contentType string, data []byte) (*Batch, error) {
	d.numbers.reset()
	b, err := d.decode(contentType, data)
	if err != nil {
		return nil, err
	}
	if err := check(b); err != nil {
		return nil, err
	}
	return b, nil
}

// Bytes returns how much memory the decoder keeps for the next call.
func (d *Decoder) Bytes() int { return 4 * cap(d.numbers.block) }

func (d *Decoder) decode(contentType string, data []byte) (*Batch, error) {
	if len(data) > MaxMessageBytes {
		return nil, refuse(schemas.RejectOversize, "more than %d bytes", MaxMessageBytes)
	}
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case ContentTypeProto:
		return decodeProto(data, &d.numbers)
	case ContentTypeJSON:
		return decodeJSON(data, &d.numbers)
	case "":
		if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
			return decodeJSON(data, &d.numbers)
		}
		return decodeProto(data, &d.numbers)
	default:
		return nil, refuse(schemas.RejectDecode, "content type is neither %s nor %s", ContentTypeProto, ContentTypeJSON)
	}
}

// A slab is memory that lists of numbers are cut from. It serves as much as the call before it took; what is more, and
// all of the first call, comes from the heap.
type slab struct {
	block []int32
	taken int
}

// reset takes all lists back.
func (s *slab) reset() {
	if s.taken > cap(s.block) {
		s.block = make([]int32, 0, s.taken)
	}
	s.block, s.taken = s.block[:0], 0
}

// list returns an empty list with room for n numbers.
func (s *slab) list(n int) []int32 {
	s.taken += n
	from := len(s.block)
	if n > cap(s.block)-from {
		return make([]int32, 0, n)
	}
	s.block = s.block[:from+n]
	return s.block[from : from : from+n]
}
