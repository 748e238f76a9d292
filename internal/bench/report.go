package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// A report is everything a run of bench ingest found.
type report struct {
	Command string
	Load    string // before the run
	Runs    int
	Corpus  corpus

	proto, json   *contender
	duckDB, bento []*contender
	spark         *contender

	mergePeople int
	merge       *contender
	mergeDuckDB []*contender
	silver      *silverSize
}

// contenders lists those that run on the messages, in the order in which they take turns.
func (r *report) contenders() []*contender {
	all := append([]*contender{r.proto, r.json}, r.duckDB...)
	all = append(all, r.bento...)
	if r.spark != nil {
		all = append(all, r.spark)
	}
	return all
}

// write writes the report as Markdown to standard output and, when out is not "", to that file.
func (r *report) write(ctx context.Context, out string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Ingest beside its peers\n\n")
	fmt.Fprintf(&b, "    %s\n\n", r.Command)
	where, err := machine(ctx, r.Load)
	if err != nil {
		return err
	}
	b.WriteString(where)
	r.writeMessages(&b)
	r.writeRatios(&b)
	r.writeContenders(&b)
	r.writeNotes(&b)
	return deliver(b.Bytes(), out)
}

func (r *report) writeMessages(w io.Writer) {
	c := r.Corpus
	fmt.Fprintf(w, "Messages: %d of one to eight hours, %.1f M samples; %.2f bytes per sample as protobuf, %.2f as JSON. "+
		"Every figure is the median of %d runs in turns; each contender is a process held to one core, the broker one on "+
		"another core.\n\n", c.Messages, float64(c.Samples)/1e6, float64(c.ProtoBytes)/float64(c.Samples),
		float64(c.JSONBytes)/float64(c.Samples), r.Runs)
}

// A ratio is one line of the first table.
type ratio struct {
	path      string
	ours      *contender
	peers     []*contender
	bar, goal string
}

func (r *report) ratios() []ratio {
	const protoPath, jsonPath = "protobuf via Kafka to committed bronze", "JSON via Kafka to committed bronze"
	var all []ratio
	if len(r.duckDB) > 0 {
		all = append(all, ratio{protoPath, r.proto, r.duckDB, "4", "25"}, ratio{jsonPath, r.json, r.duckDB, "1.5", "10"})
	}
	if len(r.bento) > 0 {
		all = append(all, ratio{jsonPath, r.json, r.bento, "15", "10"})
	}
	if r.spark != nil {
		all = append(all, ratio{jsonPath, r.json, []*contender{r.spark}, "none", "10"})
	}
	if r.merge != nil {
		all = append(all, ratio{"bronze to silver", r.merge, r.mergeDuckDB, "5", "15"})
	}
	return all
}

func (r *report) writeRatios(w io.Writer) {
	fmt.Fprint(w, "| path | M samples/s | goal | beside | M samples/s | ratio | ratio per CPU second | bar |\n")
	fmt.Fprint(w, "|---|---|---|---|---|---|---|---|\n")
	for _, x := range r.ratios() {
		for _, peer := range x.peers {
			fmt.Fprintf(w, "| %s | %.2f | %s | %s | %.2f | %.2f | %.2f | %s |\n", x.path, x.ours.median(wallRate), x.goal,
				peer.name, peer.median(wallRate), medianRatio(x.ours, peer, wallRate), medianRatio(x.ours, peer, cpuRate), x.bar)
		}
	}
	if r.silver != nil {
		r.silver.writeRatios(w)
	}
	fmt.Fprintln(w)
}

func (r *report) writeContenders(w io.Writer) {
	fmt.Fprint(w, "| contender | M samples/s | least to most | M samples/CPU s | peak memory, MiB | bytes per sample written |\n")
	fmt.Fprint(w, "|---|---|---|---|---|---|\n")
	all := r.contenders()
	if r.merge != nil {
		all = append(append(all, r.merge), r.mergeDuckDB...)
	}
	for _, c := range all {
		rates := c.sorted(wallRate)
		fmt.Fprintf(w, "| %s | %.2f | %.2f to %.2f | %.2f | %.0f | %.2f |\n", c.name, c.median(wallRate), rates[0],
			rates[len(rates)-1], c.median(cpuRate), c.median(peakMiB), c.median(bytesPerSample))
	}
	fmt.Fprintln(w)
}

