package schemas

import "fmt"

// Remedy returns what to do about something that was set aside: a sentence or two for the person who wears the device or
// whoever runs the app, without any value. For times that cannot be, year is the one the data claims; 0 = not known. A
// reason that is not in the list has the remedy "".
func (r RejectReason) Remedy(year int) string {
	switch {
	case r == RejectFutureTime && year > 0:
		return fmt.Sprintf("The watch's clock is in %d: charge it and pair it again.", year)
	case r == RejectAncientTime && year > 0:
		return fmt.Sprintf("The watch's clock was in %d, as after an empty battery: charge it and sync it again.", year)
	}
	return remedies()[r]
}

func remedies() map[RejectReason]string {
	return map[RejectReason]string{
		RejectDecode:         "The app sent something that is no sync batch: update the app. Nothing of it was used, and all of it is kept.",
		RejectOversize:       "The sync was too large for one message: let the app send it in several batches.",
		RejectTooManySamples: "The sync held more than one batch may: let the app send it in several batches.",
		RejectMissingKey:     "A mandatory field was empty: update the app. Sync again afterwards.",
		RejectUnknownSchema:  "The device measures something this version does not know: nothing is wrong with it, and the rest was used.",
		RejectFutureTime:     "The watch's clock is ahead of time: charge it and pair it again.",
		RejectAncientTime:    "The watch had lost the time, as after an empty battery: charge it and sync it again.",
		RejectInterval:       "The end was not after the start, or much too long after it: update the watch and the app.",
		RejectValueRange:     "The sensor gave figures that cannot be: wear the watch snugly, clean its back, and update it if this stays.",
	}
}
