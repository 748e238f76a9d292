package population

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// A gadget is a device with all the syncs it makes, in its own order.
type gadget struct {
	device syncv1.Device
	source syncv1.Source
	syncs  []sync
}

// A sync is what a device hands to the phone at one time: its minutes [from, to), or events, or readings.
type sync struct {
	at       int
	from, to int
	epoch    uint32
	seq      uint64
	// provisional is a sync whose last minute is not over and whose sleep is not staged yet; a later one says it again.
	provisional bool
	// overlaps is a sync that holds minutes which an earlier one held.
	overlaps bool

	events   []syncv1.Event
	readings []syncv1.Reading
}

func (l *life) planSyncs(d, readings dice) {
	for _, device := range l.person.Devices {
		g := &gadget{
			device: syncv1.Device{ID: device.ID, Kind: device.Kind, Model: "Dawn 2", Firmware: "1.4.2"},
			source: syncv1.SourceNative,
		}
		switch device.Kind {
		case "app":
			g.device.Model, g.device.Firmware = "Dawn app", "7.0"
			g.source = syncv1.SourceManual
			g.syncs = l.sayings(d)
		case "scale":
			g.device.Model = "Dawn scale"
			g.syncs = l.weighings(readings)
		case "phone":
			g.device.Model = "phone"
			g.syncs = l.phoneSyncs(d)
		default:
			g.syncs = l.watchSyncs(d)
		}
		l.gadgets = append(l.gadgets, g)
	}
}

// sayings are what the person tells the app: a profile, a goal, a consent; later an illness, or a change of mind.
func (l *life) sayings(d dice) []sync {
	p := &l.person
	at := l.wakings[0].from + firstSaidMin
	event := func(i int, kind, name string, value *int32, text string) syncv1.Event {
		return syncv1.Event{Kind: kind, Name: name, StartMS: l.clock.ms(i), OffsetMin: l.clock.offset(i), Value: value, Text: text}
	}
	yes, no := int32(1), int32(0)
	first := []syncv1.Event{
		event(at, "profile", "country", nil, p.Country),
		event(at, "profile", "birth_year", &p.BirthYear, ""),
		event(at, "profile", "sex", nil, p.Sex),
		event(at, "goal", "steps", &p.StepGoal, ""),
	}
	if l.traits.consents {
		first = append(first, event(at, "consent", "ranking", &yes, ""))
		p.Consents = append(p.Consents, Consent{AtMS: l.clock.ms(at), OptedIn: true})
	}
	said := []sync{{at: at, from: at, to: at, epoch: 1, seq: 1, events: first}}
	if l.traits.illness {
		from, to := l.illness()
		ill := event(from+8*60, "tag", "illness", nil, "")
		ill.EndMS = l.clock.ms(to)
		said = append(said, sync{at: from + 9*60, epoch: 1, seq: 2, events: []syncv1.Event{ill}})
	}
	if l.traits.optsOut {
		out := dayOf(l.first, l.last, 70)*minutesPerDay + d.between(9*60, 20*60)
		said = append(said, sync{at: out, epoch: 1, seq: 3, events: []syncv1.Event{event(out, "consent", "ranking", &no, "")}})
		p.Consents = append(p.Consents, Consent{AtMS: l.clock.ms(out), OptedIn: false})
	}
	return said
}

// weighings are one reading every few mornings, with body fat now and then.
func (l *life) weighings(d dice) []sync {
	const hectogram = 100
	weight, fat := d.between(520, 960), d.between(160, 340)
	var all []sync
	for k := 0; k < len(l.wakings); k += d.between(2, 4) {
		at := l.wakings[k].from + 12
		weight += d.between(-4, 4)
		if l.flying(at, 60) {
			continue
		}
		reading := func(metric string, value int) syncv1.Reading {
			return syncv1.Reading{Metric: metric, AtMS: l.clock.ms(at), OffsetMin: l.clock.offset(at), Value: int32(value)}
		}
		s := sync{at: at, epoch: 1, seq: uint64(len(all) + 1), readings: []syncv1.Reading{reading(schemas.BodyWeight, weight*hectogram)}}
		if d.chance(40) {
			s.readings = append(s.readings, reading(schemas.BodyFat, fat+d.between(-5, 5)))
		}
		all = append(all, s)
	}
	return all
}

