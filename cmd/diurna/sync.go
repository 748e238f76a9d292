package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

func newSyncCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Look how syncing goes for a person",
	}
	cmd.AddCommand(newSyncStatusCommand(a))
	return cmd
}

// syncStatusDays is how far back syncs are looked at.
const syncStatusDays = 30

func newSyncStatusCommand(a *app) *cobra.Command {
	var user, format string
	var days int
	cmd := &cobra.Command{
		Use:   "status --user USER",
		Short: "Show a person's devices: last sync, what was refused and why, what to do, and whether their clocks are right",
		Long: `Status says of each device of a person when it last synced, what of its data was set aside for which reason and what to
do about it, and whether the clock it is stamped by is right. A clock that is wrong is only told, never corrected: the
data stays as it was recorded.`,
		Example: "  diurna sync status --user some-person",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !schemas.ValidUserID(user) {
				return invalid("--user must be 1 to 64 of letters, digits, _ . and -")
			}
			if err := checkFormat(format); err != nil {
				return err
			}
			if days < 1 {
				return invalid("--days is %d: it must be 1 or more", days)
			}
			return a.withLake(cmd, func(_ *sql.DB, l *lake.Lake) error {
				devices, err := ingest.SyncStatus(cmd.Context(), l, user, a.now().AddDate(0, 0, -days))
				if err != nil {
					return err
				}
				if len(devices) == 0 {
					return &schemas.Error{Code: schemas.CodeNotFound, Message: fmt.Sprintf("no sync of this person in the last %d days", days)}
				}
				if format == "json" {
					return writeIndented(a.stdout, syncStatusJSON(devices))
				}
				return writeSyncStatus(a.stdout, devices)
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "`USER` whose devices are shown")
	cmd.Flags().IntVar(&days, "days", syncStatusDays, "how many `DAYS` back syncs are looked at")
	cmd.Flags().StringVar(&format, "format", "text", "`FORMAT`: text or json")
	if err := cmd.MarkFlagRequired("user"); err != nil {
		panic(err) // a slip in this function, found by the first test that runs
	}
	return cmd
}

func writeSyncStatus(w io.Writer, devices []ingest.DeviceStatus) error {
	var out bytes.Buffer
	for i, d := range devices {
		if i > 0 {
			out.WriteByte('\n')
		}
		name := d.DeviceID
		if name == "" {
			name = "(no valid device id)"
		}
		fmt.Fprintf(&out, "%s\n  last sync  %s, %s\n  clock      %s\n", name, d.LastSyncAt.Format(time.RFC3339), counted(d.Syncs, "sync", "syncs"), clockSentence(d.Clock))
		for _, r := range d.Refused {
			fmt.Fprintf(&out, "  refused    %s for %s, last %s\n             %s\n", counted(r.Values, "value or item", "values or items"), r.Reason,
				r.LastAt.Format(time.RFC3339), r.Remedy)
		}
		if len(d.Refused) == 0 {
			out.WriteString("  refused    nothing\n")
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

func clockSentence(c ingest.Clock) string {
	off := c.Skew.Abs().Round(time.Second)
	switch {
	case !c.Known:
		return "not known: too few syncs, or they do not agree"
	case !c.Wrong:
		return "right"
	case c.Skew > 0:
		return fmt.Sprintf("%s ahead: set the phone's clock by the network, then sync the watch", off)
	default:
		return fmt.Sprintf("%s behind, or syncs are that long on their way: set the phone's clock by the network, then sync the watch", off)
	}
}

type deviceJSON struct {
	DeviceID   string        `json:"device_id"`
	Syncs      int           `json:"sync_count"`
	LastSyncAt time.Time     `json:"last_sync_at"`
	Clock      clockJSON     `json:"clock"`
	Refused    []refusalJSON `json:"refused"`
}

type clockJSON struct {
	Known bool `json:"is_known"`
	Wrong bool `json:"is_wrong"`
	// Null unless it is known.
	SkewMedianS *float64 `json:"skew_median_s"`
	CorrectionS *float64 `json:"proposed_correction_s"`
}

type refusalJSON struct {
	Reason schemas.RejectReason `json:"reason"`
	Values int                  `json:"value_count"`
	LastAt time.Time            `json:"last_at"`
	Remedy string               `json:"remedy"`
}

func syncStatusJSON(devices []ingest.DeviceStatus) []deviceJSON {
	list := make([]deviceJSON, 0, len(devices))
	for _, d := range devices {
		j := deviceJSON{DeviceID: d.DeviceID, Syncs: d.Syncs, LastSyncAt: d.LastSyncAt, Refused: []refusalJSON{},
			Clock: clockJSON{Known: d.Clock.Known, Wrong: d.Clock.Wrong}}
		if d.Clock.Known {
			j.Clock.SkewMedianS, j.Clock.CorrectionS = new(d.Clock.Skew.Seconds()), new(d.Clock.Correction().Seconds())
		}
		for _, r := range d.Refused {
			j.Refused = append(j.Refused, refusalJSON(r))
		}
		list = append(list, j)
	}
	return list
}
