"""Streams the topic of JSON messages into Parquet, one row per part of a message, and prints what it took as JSON."""

import json
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

MESSAGE = """
    batch_id string, user_id string,
    device struct<id: string, model: string, firmware: string, kind: string, epoch: int>,
    utc_offset string, seq bigint, sent_at timestamp, source string,
    series array<struct<metric: string, start: timestamp, period_ms: int, times_ms: array<int>, values: array<int>>>,
    rr_runs array<struct<start: timestamp, intervals_ms: array<int>>>,
    workouts array<struct<id: string, sport: string, start: timestamp, `end`: timestamp,
        track: array<struct<metric: string, start: timestamp, period_ms: int, times_ms: array<int>, values: array<int>>>>>
"""


def process(java, name):
    """Reads a figure of the JVM's process, which is the one that works."""
    pid = java.lang.ProcessHandle.current().pid()
    with open(f"/proc/{pid}/{name}", encoding="ascii") as file:
        return file.read()


def cpu_seconds(java):
    user, system = process(java, "stat").rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / 100


def peak_rss(java):
    for line in process(java, "status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ValueError("the kernel does not tell the peak of memory")


def parts(messages):
    head = ["batch_id", "user_id", f.col("device.id").alias("device_id"), "utc_offset", "seq", "sent_at", "source"]
    series = f.expr(
        "transform(series, s -> named_struct('kind', 'series', 'name', cast(null as string), 'metric', s.metric,"
        " 'start_at', s.start, 'period_ms', s.period_ms, 'times_ms', s.times_ms, 'values', s.values))"
    )
    beats = f.expr(
        "transform(rr_runs, r -> named_struct('kind', 'rr_run', 'name', cast(null as string),"
        " 'metric', cast(null as string), 'start_at', r.start, 'period_ms', cast(null as int),"
        " 'times_ms', cast(null as array<int>), 'values', r.intervals_ms))"
    )
    tracks = f.expr(
        "flatten(transform(workouts, w -> transform(w.track, s -> named_struct('kind', 'workout_track', 'name', w.id,"
        " 'metric', s.metric, 'start_at', s.start, 'period_ms', s.period_ms, 'times_ms', s.times_ms,"
        " 'values', s.values))))"
    )
    empty = f.array()
    together = f.concat(f.coalesce(series, empty), f.coalesce(beats, empty), f.coalesce(tracks, empty))
    return messages.select(*head, f.explode(together).alias("part")).select(
        "batch_id", "user_id", "device_id", "utc_offset", "seq", "sent_at", "source", "part.*"
    )


def main():
    spec = json.loads(sys.argv[1])
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.jars", ",".join(spec["jars"]))
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        # Offsets by the consumer: the admin client asks for what the broker of the bench does not tell.
        .config("spark.sql.streaming.kafka.useDeprecatedOffsetFetching", "true")
        .config("spark.sql.shuffle.partitions", 1)
        .config("spark.sql.parquet.compression.codec", "zstd")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.driver.memory", "4g")
        .config("spark.local.dir", spec["scratch"])
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    java = spark.sparkContext._jvm.java
    raw = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", spec["broker"])
        .option("subscribe", spec["topic"])
        .option("startingOffsets", "earliest")
        .load()
    )
    messages = raw.select(f.from_json(f.col("value").cast("string"), MESSAGE).alias("m")).select("m.*")
    cpu, start = cpu_seconds(java), time.monotonic()
    query = (
        parts(messages)
        .writeStream.format("parquet")
        .option("path", spec["out"])
        .option("checkpointLocation", spec["checkpoint"])
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    wall = time.monotonic() - start
    print(json.dumps({"wall_s": wall, "cpu_s": cpu_seconds(java) - cpu, "peak_rss": peak_rss(java)}))
    spark.stop()


main()
