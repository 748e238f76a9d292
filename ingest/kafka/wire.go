package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The newest versions of the requests that are written here; brokers that are older get the newest they know.
const (
	maxFetchVersion           = 13 // names the topic by its id
	fetchByIDVersion          = 13
	maxMetadataVersion        = 12
	maxDescribeConfigsVersion = 4
	maxDescribeGroupsVersion  = 5
	maxLeaveGroupVersion      = 4
)

// maxAnswerBytes bounds what a broker can make us allocate. An answer to a fetch is as large as one batch at least.
const maxAnswerBytes = 1 << 30

// An exchange is a request in an encoding newer than kafka-go's own, sent over a connection that kafka-go opened,
// authenticated and keeps. It goes to the leader of a partition, or to any broker.
type exchange struct {
	topic      *Topic
	req        kmsg.Request
	maxVersion int16
	leaderOf   int32 // a partition; anyBroker = it does not matter who answers
}

const anyBroker = -1

// ask sends a request and returns its answer.
func ask[T kmsg.Response](ctx context.Context, t *Topic, x exchange) (answer T, err error) {
	x.topic = t
	return roundTrip[T](ctx, t, &x, x.name())
}

// askCoordinator sends a request to the coordinator of a group and returns its answer.
func askCoordinator[T kmsg.Response](ctx context.Context, t *Topic, group string, x exchange) (answer T, err error) {
	x.topic = t
	return roundTrip[T](ctx, t, groupExchange{&x, group}, x.name())
}

func roundTrip[T kmsg.Response](ctx context.Context, t *Topic, request kafkago.Request, name string) (answer T, err error) {
	msg, err := t.transport.RoundTrip(ctx, t.client.Addr, request)
	if err != nil {
		return answer, err
	}
	r, ok := msg.(*reply)
	if !ok {
		return answer, fmt.Errorf("the answer to %s is a %T", name, msg)
	}
	answer, ok = r.resp.(T)
	if !ok {
		return answer, fmt.Errorf("the answer to %s is a %T", name, r.resp)
	}
	return answer, nil
}

func (x *exchange) name() string { return kmsg.Key(x.req.Key()).Name() }

// ApiKey says what is asked; kafka-go wants to know.
func (x *exchange) ApiKey() protocol.ApiKey {
	return protocol.ApiKey(x.req.Key())
}

// Broker says whom to ask, out of what kafka-go knows of the cluster.
func (x *exchange) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	if x.leaderOf == anyBroker {
		return protocol.Broker{ID: -1}, nil
	}
	topic, ok := cluster.Topics[x.topic.cfg.Topic]
	if !ok {
		return protocol.Broker{}, kafkago.UnknownTopicOrPartition
	}
	partition, ok := topic.Partitions[x.leaderOf]
	if !ok {
		return protocol.Broker{}, kafkago.UnknownTopicOrPartition
	}
	leader, ok := cluster.Brokers[partition.Leader]
	if !ok {
		return protocol.Broker{}, kafkago.LeaderNotAvailable
	}
	return leader, nil
}

// Required says that kafka-go is to leave reading and writing to RawExchange.
func (x *exchange) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange writes the request and reads its answer. After an error kafka-go closes the connection.
func (x *exchange) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	versions, err := x.topic.versionsOf(rw)
	if err != nil {
		return nil, err
	}
	offered, ok := versions[x.req.Key()]
	if !ok {
		return nil, fmt.Errorf("the broker does not know the request %s: %w", x.name(), kafkago.UnsupportedVersion)
	}
	version := min(x.maxVersion, offered.newest)
	if version < offered.oldest {
		return nil, fmt.Errorf("the broker knows %s from version %d on, and this program up to %d: %w",
			x.name(), offered.oldest, x.maxVersion, kafkago.UnsupportedVersion)
	}
	x.req.SetVersion(version)
	if fetch, ok := x.req.(*kmsg.FetchRequest); ok && version >= fetchByIDVersion && !x.topic.hasID() {
		fetch.SetVersion(fetchByIDVersion - 1) // the topic has no id: it is older than ids are
	}
	resp, err := exchangeOn(rw, x.topic.cfg.ClientID, x.req)
	if err != nil {
		x.topic.forgetVersions(rw) // perhaps it was restarted as another release
		return nil, err
	}
	return &reply{resp: resp}, nil
}

