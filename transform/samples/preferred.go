package samples

import (
	"cmp"
	"slices"
)

// PreferredDevice returns the device that stands for some hours by what it recorded of a metric: native before imported
// before typed in, then the one with most by a measure, then the first by name. It is not ok when no device recorded any.
func PreferredDevice(of []Hour, metric Metric, measure func(*Hour) int64) (device string, ok bool) {
	type claim struct {
		device string
		rank   int32
		most   int64
	}
	var claims []claim
	for i := range of {
		h := &of[i]
		if h.Metric != metric {
			continue
		}
		at := slices.IndexFunc(claims, func(c claim) bool { return c.device == h.Device })
		if at < 0 {
			at = len(claims)
			claims = append(claims, claim{device: h.Device, rank: h.SourceRank})
		}
		claims[at].rank = min(claims[at].rank, h.SourceRank)
		claims[at].most += measure(h)
	}
	if len(claims) == 0 {
		return "", false
	}
	return slices.MinFunc(claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.most, a.most), cmp.Compare(a.device, b.device))
	}).device, true
}
