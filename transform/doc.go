// Package transform turns the lake's silver tables into its gold tables by SQL models, and opens both for people who
// ask questions of them.
//
// # Writing a model
//
// A model is one file, models/<topic>/<table>.sql: a header comment, then one select that opens in any DuckDB shell.
//
//	-- heart_rate_days: one row per person and local date with at least one heart-rate sample.
//	--
//	-- grain:    user_id, local_date
//	-- inputs:   stg_heart_rate_held
//	-- build:    table
//	-- source:   methods the figures come from
//	-- method:   heart_rate_days/1
//	-- audit:    heart_rate_min_bpm <= heart_rate_max_bpm
//	-- caution:  what the figures cannot say
//
// The keys:
//
//   - grain: the columns that name a row. They are audited: unique and never null. Of a table the first is user_id and
//     the second the person's local date.
//   - inputs: every table the select reads: other models, definitions and, for models in staging, silver tables. Load
//     compares them with what DuckDB finds in the select. dirty_days is always there and is not listed; "none" reads
//     nothing.
//   - build: view or table. Models in staging are views.
//   - keep: "build" makes the rows of a view in staging that has a Go function once in a build, for all models that read
//     them. They are not there for readers.
//   - lookback: how far back rows may be read to make a day: "n days", "n days around" (both ways), or person (all of
//     the person's days). None means the day alone.
//   - daily: tables and kept views that are read, also through views, of which a row needs its own day alone, whatever
//     lookback and reach are.
//   - dates: a view, by person, date of the row that is made and local_date, of the dates of kept views that such a row needs;
//     without one, all that lookback reaches. A night may have begun two dates before that of waking, and seldom has.
//   - reach: which days a changed day changes: "n days" (that many later ones too), "n days around" (both ways), "n days
//     recorded" (that many later ones, as far as any table has days), week (its ISO week), month, forward (all later
//     days), holes of <inputs> (the days from the first to the last that changed, and on both sides of them up to the next
//     that one of these tables has), or person (all of the person's days). None means the day alone.
//   - closes: week, month or year: only the last day of such a period has rows. On other days nothing is built.
//   - source: where the formula comes from. Required of a table. Numbers of methods and rules ("methods 2.6", "product rule
//     S5") are explained in models/METHODS.md, those of worked examples (E064) in models/EXAMPLES.md; a test holds every
//     citation to it.
//   - audit: a predicate that no row may violate; one per line, as many as wanted. Null does not violate. A person's day
//     with a row that does is withheld: it has no rows.
//   - caution: when not to trust the figures.
//   - method: name/version, written to the column method_version. A new formula is a new version.
//   - sensitivity: cycle, of what concerns the menstrual cycle: see below.
//   - supersedes: "<model> before <date>": see below.
//   - go, series, order, output: see below.
//
// A line that begins with at least three spaces after the dashes continues the value above. An unknown key is an error.
//
// Every output column stands on its own line with a comment that gives unit and meaning: these comments are the data
// dictionary (Model.Columns). The last line is "select * from <last CTE>". Models outside staging stay inside the core
// of SQL that other engines share: no qualify, asof, pivot, lists, casts by colons or arithmetic with zones; local dates
// are stored with the data, so that there is no need for it. Thresholds are rows of the topic's own definitions.csv, of
// models/definitions.csv when several topics share them, and are read from the table definitions. Sums of
// floating-point numbers depend on their order, so a model sums integers or decimals and divides last: otherwise the same
// input would not give the same row.
//
// # Models in Go
//
// What sets are the wrong tool for (rolling medians, classifiers, tracks) a Go function does, over Arrow record batches.
// Such a model has the same file, header, tests and audits; its select makes the rows that go in, and may make lists of
// them wherever it stands: what comes one by one after the other goes in by the date.
//
//	-- go:       stage_sleep
//	-- order:    user_id, night_date, epoch_index
//	-- output:   user_id varchar: person
//	-- output:   night_date date: the person's date of waking
//	-- output:   stage varchar: awake, light, deep or rem
//
// The rows of the select go into the function (functions.go) in that order ("none" is for a function that looks at each
// row alone), and what it returns has the columns of the outputs, cast to their types; method_version is added. The
// function's fingerprint is part of the model's: a model with other coefficients is another model. Rows stream both ways,
// so that memory holds a batch and whatever the function keeps; package rows has what such a function needs for it.
//
//	-- series:   heart_rate, steps
//
// A view that is kept may name metrics: the hours of these in silver.series_hours go into its function as they lie in the
// lake, person by person and date by date, and the rows of the select beside them. DuckDB does not see them.
//
// # Changing a method
//
// A new formula never silently rewrites history. The model with the old formula stays, under a name with its version,
// and goes on for all days; the new one takes the table's name and says from which local date on it counts:
//
//	models/heart/resting_heart_rate_days_v1.sql    -- method:     resting_heart_rate_days/1
//	models/heart/resting_heart_rate_days.sql       -- method:     resting_heart_rate_days/2
//	                                               -- supersedes: resting_heart_rate_days_v1 before 2027-01-01
//
// The table's rows before that date are those of the old formula, also when their data comes later, so that the same
// data gives the same rows whenever a lake was upgraded. The table method_changes lists these dates: charts mark them,
// and comparisons do not reach across. A model whose method changed without a word about history is not built. One that
// changed under the same method (a mended slip) is, and the log says how many days say something else now.
//
// # Sensitive tables
//
// What concerns the menstrual cycle is kept apart by construction. The events that tell of it are in silver.cycle_events,
// and silver.events does not have them; only a model whose header says "sensitivity: cycle" may read them or a model that
// does, and Load refuses any other. Such models make rows for people whose consent (an event of kind consent named cycle)
// is in force. A Builder builds them like the others. A Reader has neither these tables nor these events unless
// Config.Show names the sensitivity, so that reports, medals, rankings and exports, which do not, cannot come upon them;
// of the commands only "diurna sql --show cycle" does.
//
// # Building
//
// A table is written for the days in the table dirty_days(user_id, local_date), which the model joins; a model with
// reach person joins it on user_id alone and writes all of that person's days. A row for a day or person that is not in
// dirty_days fails the build. What a model can read is cut to the dirty days widened by lookback, before it runs.
//
// Builder.Build takes the rows of silver.dirty_days that came after the table's own watermark (its property
// build.wm.<partition>) and are complete in silver (at most the smallest merge.wm.<partition> of silver's tables),
// follows them through the models with their reach, runs the model, audits the rows, compares them with those in the
// table, and rewrites only the files of the people whose rows differ. Rows and watermark travel in one commit.
//
// # Testing
//
// models/<topic>/<table>.txtar holds the cases: given rows as CSV, wanted rows as CSV. Columns left out of given rows are
// null, columns left out of wanted rows are not compared, dirty_days defaults to every person and day in the given
// rows. A file name is <case>/given/<table>, <case>/want, or <case>/want/<CTE> for a step on the way. Run
//
//	make test PKG=./transform TESTFLAGS='-run TestModels -update'
//
// to rewrite the wanted rows, then read the difference: it is medicine that changed. Columns and types of every model
// stand in models/schema.golden.
//
// # Guarantees
//
//   - Building day by day, in whatever order days arrive, gives the same rows as one full build.
//   - Building again changes nothing: no file is written when no row differs.
//   - A row that breaks an audit is in no table: its person's day has no rows, the log says of how many days that is so, and
//     everybody else's are built. A model whose rows break audits on days of many people fails, and so does one that breaks
//     its grain: that leaves the table as it was, and leaves alone the tables made from it.
//   - A changed model, definition or input model rebuilds its table and everything below it.
//   - No error and no log line holds a person's id or a value.
//   - A query that somebody typed cannot read or write a file that is not a table of the lake, nor write one that is.
//
// # Decisions
//
// Lookback can be person, and reach person or holes. The spine user_days has a row for every day between a person's first
// and last evidence, holes included: a new first day fills holes forwards, a new last day backwards, a deleted day empties
// both. No number of days says that. Yet what lies behind the next evidence stays: with a person built whole for each new
// day, sixty rows were made and compared for one.
//
// Lookback and reach can go around a day. A night is dated by its end, and a segment that arrives late can move the end of
// its neighbours' night to another date, earlier or later.
//
// A gold table is cut neither by person nor by month: what a build makes becomes a file of its own, and takes with it the
// smaller files there are. Cut by person, a new day of everybody rewrote all that lay behind it, four seconds for a
// thousand people with thirty days. Within a file rows are in order of person, in small row groups, so that one person is
// found without reading the others, and written again without them: of a file that a late batch changes, the groups that
// hold the person are made anew, and the others' bytes copied. Writing whole files anew was a fifth of a late batch among
// 10,000 people, and all of it grew with their number.
//
// Days are withheld one by one, because otherwise a height of nothing that one person typed in would keep the reports of
// everybody else from being made until somebody mends the model. What is withheld depends on the person's data alone, so
// that a full build withholds the same; missing is not wrong. That a model breaks its audits for many is another matter.
//
// A long reach is of recorded days. A day of today changes no day of the sixty to come, yet sixty times the person-days to
// look at are most of the work. It is for models whose every row needs a row of that day in a table they read,
// user_days mostly: when that day comes, it is dirty itself.
//
// What is passed on is what changed. The days on which a table's rows differ, not those that were looked at again, are
// the dirty days of the next model. When a build ended between the two, the next model's own watermark is behind, and
// its dirty days are followed from silver through the reach of every model above it.
//
// What the samples of a person's date come to is made once in a build, since two in three models of a day begin with it, and
// kept as one row with lists: its minutes, the histogram of its heart rates, its slots of rest. A row a minute took DuckDB
// twenty times as long to take in (10 ns a cell, for null ones too), and each model then sorted and grouped what had been in
// order; a list goes to a Go function as it lies, and unnesting one costs 2 ns a value. What does not fit into memory goes
// to DuckDB's temporary folder.
//
// What a new day needs of the days before it is kept in tables, as lists of its own size (rest_stretches, the hours of
// wear_days), and models say which dates of samples they need (dates): before, every new day told the samples of the two
// before it again, which was a fifth of the build.
//
// The samples themselves are read by the lake's own columns (lake.ScanHours) and not by DuckDB, which takes some 14 ns for
// a number in a list of a Parquet file where we take 3, and hands out the rows of a select only when it has all of them: of
// a day of 3,000 people, 27 million samples, 1.4 s of CPU became 0.3. Minutes that follow one another are two numbers of a
// list, the first and how many more: most lists of minutes are of a whole date.
//
// Arrow batches need DuckDB's build tag duckdb_arrow, which the Makefile sets. A scalar function registered with DuckDB
// would need none, but gets every element of a list boxed; and a stage or a split is a row, which no scalar function
// returns.
//
// An hour that two devices recorded is decided by the minute within the person's local date, so that a day can be built
// from its own hours. Two devices whose recorded offsets disagree about the date each count on their own date.
//
// Queries that people type are parsed first and refused unless they are selects. DuckDB's list of allowed paths, needed
// to read the lake's files with everything else shut, also allows COPY to overwrite them, and a select can call table
// functions that write logs: one of them ends the process (both tried on 1.5.5). So only table functions known to be
// harmless are let through.
//
// A table whose columns change is dropped and made anew; between the two commits readers find it empty.
package transform
