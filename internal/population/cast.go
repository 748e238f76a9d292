package population

import (
	"fmt"

	"github.com/diurna-health/diurna/schemas"
)

// cast returns the roles of the first people, in their order.
func cast() []string {
	return []string{
		RoleOffice, RoleRunner, RoleShiftWorker, RoleRetired, RoleTraveller, RoleDateLine, RoleTwoDevices,
		RoleZerosWhenOff, RoleFlatBattery, RoleLateSyncs, RoleRepeats, RoleGrowing, RoleWrongClock, RoleReset,
		RoleTwin, RoleOtherTwin, RoleOptedOut, RoleNeverOptedIn, RoleSummaries, RoleSpringForward, RoleFallBack,
		RolePhoneOnly, RoleShaker, RoleLooseStrap, RoleDrawer,
	}
}

// A place is a zone with the country it lies in.
type place struct{ zone, country string }

func places() []place {
	return []place{
		{"Europe/Berlin", "DE"}, {"Europe/Paris", "FR"}, {"Europe/Warsaw", "PL"}, {"Europe/Lisbon", "PT"},
		{"Europe/London", "GB"}, {"America/New_York", "US"}, {"America/Chicago", "US"}, {"America/Los_Angeles", "US"},
		{"America/Sao_Paulo", "BR"}, {"Asia/Kolkata", "IN"}, {"Asia/Kathmandu", "NP"}, {"Asia/Tokyo", "JP"},
		{"Australia/Sydney", "AU"}, {"Australia/Adelaide", "AU"}, {"Africa/Nairobi", "KE"},
	}
}

// movingZones are searched for a clock change, most familiar first. Between them they change in most months of a year.
func movingZones() []string {
	return []string{
		"Europe/Madrid", "America/Denver", "Australia/Melbourne", "Pacific/Auckland", "America/Santiago", "Africa/Cairo",
		"Asia/Beirut", "Asia/Jerusalem", "America/Havana", "Africa/Casablanca", "Australia/Lord_Howe",
	}
}

// countryOf names the countries of the zones that roles are given.
func countryOf(zone string) string {
	for _, p := range places() {
		if p.zone == zone {
			return p.country
		}
	}
	countries := map[string]string{
		"Europe/Madrid": "ES", "America/Denver": "US", "Australia/Melbourne": "AU", "Pacific/Auckland": "NZ",
		"America/Santiago": "CL", "Africa/Cairo": "EG", "Asia/Beirut": "LB", "Asia/Jerusalem": "IL",
		"America/Havana": "CU", "Africa/Casablanca": "MA", "Australia/Lord_Howe": "AU",
	}
	return countries[zone]
}

// characterOf returns the person of that number with traits, before any of the life is lived.
func characterOf(config Config, number int) (Person, traits, error) {
	d := newDice(config.Seed, number, forTraits)
	role := RoleOrdinary
	if number < len(cast()) {
		role = cast()[number]
	}
	where := pick(d, places())
	p := Person{
		UserID:    fmt.Sprintf("person-%03d", number+1),
		Role:      role,
		Job:       pick(d, []Job{JobOffice, JobOffice, JobOffice, JobShifts, JobRetired, JobRunner}),
		BirthYear: birthYear(config.To, d.between(19, 60)),
		Sex:       pick(d, []string{"female", "male"}),
		StepGoal:  int32(1000 * d.between(6, 12)),
		Consents:  []Consent{},
	}
	t := traits{
		home:          where.zone,
		heartPeriodMS: minuteMS,
		sleep:         sleepStaged,
		wearsWatch:    true,
		weighs:        d.chance(30),
		latePct:       2,
		repeatPct:     1,
		twinOf:        -1,
		consents:      true,
	}
	if role == RoleOrdinary {
		t.ordinary(d)
	}
	if err := t.play(role, &p, config); err != nil {
		return Person{}, traits{}, err
	}
	p.Country = countryOf(t.home)
	p.Habits = habitsOf(p.Job, role, d)
	if p.Job == JobRetired {
		p.BirthYear = birthYear(config.To, d.between(64, 85))
	}
	p.Devices = devicesOf(p.UserID, t)
	return p, t, nil
}

