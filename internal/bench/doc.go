// Command bench measures Diurna. Its ingest runs beside what people use today: DuckDB's read_json and COPY, Bento's
// parquet_encode, and Spark Structured Streaming, all on the same messages, in turns, in one run on one machine. Of the
// memory of ingest, and of the models, it measures Diurna alone.
//
//	make bench/ingest   # from the root of the repository
//	make bench/ingest BENCHFLAGS='-peers duckdb,bento,spark'   # with Spark, which is downloaded and needs Java 17
//	make bench/memory   # 10 GiB of messages in Kafka, and what the process takes
//	make bench/models   # a day of 10,000 people through all models, and a late batch of one of them
//
// What they say stands in RESULTS.md, MEMORY.md and MODELS.md, each with the line that makes it.
//
// # Guarantees
//
// Every contender of ingest is a process of its own, held to one core; the Kafka broker is another process on another
// core. Every figure is the median of the runs, and a ratio is the median of the ratios within each round, so that a
// machine that is busy for a while slows both sides of it.
//
// What a contender wrote is read back with DuckDB: a run counts only when the files hold every sample of the messages.
//
// # Decisions
//
// The messages end where a buffer of ingest is full. What follows would wait for the age at which a buffer is written,
// which is a setting and no speed.
//
// The peers read a file of the messages in JSON, one a line, which lies in the page cache: neither DuckDB nor Bento pays
// for Kafka. They check no values, hash nothing, sync nothing to disk and keep no watermark. DuckDB writes the samples in
// three shapes, for there is no one shape that people would choose: the rows that Diurna writes, cut at hours (the same
// work, as far as DuckDB does it), the parts of messages as they came (less work), and a row per sample.
//
// The bars of ingest are meant against a row per sample, for that is the shape they were taken from: on other messages of
// the same mix DuckDB wrote 3.3 to 5.8 million samples a second of CPU as such rows, Bento 0.27 million, and a reader and
// writer of columns, not yet an ingest, 27 (protobuf) and 15 (JSON). 4 and 1.5 times the one and 15 times the other were
// chosen between. Rows of hours and lists left as they came are further shapes; their ratios stand beside it with the same
// bar, and hours are where we aim to hold it too, for that is the work that Diurna does. A row per part is no such aim: it
// leaves out the cutting.
//
// Bento is built in a module of its own (folder bento), because it needs another version of parquet-go than Diurna.
//
// The bench is a module of its own, because the product must not depend on what it is compared with.
package main
