package main

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

func newAccountCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "account",
		Short: "Look after a person's account",
	}
	cmd.AddCommand(newAccountSetCommand(a))
	return cmd
}

// accountFlags are what can be set. A flag that was not given changes nothing.
type accountFlags struct {
	user, country, sex, zone string
	optIn, optOut            []string
	birthYear, stepGoal      int32
}

func newAccountSetCommand(a *app) *cobra.Command {
	var f accountFlags
	cmd := &cobra.Command{
		Use:   "set --user USER",
		Short: "Set a person's consents, profile and goals",
		Long: `Set says something about a person from now on: what they consent to, who they are, what they aim for. It travels
as a sync batch through Kafka like everything else, so that it is recorded in the lake with its date; figures of earlier
days keep what was true then.`,
		Example: "  diurna account set --user some-person --opt-in ranking --country DE --step-goal 8000",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.setAccount(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.user, "user", "", "`USER` the account is of")
	flags.StringSliceVar(&f.optIn, "opt-in", nil, "consent to: `ranking`")
	flags.StringSliceVar(&f.optOut, "opt-out", nil, "take the consent back: `ranking`")
	flags.StringVar(&f.country, "country", "", "ISO 3166 `CODE` of the country, as DE")
	flags.StringVar(&f.sex, "sex", "", "`SEX` as given: female, male, other or none")
	flags.Int32Var(&f.birthYear, "birth-year", 0, "`YEAR` of birth")
	flags.Int32Var(&f.stepGoal, "step-goal", 0, "`STEPS` a day to aim for")
	flags.StringVar(&f.zone, "time-zone", "", "IANA `ZONE` reports are timed by, as Europe/Berlin")
	if err := cmd.MarkFlagRequired("user"); err != nil {
		panic(err) // a slip in this function, found by the first test that runs
	}
	addPipelineFlags(flags)
	return cmd
}

func (a *app) setAccount(cmd *cobra.Command, f accountFlags) error {
	cfg, log, err := a.setUp(cmd)
	if err != nil {
		return err
	}
	if !schemas.ValidUserID(f.user) {
		return invalid("--user must be 1 to 64 of letters, digits, _ . and -")
	}
	events, err := f.events(a.now())
	if err != nil {
		return err
	}
	ctx, s, err := openSession(cmd.Context(), cfg, log)
	if err != nil {
		return err
	}
	value, err := syncv1.EncodeProto(&syncv1.Batch{
		BatchID: "account-" + rand.Text(), UserID: f.user, Device: syncv1.Device{ID: "account", Kind: "app"},
		SentAtMS: a.now().UnixMilli(), TimeZone: f.zone, Source: syncv1.SourceManual, Events: events,
	})
	if err == nil {
		err = s.publish(ctx, []kafka.Record{{Key: f.user, Value: value, ContentType: syncv1.ContentTypeProto}})
	}
	if err == nil {
		_, err = s.wait(ctx)
	}
	return errors.Join(err, s.close())
}

// events turns the flags into events that hold from now on.
func (f accountFlags) events(now time.Time) ([]syncv1.Event, error) {
	var events []syncv1.Event
	add := func(kind, name string, value *int32, text string) {
		events = append(events, syncv1.Event{Kind: kind, Name: name, StartMS: now.UnixMilli(), Value: value, Text: text})
	}
	for _, consent := range []struct {
		names []string
		value int32
	}{{f.optIn, 1}, {f.optOut, 0}} {
		for _, name := range consent.names {
			if name != "ranking" {
				return nil, invalid("%q cannot be consented to here: ranking can", name)
			}
			add("consent", name, new(consent.value), "")
		}
	}
	if f.country != "" {
		if len(f.country) != 2 || strings.ToUpper(f.country) != f.country {
			return nil, invalid("--country is %q: it must be an ISO 3166 code of two capitals, as DE", f.country)
		}
		add("profile", "country", nil, f.country)
	}
	if f.sex != "" {
		if !slices.Contains([]string{"female", "male", "other", "none"}, f.sex) {
			return nil, invalid("--sex is %q: it must be female, male, other or none", f.sex)
		}
		add("profile", "sex", nil, f.sex)
	}
	if f.birthYear != 0 {
		if year := int32(now.Year()); f.birthYear < year-120 || f.birthYear > year {
			return nil, invalid("--birth-year is %d: nobody alive was born then", f.birthYear)
		}
		add("profile", "birth_year", new(f.birthYear), "")
	}
	if f.stepGoal != 0 {
		if f.stepGoal < 500 || f.stepGoal > 100_000 {
			return nil, invalid("--step-goal is %d: a goal lies between 500 and 100,000 steps", f.stepGoal)
		}
		add("goal", "steps", new(f.stepGoal), "")
	}
	if f.zone != "" {
		if _, err := time.LoadLocation(f.zone); err != nil || f.zone == "Local" {
			return nil, invalid("--time-zone is %q: there is no such IANA time zone", f.zone)
		}
		add("profile", "time_zone", nil, f.zone)
	}
	if len(events) == 0 {
		return nil, invalid("nothing to set: give --opt-in, --opt-out, --country, --sex, --birth-year, --step-goal or --time-zone")
	}
	return events, nil
}
