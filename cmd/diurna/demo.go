package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/internal/population"
	"github.com/diurna-health/diurna/reports/schedule"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

const (
	demoSeed = 1
	demoHome = "./diurna-demo" // not the default of real homes: the two must not mix
)

func newDemoCommand(a *app) *cobra.Command {
	var people int
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run everything on a made-up population and show its pages",
		Long: `Demo makes up some people with habits, jobs, naps and journeys, has their watches sync ten weeks of days through the
whole pipeline, and serves the pages of one of them until Ctrl-C. Everybody's report of last week falls into the home's
outbox once it is morning where they are. It leaves a home to explore: every other command works
on it with --home ` + demoHome + `.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := a.setUp(cmd)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("home") && cfg.Home == DefaultConfig().Home {
				cfg.Home = demoHome
			}
			if !cmd.Flags().Changed("http") {
				cfg.HTTP.Address = "127.0.0.1:0"
			}
			cfg.Broker.Address = "127.0.0.1:0"
			cfg.Ingest.FlushAge = min(cfg.Ingest.FlushAge, ownFlushAge)
			return a.demo(cmd.Context(), cfg, log, people)
		},
	}
	cmd.Flags().IntVar(&people, "people", population.DefaultPeople, "how `MANY` people to make up")
	addSettingFlag(cmd.Flags(), "http", "http.address")
	return cmd
}

func (a *app) demo(ctx context.Context, cfg Config, log *slog.Logger, people int) error {
	today := schemas.DateOf(a.now().UnixMilli(), 0)
	from, to := population.Span(today, population.DefaultWeeks)
	made, err := population.New(population.Config{Seed: demoSeed, People: people, From: from, To: to})
	if err != nil {
		return err
	}
	web, err := listen(ctx, cfg.HTTP.Address)
	if err != nil {
		return err
	}
	p, err := startPipeline(ctx, cfg, log, role{ingests: true, stays: true})
	if err != nil {
		web.close()
		return err
	}
	pages := newPages(p)
	pages.mount(web.mux)
	p.built = pages.lake.changed
	scheduler, err := newScheduler(ctx, p, pages.lake)
	if err != nil {
		web.close()
		return errors.Join(err, p.close())
	}
	p.settler.scheduler = scheduler
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.run(ctx) })
	group.Go(func() error { return web.serve(ctx) })
	group.Go(func() error {
		if err := a.showDemo(ctx, p, web, made); err != nil || ctx.Err() != nil {
			return err
		}
		return scheduler.Run(ctx, schedule.DefaultTicks)
	})
	return errors.Join(group.Wait(), p.close())
}

// showDemo sends what the population's devices have to say, waits until all of it is built, and prints where to look.
func (a *app) showDemo(ctx context.Context, p *pipeline, web *server, made *population.Population) error {
	fmt.Fprintf(a.stderr, "%d made-up people; their watches sync ten weeks ...\n", len(made.People()))
	sent, err := sendPopulation(ctx, p.topic, made)
	if err == nil {
		err = waitBuilt(ctx, p.lake, p.project, p.topic.Identity(), sent)
	}
	if err == nil {
		err = p.settler.settle(ctx)
	}
	week := schemas.ISOWeekOf(schemas.DateOf(a.now().UnixMilli(), 0)).Previous()
	for _, person := range made.People() {
		if err == nil { // the schedule expects nothing of before it met somebody
			err = p.settler.scheduler.Expect(ctx, person.UserID, week)
		}
	}
	if err != nil {
		return endOf(ctx, err)
	}
	web.ready.Store(true)
	shown := made.People()[0].UserID
	for _, page := range []struct{ name, path string }{
		{"Report", "/people/" + shown + "/reports/" + week.String()},
		{"Ranking", "/people/" + shown + "/rankings/steps-week/" + week.String()},
		{"Medals", "/people/" + shown + "/medals"},
	} {
		if err := answers(ctx, web.url(page.path)); err != nil {
			return endOf(ctx, fmt.Errorf("open the page of %s: %w", page.name, err))
		}
		fmt.Fprintf(a.stdout, "%s: %s\n", page.name, web.url(page.path))
	}
	fmt.Fprintf(a.stderr, "the home is %s; Ctrl-C ends the demo\n", p.home.Dir())
	return nil
}

func sendPopulation(ctx context.Context, topic *kafka.Topic, made *population.Population) (kafka.Positions, error) {
	producer := topic.Producer()
	sent := kafka.Positions{}
	var group []*syncv1.Batch
	flush := func() error {
		positions, err := producer.PublishBatches(ctx, group)
		sent.Add(positions)
		group = group[:0]
		return err
	}
	for batch := range made.Batches() {
		group = append(group, batch)
		if len(group) == publishGroup {
			if err := flush(); err != nil {
				return nil, errors.Join(err, producer.Close())
			}
		}
	}
	return sent, errors.Join(flush(), producer.Close())
}

// answers returns nil once the page answers 200.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", response.Status)
	}
	return nil
}
