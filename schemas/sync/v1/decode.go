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
	b, err := decode(contentType, data)
	if err != nil {
		return nil, err
	}
	if err := check(b); err != nil {
		return nil, err
	}
	return b, nil
}

func decode(contentType string, data []byte) (*Batch, error) {
	if len(data) > MaxMessageBytes {
		return nil, refuse(schemas.RejectOversize, "more than %d bytes", MaxMessageBytes)
	}
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case ContentTypeProto:
		return decodeProto(data)
	case ContentTypeJSON:
		return decodeJSON(data)
	case "":
		if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
			return decodeJSON(data)
		}
		return decodeProto(data)
	default:
		return nil, refuse(schemas.RejectDecode, "content type is neither %s nor %s", ContentTypeProto, ContentTypeJSON)
	}
}
