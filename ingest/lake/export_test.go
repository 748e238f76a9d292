package lake

// EndRoundsAfter makes rounds of the merger end once they hold so many bytes.
func (m *Merger) EndRoundsAfter(bytes int) { m.roundBytes = bytes }