// ordinary gives a little of everything.
func (t *traits) ordinary(d dice) {
	t.carriesPhone = d.chance(25)
	t.illness = d.chance(20)
	t.phaseMS = 1000 * d.between(0, 59)
	t.consents = d.chance(85)
	t.growing = d.chance(10)
	if d.chance(25) {
		t.sleep = sleepPlain
	}
	switch {
	case d.chance(10) && !t.growing:
		t.heartPeriodMS = fiveSeconds
		t.phaseMS = 0
	case d.chance(10):
		t.heartPeriodMS = 0
	}
	if d.chance(20) {
		t.flatEvery = d.between(15, 40)
	}
}

const fiveSeconds = 5000

// play gives the role its zone, job and difficulties.
func (t *traits) play(role string, p *Person, config Config) error {
	days := int(config.To-config.From) + 1
	at := func(pct int) int { return dayOf(config.From, config.To, pct) }
	var err error
	switch role {
	case RoleOffice:
		t.home, p.Job, t.weighs = "Europe/Berlin", JobOffice, true
	case RoleRunner:
		t.home, p.Job, t.heartPeriodMS = "America/New_York", JobRunner, fiveSeconds
	case RoleShiftWorker:
		t.home, p.Job = "Europe/Warsaw", JobShifts
	case RoleRetired:
		t.home, p.Job, t.sleep = "Europe/Lisbon", JobRetired, sleepPlain
	case RoleTraveller:
		t.home, p.Job = "America/New_York", JobOffice
		t.flights = travels(days)
	case RoleDateLine:
		t.home, p.Job = "Pacific/Auckland", JobOffice
		t.flights = []flight{
			{day: at(40), wall: wall(19, 30), durationMin: 745, to: "America/Los_Angeles", sleepFrom: 150, sleepTo: 600},
			{day: at(40) + 6, wall: wall(21, 30), durationMin: 790, to: "Pacific/Auckland", sleepFrom: 120, sleepTo: 640},
		}
	case RoleTwoDevices:
		t.home, p.Job, t.carriesPhone = "Europe/Paris", JobOffice, true
	case RoleZerosWhenOff:
		t.home, p.Job, t.zerosWhenOff = "America/Chicago", JobOffice, true
	case RoleFlatBattery:
		t.home, p.Job, t.flatEvery = "Europe/London", JobOffice, 9
	case RoleLateSyncs:
		t.home, p.Job, t.latePct = "America/Sao_Paulo", JobOffice, 25
	case RoleRepeats:
		t.home, p.Job, t.repeatPct = "Asia/Tokyo", JobOffice, 30
	case RoleGrowing:
		t.home, p.Job, t.growing, t.latePct = "Europe/Berlin", JobOffice, true, 10
	case RoleWrongClock:
		t.home, p.Job, t.wrongClock = "America/Los_Angeles", JobOffice, true
	case RoleReset:
		t.home, p.Job, t.reset = "Australia/Adelaide", JobOffice, true
	case RoleTwin:
		t.home, p.Job = "Europe/Paris", JobOffice
	case RoleOtherTwin:
		t.home, p.Job, t.twinOf = "Europe/Berlin", JobOffice, numberOf(RoleTwin)
	case RoleOptedOut:
		t.home, p.Job, t.optsOut = "Europe/London", JobRunner, true
	case RoleNeverOptedIn:
		t.home, p.Job, t.consents = "America/New_York", JobRunner, false
	case RoleSummaries:
		t.home, p.Job, t.sleep = "Africa/Nairobi", JobOffice, sleepSummed
	case RoleSpringForward:
		t.home, err = zoneThatMoves(true, movingZones(), config.From, config.To)
		p.Job = JobShifts
	case RoleFallBack:
		t.home, err = zoneThatMoves(false, movingZones(), config.From, config.To)
		p.Job = JobOffice
	case RolePhoneOnly:
		t.home, p.Job, t.carriesPhone, t.wearsWatch = "Asia/Kathmandu", JobOffice, true, false
	case RoleShaker:
		t.home, p.Job, t.shakes = "America/Chicago", JobOffice, true
	case RoleLooseStrap:
		t.home, p.Job, t.looseStrap, t.sleep = "Europe/Lisbon", JobRetired, true, sleepPlain
	case RoleDrawer:
		t.home, p.Job, t.drawer = "Asia/Kolkata", JobOffice, true
	}
	return err
}

