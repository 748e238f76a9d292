package population

import "github.com/diurna-health/diurna/schemas"

// A Person is somebody of the population, as the person's app knows them.
type Person struct {
	UserID    string    `json:"user_id"`
	Role      string    `json:"role"` // what the person is in the population for
	Job       Job       `json:"job"`
	Stays     []Stay    `json:"stays"` // where the person was, in order; the first is home
	Country   string    `json:"country"`
	BirthYear int32     `json:"birth_year"`
	Sex       string    `json:"sex"`
	StepGoal  int32     `json:"step_goal"` // a day
	Consents  []Consent `json:"consents"`  // to rankings, in order; the last holds
	Devices   []Device  `json:"devices"`
	Habits    Habits    `json:"habits"`
}

// OptedIn reports whether the person takes part in rankings at the end.
func (p *Person) OptedIn() bool {
	n := len(p.Consents)
	return n > 0 && p.Consents[n-1].OptedIn
}

// Home is the zone in which the person lives.
func (p *Person) Home() string { return p.Stays[0].Zone }

// A Job is what fills a person's working days.
type Job string

// The jobs.
const (
	JobOffice  Job = "office"
	JobShifts  Job = "shifts" // a week of early, a week of late, a week of night shifts
	JobRetired Job = "retired"
	JobRunner  Job = "runner" // an office, and a run on most days
)

// A Stay is a time in one zone; it lasts until the next begins.
type Stay struct {
	Zone   string `json:"zone"`
	FromMS int64  `json:"from_ms"`
}

// A Consent is what the person said about rankings.
type Consent struct {
	AtMS    int64 `json:"at_ms"`
	OptedIn bool  `json:"opted_in"`
}

// A Device is something the person measures with.
type Device struct {
	ID   string `json:"id"`
	Kind string `json:"kind"` // watch, band, phone, scale or app
}

// Habits are what a person does on most days. Times of day are minutes after local midnight.
type Habits struct {
	WakeWallMin         int `json:"wake_wall_min"`
	BedWallMin          int `json:"bed_wall_min"`
	FreeDayLaterMin     int `json:"free_day_later_min"` // how much later bed and waking are on free days
	NapPct              int `json:"nap_pct"`            // of free days
	UnwornPct           int `json:"unworn_pct"`         // of days, the night after included
	LivelinessPct       int `json:"liveliness_pct"`     // of the usual moving about
	CadencePerMin       int `json:"cadence_per_min"`
	RestingHeartRateBPM int `json:"resting_heart_rate_bpm"`
	CommuteMin          int `json:"commute_min"` // walked, each way
}

// The roles that others may want to name.
const (
	RoleOffice        = "office"
	RoleRunner        = "runner"
	RoleShiftWorker   = "shift_worker"
	RoleRetired       = "retired"
	RoleTraveller     = "traveller"      // flies east over midnight, and far
	RoleDateLine      = "date_line"      // crosses the date line and back
	RoleTwoDevices    = "two_devices"    // watch and phone count the same steps
	RoleZerosWhenOff  = "zeros_when_off" // the watch sends zeros when it is not worn
	RoleFlatBattery   = "flat_battery"   // nothing while the battery is flat
	RoleLateSyncs     = "late_syncs"     // batches come days later and out of order
	RoleRepeats       = "repeats"        // batches come twice and three times
	RoleGrowing       = "growing"        // each batch holds what the one before held and more
	RoleWrongClock    = "wrong_clock"    // the watch is twenty years ahead for three days
	RoleReset         = "reset"          // the watch is reset: its counter starts again, its clock in 2000
	RoleTwin          = "twin"           // whose weekly steps somebody else has too
	RoleOtherTwin     = "other_twin"     // exactly as many steps as the twin, every whole week
	RoleOptedOut      = "opted_out"      // took part in rankings and no longer does
	RoleNeverOptedIn  = "never_opted_in" // said nothing about rankings
	RoleSummaries     = "summaries"      // the band tells a figure a night and no more
	RoleSpringForward = "spring_forward" // clocks go forward, if they do anywhere in the span
	RoleFallBack      = "fall_back"      // clocks go back, if they do anywhere in the span
	RolePhoneOnly     = "phone_only"     // steps and nothing else
	RoleShaker        = "shaker"         // lets a machine make steps
	RoleLooseStrap    = "loose_strap"    // the watch sends a heart rate of 0 when it sees none
	RoleDrawer        = "drawer"         // the watch lies in a drawer for a third of the time
	RoleOrdinary      = "ordinary"       // everybody else
)

// sleepForm is how a device tells of sleep.
type sleepForm uint8

const (
	sleepUntold sleepForm = iota
	sleepPlain            // asleep or awake
	sleepStaged
	sleepSummed // a figure a night
)

// traits are what of a person is not public: how the life is made difficult.
type traits struct {
	home    string
	flights []flight

	heartPeriodMS int // 0 = the watch measures no heart rate
	sleep         sleepForm
	wearsWatch    bool
	carriesPhone  bool
	weighs        bool
	zerosWhenOff  bool
	phaseMS       int // of every sample within its minute

	growing    bool
	latePct    int
	repeatPct  int
	twinOf     int // index of the person whose weekly steps are met; -1 = nobody
	flatEvery  int // days between flat batteries; 0 = never
	wrongClock bool
	reset      bool
	shakes     bool
	looseStrap bool
	drawer     bool
	illness    bool
	consents   bool
	optsOut    bool
}

// firstSaidMin is how long after the first waking the app sends what it knows of the person.
const firstSaidMin = 30

// dayOf returns the date so many hundredths into the span.
func dayOf(first, last schemas.Date, pct int) int { return int(last-first) * pct / 100 }
