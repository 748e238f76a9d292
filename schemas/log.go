package schemas

// Keys of the structured log. No value under any of them may tell a person apart: positions, counts, names of tables
// and models only.
const (
	LogKeyTable     = "table"
	LogKeyModel     = "model"
	LogKeyPartition = "partition"
	LogKeyOffset    = "offset"
	LogKeyRows      = "rows"
	LogKeyFiles     = "files"
	LogKeySamples   = "samples"
	LogKeyBatches   = "batches"
	LogKeyMessages  = "messages"
	LogKeyEpoch     = "epoch"
	LogKeyReason    = "reason"
	LogKeyDays      = "days"
	LogKeyTook      = "took"
	LogKeyError     = "error"
)
