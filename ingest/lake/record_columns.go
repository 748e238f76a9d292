package lake

import (
	"github.com/diurna-health/diurna/schemas"
)

// recordColumns are the columns of an open group of rows of bronze.
type recordColumns struct {
	partition, itemIndex, ingestDate, userBucket, deviceEpoch numbersOut[int32]
	utcOffset, endOffset, period                              numbersOut[int32]
	offset, brokerAt, seq, sentAt                             numbersOut[int64]
	localDate, value                                          numbersOut[int32]
	startAt, endAt, hourAt                                    numbersOut[int64]
	kind, batch, user, device, source, timeZone               textsOut
	deviceModel, deviceFirmware, deviceKind                   textsOut
	metric, name, text, reason                                textsOut
	offsets, values                                           listsOut
	payload                                                   bytesOut

	all []columnOut // in the order of the schema
}

// A columnOut is a column of an open group, of one of the types below.
type columnOut interface {
	// begin gives it what all chunks of the column have in common.
	begin(leaf *recordLeaf)
	// appendTo appends the chunk of the column and says in the group what it is; the column stays as it is.
	appendTo(g *recordGroup, e *pageEncoder, rows int) error
	reset()
	memory() int
}

func newRecordColumns() *recordColumns {
	c := &recordColumns{}
	c.all = []columnOut{&c.partition, &c.offset, &c.itemIndex, &c.kind, &c.brokerAt, &c.ingestDate, &c.batch, &c.user,
		&c.userBucket, &c.device, &c.deviceEpoch, &c.seq, &c.source, &c.sentAt, &c.timeZone, &c.deviceModel, &c.deviceFirmware,
		&c.deviceKind, &c.metric, &c.startAt, &c.endAt, &c.utcOffset, &c.endOffset, &c.localDate, &c.hourAt, &c.period,
		&c.offsets, &c.values, &c.name, &c.text, &c.value, &c.reason, &c.payload}
	leaves := recordTemplate().leaves
	for i, column := range c.all {
		column.begin(&leaves[i])
	}
	return c
}

func (c *recordColumns) add(rows []schemas.SyncRecord) {
	for i := range rows {
		r := &rows[i]
		c.partition.add(r.Partition)
		c.offset.add(r.Offset)
		c.itemIndex.add(r.ItemIndex)
		c.kind.add(string(r.Kind))
		c.brokerAt.add(r.BrokerAt)
		c.ingestDate.add(r.IngestDate)
		c.batch.addOptional(r.BatchID)
		c.user.addOptional(r.UserID)
		c.userBucket.add(r.UserBucket)
		c.device.addOptional(r.DeviceID)
		c.deviceEpoch.add(r.DeviceEpoch)
		c.seq.add(r.Seq)
		c.source.addOptional(r.Source)
		c.sentAt.add(r.SentAt)
		c.timeZone.addOptional(r.TimeZone)
		c.deviceModel.addOptional(r.DeviceModel)
		c.deviceFirmware.addOptional(r.DeviceFirmware)
		c.deviceKind.addOptional(r.DeviceKind)
		c.metric.addOptional(r.Metric)
		c.startAt.addOptional(r.StartAt)
		c.endAt.addOptional(r.EndAt)
		c.utcOffset.add(r.UTCOffsetMin)
		c.endOffset.add(r.EndUTCOffsetMin)
		c.localDate.addOptional(r.LocalDate)
		c.hourAt.addOptional(r.HourAt)
		c.period.add(r.PeriodMS)
		c.offsets.add(r.OffsetsMS)
		c.values.add(r.Values)
		c.name.addOptional(r.Name)
		c.text.addOptional(r.Text)
		c.value.addOptional(r.Value)
		c.reason.addOptional(r.Reason)
		c.payload.add(r.Payload)
	}
}

// group returns the rows encoded, and leaves them as they are.
func (c *recordColumns) group(rows int) (recordGroup, error) {
	e := pageEncoders.Get().(*pageEncoder)
	defer pageEncoders.Put(e)
	g := recordGroup{rows: int64(rows)}
	for _, column := range c.all {
		if err := column.appendTo(&g, e, rows); err != nil {
			return g, err
		}
	}
	return g, nil
}

func (c *recordColumns) reset() {
	for _, column := range c.all {
		column.reset()
	}
}

func (c *recordColumns) bytes() int {
	n := 0
	for _, column := range c.all {
		n += column.memory()
	}
	return n
}