// travels are flights from New York: over midnight to London and back, to Tokyo and back, then the same again as often
// as the span has room for.
func travels(days int) []flight {
	var flights []flight
	for day := days / 6; day+14 < days; day += days/3 + 28 {
		flights = append(flights,
			// Who sleeps until twelve minutes after touchdown wakes in another offset.
			flight{day: day, wall: wall(21, 0), durationMin: 410, to: "Europe/London", sleepFrom: 80, sleepTo: 422},
			flight{day: day + 4, wall: wall(11, 0), durationMin: 480, to: "America/New_York"})
		if far := day + 14; far+9 < days-2 {
			flights = append(flights,
				flight{day: far, wall: wall(12, 0), durationMin: 840, to: "Asia/Tokyo", sleepFrom: 240, sleepTo: 700},
				flight{day: far + 6, wall: wall(17, 0), durationMin: 770, to: "America/New_York", sleepFrom: 200, sleepTo: 600})
		}
	}
	return flights
}

func habitsOf(job Job, role string, d dice) Habits {
	h := Habits{
		WakeWallMin:         wall(6, 15) + 5*d.between(0, 12),
		BedWallMin:          wall(22, 0) + 5*d.between(0, 15),
		FreeDayLaterMin:     10 * d.between(2, 8),
		NapPct:              d.between(5, 35),
		UnwornPct:           d.between(0, 4),
		LivelinessPct:       d.between(60, 140),
		CadencePerMin:       d.between(96, 114),
		RestingHeartRateBPM: d.between(50, 66),
		CommuteMin:          d.between(6, 22),
	}
	switch job {
	case JobRunner:
		h.RestingHeartRateBPM = d.between(42, 50)
		h.UnwornPct = 0
	case JobRetired:
		h.NapPct = d.between(60, 85)
		h.FreeDayLaterMin = 0
		h.WakeWallMin = wall(6, 50)
	case JobShifts, JobOffice:
	}
	switch role {
	case RoleZerosWhenOff:
		h.UnwornPct = 12
	case RoleTwin, RoleOtherTwin:
		h.UnwornPct, h.LivelinessPct, h.CommuteMin = 0, 100, 15
	}
	return h
}

func devicesOf(user string, t traits) []Device {
	devices := []Device{{ID: user + ".app", Kind: "app"}}
	switch {
	case t.wearsWatch && t.sleep == sleepSummed:
		devices = append(devices, Device{ID: user + ".watch", Kind: "band"})
	case t.wearsWatch:
		devices = append(devices, Device{ID: user + ".watch", Kind: "watch"})
	}
	if t.carriesPhone {
		devices = append(devices, Device{ID: user + ".phone", Kind: "phone"})
	}
	if t.weighs {
		devices = append(devices, Device{ID: user + ".scale", Kind: "scale"})
	}
	return devices
}

func numberOf(role string) int {
	for i, r := range cast() {
		if r == role {
			return i
		}
	}
	return -1
}

func wall(hour, minute int) int { return hour*60 + minute }

// birthYear is that of somebody who turns so old in the year of the date.
func birthYear(on schemas.Date, age int) int32 {
	year, _, _ := on.Civil()
	return int32(year - age)
}