// writeNotes says what makes the comparison unequal.
func (r *report) writeNotes(w io.Writer) {
	fmt.Fprint(w, `What is compared:

- Diurna reads Kafka, checks every value and time, cuts series at UTC hours and local midnights, writes sorted by offset,
  hashes and syncs every file, and commits rows and watermark as one Iceberg snapshot. The time ends with the commit that
  holds the last message. Its JSON reader refuses duplicate and unknown fields.
`)
	if len(r.duckDB) > 0 {
		fmt.Fprint(w, `- DuckDB reads a file of the same JSON messages from the page cache with the columns given, on one thread. It checks no
  value, hashes nothing, syncs nothing and keeps no watermark. Row per hour makes the rows that Diurna makes, all but the
  cuts at local midnights within an hour. Row per part does less: it leaves the values in the lists in which they came.
  Row per sample gives each its time.
`)
	}
	if len(r.bento) > 0 {
		fmt.Fprint(w, `- Bento reads the same file with one thread of processing and does as little as DuckDB does for the same rows. The time is
  that of its process, from start to end.
`)
	}
	if r.spark != nil {
		fmt.Fprint(w, `- Spark streams the same topic with one thread and a checkpoint, as row per part. The time is that of the query, without
  the start of the JVM but with its warming up; memory is the JVM's.
`)
	}
	if r.merge != nil {
		fmt.Fprintf(w, `- Merge: the day of %d people in messages of a quarter of an hour, one in twenty sent again; samples are those of series.
  Diurna writes all silver tables, hashed and synced, and the list of days that changed. DuckDB writes one file of hours,
  and settles neither deletions nor samples that move to another row. Both results hold the same samples.
- Compacted silver: the day of the same people in messages of one to eight hours, merged and compacted in full; the table of
  series with all its columns, winning revisions included.
`, r.mergePeople)
	}
	fmt.Fprintln(w)
}

// deliver writes a finished report.
func deliver(text []byte, out string) error {
	if _, err := os.Stdout.Write(text); err != nil {
		return err
	}
	if out == "" {
		return nil
	}
	return os.WriteFile(out, text, 0o644) //nolint:gosec // a document for everybody
}

// A figure is one number of a run.
type figure func(c *contender, r result) float64

func wallRate(c *contender, r result) float64 { return float64(c.samples) / 1e6 / r.Wall.Seconds() }

func cpuRate(c *contender, r result) float64 { return float64(c.samples) / 1e6 / r.CPU.Seconds() }

func peakMiB(_ *contender, r result) float64 { return float64(r.PeakRSS) / (1 << 20) }

func bytesPerSample(c *contender, r result) float64 { return float64(r.Bytes) / float64(c.written()) }

func (c *contender) sorted(f figure) []float64 {
	all := make([]float64, len(c.results))
	for i, r := range c.results {
		all[i] = f(c, r)
	}
	slices.Sort(all)
	return all
}

func (c *contender) median(f figure) float64 { return median(c.sorted(f)) }

// medianRatio compares round by round: what slows the machine for a while slows both.
func medianRatio(ours, peer *contender, f figure) float64 {
	all := make([]float64, len(ours.results))
	for i := range all {
		all[i] = f(ours, ours.results[i]) / f(peer, peer.results[i])
	}
	slices.Sort(all)
	return median(all)
}

// median is of numbers in order.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// A memoryReport is what a run of bench memory found.
type memoryReport struct {
	Command, Load     string
	Flags             memoryFlags
	Messages, Samples int
	Result            result
}

const mayPeakMiB = 1024

func (r *memoryReport) write(ctx context.Context, out string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Memory with a backlog\n\n    %s\n\n", r.Command)
	where, err := machine(ctx, r.Load)
	if err != nil {
		return err
	}
	b.WriteString(where)
	fmt.Fprint(&b, "| backlog, GiB | form | partitions | messages | M samples | peak memory of ingest, MiB | bar, MiB | M samples/s | took |\n")
	fmt.Fprint(&b, "|---|---|---|---|---|---|---|---|---|\n")
	fmt.Fprintf(&b, "| %.1f | %s | %d | %d | %.0f | %.0f | %d | %.2f | %s |\n\n", r.Flags.gib, r.Flags.form, r.Flags.partitions,
		r.Messages, float64(r.Samples)/1e6, float64(r.Result.PeakRSS)/(1<<20), mayPeakMiB,
		float64(r.Samples)/1e6/r.Result.Wall.Seconds(), r.Result.Wall.Round(time.Second))
	return deliver(b.Bytes(), out)
}
