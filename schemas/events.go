package schemas

// EventKinds lists the kinds of event that the wire carries; an event of another kind is set aside.
func EventKinds() []string {
	return []string{
		"profile",   // what is true of the person: height, year of birth, sex ...
		"goal",      // what the person aims at
		"consent",   // what the person agreed to or withdrew
		"worn",      // the device was on the body; with value 0, it was not
		"charging",  // the device was on its charger
		"sampling",  // how the device measured: low_power, or heart_rate with value 0 when it did not measure that
		"cycle",     // what the person noted of the menstrual cycle: period, from its first to its last day
		"breathing", // a breathing exercise; value = breaths a minute, in thousandths
		"tag",       // a word of the person's own: illness, travel, alcohol ...
	}
}
