package kafka

import (
	"cmp"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// abortedTransactions knows which batches of an answer belong to transactions that were given up. The answer lists them
// by producer and first offset; a marker in the log ends each.
type abortedTransactions struct {
	coming []kmsg.FetchResponseTopicPartitionAbortedTransaction // by first offset
	open   map[int64]bool                                       // producers within an aborted transaction at this point of the log
}

func newAbortedTransactions(list []kmsg.FetchResponseTopicPartitionAbortedTransaction) *abortedTransactions {
	coming := slices.SortedFunc(slices.Values(list), func(a, b kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
		return cmp.Compare(a.FirstOffset, b.FirstOffset)
	})
	return &abortedTransactions{coming: coming, open: map[int64]bool{}}
}

// hides reports whether the records of the batch are no messages. Batches must be given in the order of the log.
func (a *abortedTransactions) hides(b *batch) bool {
	if b.isControl() {
		// Whichever way the transaction ended: what the producer writes from here on is another one.
		delete(a.open, b.producerID)
		return true
	}
	if !b.isTransactional() {
		return false
	}
	for len(a.coming) > 0 && a.coming[0].FirstOffset <= b.first {
		a.open[a.coming[0].ProducerID] = true
		a.coming = a.coming[1:]
	}
	return a.open[b.producerID]
}
