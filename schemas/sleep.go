package schemas

// A SleepStage is what a watch can see of sleep. It does not see N1 and N2 apart, so neither do we; the AASM reading
// stands beside each stage.
type SleepStage string

// The sleep stages. A night belongs to the local date on which its main sleep ends, at the offset recorded with that
// end; this is the only place that says so.
const (
	StageAwake    SleepStage = "awake"      // AASM W, in bed
	StageLight    SleepStage = "light"      // AASM N1 + N2
	StageDeep     SleepStage = "deep"       // AASM N3
	StageREM      SleepStage = "rem"        // AASM R
	StageAsleep   SleepStage = "asleep"     // asleep, stage not told
	StageOutOfBed SleepStage = "out_of_bed" // left the bed during the night
	StageUnknown  SleepStage = "unknown"    // in a sleep record, state not told
)

// SleepStages lists every stage in the order of the wire's enumeration (schemas/sync/v1: value = index + 1).
func SleepStages() []SleepStage {
	return []SleepStage{StageAwake, StageLight, StageDeep, StageREM, StageAsleep, StageOutOfBed, StageUnknown}
}