// A groupExchange goes to the coordinator of a group, whom kafka-go looks up.
type groupExchange struct {
	x     *exchange
	group string
}

// ApiKey says what is asked; kafka-go wants to know.
func (g groupExchange) ApiKey() protocol.ApiKey { return g.x.ApiKey() }

// Group says whose coordinator to ask.
func (g groupExchange) Group() string { return g.group }

// Required says that kafka-go is to leave reading and writing to RawExchange.
func (g groupExchange) Required(versions map[protocol.ApiKey]int16) bool {
	return g.x.Required(versions)
}

// RawExchange writes the request and reads its answer.
func (g groupExchange) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	return g.x.RawExchange(rw)
}

// A reply is an answer on its way through kafka-go.
type reply struct{ resp kmsg.Response }

// ApiKey says what was asked.
func (r *reply) ApiKey() protocol.ApiKey {
	return protocol.ApiKey(r.resp.Key())
}

// A versionRange is what a broker knows of one request.
type versionRange struct{ oldest, newest int16 }

// versionsOf returns which versions of which requests the broker at the other end knows. kafka-go asked it too, but
// tells only what it can use itself.
func (t *Topic) versionsOf(rw io.ReadWriter) (map[int16]versionRange, error) {
	addr := remoteAddr(rw)
	t.mu.Lock()
	known, ok := t.versions[addr]
	t.mu.Unlock()
	if ok {
		return known, nil
	}
	resp, err := exchangeOn(rw, t.cfg.ClientID, kmsg.NewPtrApiVersionsRequest()) // version 0, which all brokers know
	if err != nil {
		return nil, fmt.Errorf("ask the broker which requests it knows: %w", err)
	}
	answer, ok := resp.(*kmsg.ApiVersionsResponse)
	if !ok || answer.ErrorCode != 0 {
		return nil, errors.New("the broker does not say which requests it knows")
	}
	known = map[int16]versionRange{}
	for _, k := range answer.ApiKeys {
		known[k.ApiKey] = versionRange{oldest: k.MinVersion, newest: k.MaxVersion}
	}
	t.mu.Lock()
	t.versions[addr] = known
	t.mu.Unlock()
	return known, nil
}

func (t *Topic) forgetVersions(rw io.ReadWriter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.versions, remoteAddr(rw))
}

func remoteAddr(rw io.ReadWriter) string {
	if conn, ok := rw.(net.Conn); ok {
		return conn.RemoteAddr().String()
	}
	return ""
}

// exchangeOn writes one request and reads its answer.
func exchangeOn(rw io.ReadWriter, clientID string, req kmsg.Request) (kmsg.Response, error) {
	const correlationID = 1 // one request is under way on a connection at a time
	if _, err := rw.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID)).AppendRequest(nil, req, correlationID)); err != nil {
		return nil, err
	}
	var head [8]byte
	if _, err := io.ReadFull(rw, head[:]); err != nil {
		return nil, err
	}
	size := int64(binary.BigEndian.Uint32(head[:4])) - 4
	if size < 0 || size > maxAnswerBytes {
		return nil, fmt.Errorf("the broker announces an answer of %d bytes: is it a Kafka broker?", size)
	}
	if id := binary.BigEndian.Uint32(head[4:]); id != correlationID {
		return nil, fmt.Errorf("the broker answers request %d, and %d was asked", id, correlationID)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(rw, body); err != nil {
		return nil, noEOF(err)
	}
	if req.IsFlexible() {
		var err error
		if body, err = skipTags(body); err != nil {
			return nil, err
		}
	}
	resp := req.ResponseKind()
	if err := resp.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("read the broker's answer: %w", err)
	}
	return resp, nil
}

// skipTags passes over the tagged fields that end the header of an answer.
func skipTags(b []byte) ([]byte, error) {
	errShort := errors.New("the broker's answer ends within its header")
	count, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, errShort
	}
	b = b[n:]
	for range count {
		for field := range 2 { // number, then size
			value, n := binary.Uvarint(b)
			if n <= 0 {
				return nil, errShort
			}
			b = b[n:]
			if field == 1 {
				if value > uint64(len(b)) {
					return nil, errShort
				}
				b = b[value:]
			}
		}
	}
	return b, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
