package schemas

// EventKinds lists the kinds of event that the wire carries; an event of another kind is set aside.
func EventKinds() []string {
	return []string{
		"profile",   // what is true of the person: height, year of birth, sex ...
		"goal",      // what the person aims at
		"consent",   // what the person agreed to or withdrew
		"worn",      // the device was on the body
		"charging",  // the device was on its charger
		"sampling",  // how often the device measured
		"cycle",     // what the person noted of the menstrual cycle
		"breathing", // a breathing exercise
		"tag",       // a word of the person's own: illness, travel, alcohol ...
	}
}