// phoneSyncs are two or three a day.
func (l *life) phoneSyncs(d dice) []sync {
	var times []int
	for at := l.wakings[0].from; at < l.clock.end; at += d.between(6*60, 14*60) {
		times = append(times, at)
	}
	return l.windows(times)
}

// watchSyncs are a few a day while the watch has power and the phone is not in the air. A growing device also syncs in
// the middle of the night and after waking.
func (l *life) watchSyncs(d dice) []sync {
	shortest, longest := 150, 600
	if l.traits.growing {
		shortest, longest = 45, 150
	}
	at := map[int]bool{}
	for i := l.wakings[0].from + 60; i < l.clock.end; i += d.between(shortest, longest) {
		at[i] = true
	}
	if l.traits.growing {
		for _, b := range l.beds {
			at[b.from+65] = true
			at[b.to+5] = true
		}
	}
	if l.resetAt > 0 {
		at[l.resetAt] = true
	}
	var times []int
	for i := range l.clock.end {
		if at[i] && l.marked(i, markPowered) && !l.flying(i, 0) {
			times = append(times, i)
		}
	}
	return l.windows(times)
}

// windows cuts the life at the times and adds the last sync, when everything is over.
func (l *life) windows(times []int) []sync {
	var all []sync
	before, epoch, seq := 0, uint32(1), uint64(0)
	for _, at := range append(times, l.clock.end) {
		if l.resetAt > 0 && before == l.resetAt {
			epoch, seq = epoch+1, 0
		}
		seq++
		s := sync{at: at, from: before, to: at, epoch: epoch, seq: seq}
		if l.traits.growing && before > 0 {
			_, shows := l.clock.local(at - 1)
			sinceEvening := (shows + 2*60) % minutesPerDay
			s.from = max(0, min(before-1, at-1-sinceEvening))
			s.overlaps = true
		}
		s.provisional = l.traits.growing && at < l.clock.end
		all = append(all, s)
		before = at
	}
	return all
}

// A delivery is the arrival of a sync, or of a copy of it.
type delivery struct {
	life     *life
	gadget   int
	sync     int
	arriveAt int // minute of the life; after its end for what came late
	sentAt   int // the first arrival: a copy is the very same message
	late     bool
	copy     int
}

// deliver decides when each sync arrives.
func (l *life) deliver(d dice) []delivery {
	var all []delivery
	for g, gadget := range l.gadgets {
		for k, s := range gadget.syncs {
			first := delivery{life: l, gadget: g, sync: k, arriveAt: s.at}
			first.late = d.chance(l.traits.latePct)
			delay := d.between(minutesPerDay, 6*minutesPerDay)
			if d.chance(5) {
				delay = d.between(10*minutesPerDay, 20*minutesPerDay)
			}
			settled := l.clock.end + d.between(60, 20*60) // whatever is still under way arrives within a day
			if first.late {
				first.arriveAt = max(s.at, min(s.at+delay, settled))
			}
			first.sentAt = first.arriveAt
			all = append(all, first)
			copies := 0
			if d.chance(l.traits.repeatPct) {
				copies = d.between(1, 2)
			}
			for c := range copies {
				again := first
				again.copy = c + 1
				again.arriveAt += d.between(1, 600) * (c + 1)
				all = append(all, again)
			}
		}
	}
	return all
}

func compareArrival(a, b delivery) int {
	return cmp.Or(
		cmp.Compare(a.life.clock.ms(a.arriveAt), b.life.clock.ms(b.arriveAt)),
		strings.Compare(a.life.person.UserID, b.life.person.UserID),
		cmp.Compare(a.gadget, b.gadget), cmp.Compare(a.sync, b.sync), cmp.Compare(a.copy, b.copy),
	)
}

func (d delivery) of() (*gadget, *sync) {
	g := d.life.gadgets[d.gadget]
	return g, &g.syncs[d.sync]
}

func (d delivery) batchID() string {
	g, s := d.of()
	return fmt.Sprintf("%s:%d:%d", g.device.ID, s.epoch, s.seq)
}
