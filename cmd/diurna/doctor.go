package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/home"
)

// enoughSpace is how much room a home should have: less may not be enough for the next rewrite of a large table.
const enoughSpace = 1 << 30

func newDoctorCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check that this machine and home are well",
		Long: `Doctor looks at the machine and, when there is one, at the home, and says of each thing whether it is well. It
changes nothing. Exit code 1 means that something needs attention.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd) },
	}
}

// A finding is what the doctor says of one thing.
type finding struct {
	what, says string
	ill        bool
}

func (a *app) doctor(cmd *cobra.Command) error {
	cfg, log, err := a.setUp(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	findings := []finding{{what: "machine", says: fmt.Sprintf("%d processors, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)}}
	h, err := home.Open(cfg.Home)
	if err != nil {
		findings = append(findings, finding{"home", err.Error(), true})
	} else {
		findings = append(findings, finding{what: "home", says: h.Dir()}, spaceOf(h.Dir()), runningFinding(h))
		db, l, err := openLake(ctx, cfg, h, log)
		if err != nil {
			findings = append(findings, finding{"ledger", err.Error(), true})
		} else {
			findings = append(findings, ledgerFinding(ctx, db), filesFinding(ctx, l))
			err = db.Close()
		}
		if err != nil {
			return err
		}
	}
	ill := 0
	for _, f := range findings {
		mark := "ok  "
		if f.ill {
			mark = "ILL "
			ill++
		}
		fmt.Fprintf(a.stdout, "%s %-8s %s\n", mark, f.what, f.says)
	}
	if ill > 0 {
		return fmt.Errorf("%d of %d things need attention", ill, len(findings))
	}
	return nil
}

func spaceOf(dir string) finding {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return finding{"disk", "free space cannot be told: " + err.Error(), true}
	}
	free := int64(fs.Bavail) * fs.Bsize
	if free < enoughSpace {
		return finding{"disk", fmt.Sprintf("only %s are free: make room, or move the home", humanSize(free)), true}
	}
	return finding{what: "disk", says: humanSize(free) + " free"}
}

func runningFinding(h *home.Home) finding {
	run, ok, err := h.ReadRun()
	switch {
	case err != nil:
		return finding{"pipeline", err.Error(), true}
	case !ok:
		return finding{what: "pipeline", says: "none runs on this home"}
	default:
		return finding{what: "pipeline", says: fmt.Sprintf("process %d, Kafka at %v", run.Process, run.Brokers)}
	}
}

func ledgerFinding(ctx context.Context, db *sql.DB) finding {
	var verdict string
	if err := db.QueryRowContext(ctx, "pragma quick_check(1)").Scan(&verdict); err != nil {
		return finding{"ledger", err.Error(), true}
	}
	if verdict != "ok" {
		return finding{"ledger", "the database is damaged: restore it from a backup. SQLite says: " + verdict, true}
	}
	return finding{what: "ledger", says: "sound"}
}

// filesFinding looks whether every live data file is there and whole by its size.
func filesFinding(ctx context.Context, l *lake.Lake) finding {
	files, missing, cut := 0, 0, 0
	err := eachTable(ctx, l, func(s *lake.Snapshot) error {
		for _, f := range s.Files {
			files++
			switch object, err := l.Store().Stat(ctx, f.Path); {
			case errors.Is(err, fs.ErrNotExist):
				missing++
			case err != nil:
				return err
			case object.Bytes != f.Bytes:
				cut++
			}
		}
		return nil
	})
	if err != nil {
		return finding{"lake", err.Error(), true}
	}
	if missing+cut > 0 {
		return finding{"lake", fmt.Sprintf("of %d live data files %d are missing and %d have another size than they were written with: "+
			"restore them from a backup", files, missing, cut), true}
	}
	return finding{what: "lake", says: fmt.Sprintf("all %d live data files are there", files)}
}
