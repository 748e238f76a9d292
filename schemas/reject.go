package schemas

// A RejectReason says why a value, an item or a whole message was set aside. The list is closed: an operator counts by
// it and an app turns each into a remedy.
type RejectReason string

// The reasons, from whole messages to single values.
const (
	RejectDecode         RejectReason = "decode"           // the message is neither valid protobuf nor valid JSON
	RejectOversize       RejectReason = "oversize"         // the message is larger than a batch may be
	RejectTooManySamples RejectReason = "too_many_samples" // the batch holds more samples than a batch may
	RejectMissingKey     RejectReason = "missing_key"      // a mandatory field is absent: user, device, offset, metric ...
	RejectUnknownSchema  RejectReason = "schema_unknown"   // a metric, stage or event kind the tables do not know
	RejectFutureTime     RejectReason = "future_ts"        // later than the broker's clock allows: the watch's clock is wrong
	RejectAncientTime    RejectReason = "ancient_ts"       // before 2015-01-01: the watch's clock was reset
	RejectInterval       RejectReason = "bad_interval"     // the end is not after the start, or the span is too long
	RejectValueRange     RejectReason = "value_range"      // outside the metric's plausible range, sentinels included
)

// RejectReasons lists every reason.
func RejectReasons() []RejectReason {
	return []RejectReason{
		RejectDecode, RejectOversize, RejectTooManySamples, RejectMissingKey, RejectUnknownSchema, RejectFutureTime,
		RejectAncientTime, RejectInterval, RejectValueRange,
	}
}
