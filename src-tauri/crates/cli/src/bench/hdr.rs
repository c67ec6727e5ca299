//! `--hdr FILE`: a log of one histogram a second, in the format of HdrHistogram's own log tools. Values are
//! microseconds.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use hdrhistogram::serialization::{
    V2DeflateSerializer,
    interval_log::{IntervalLogWriterBuilder, Tag},
};
use lab_bench::Progress;

/// A log being written.
pub(super) struct HdrLog {
    path: PathBuf,
    file: BufWriter<File>,
    began: bool,
}

impl HdrLog {
    pub fn create(path: PathBuf) -> anyhow::Result<Self> {
        let file = File::create(&path).with_context(|| format!("--hdr: can't write {}", path.display()))?;
        Ok(Self { path, file: BufWriter::new(file), began: false })
    }

    /// Appends one second.
    pub fn add(&mut self, progress: &Progress) -> anyhow::Result<()> {
        let from_s = (progress.elapsed_s - progress.interval_s).max(0.0);
        // The log's writer borrows what it writes to, so it is made anew for each line, and told the file's
        // head the first time only.
        let mut line = Vec::new();
        let mut serializer = V2DeflateSerializer::new();
        let mut builder = IntervalLogWriterBuilder::new();
        if !self.began {
            let now = SystemTime::now();
            let start = now.checked_sub(Duration::from_secs_f64(progress.elapsed_s)).unwrap_or(now);
            builder.add_comment("[latencies in microseconds]").with_start_time(start).with_base_time(start);
        }
        let mut writer = builder.begin_log_with(&mut line, &mut serializer)?;
        writer
            .write_histogram(
                progress.histogram.as_ref(),
                Duration::from_secs_f64(from_s),
                Duration::from_secs_f64(progress.interval_s),
                None::<Tag<'_>>,
            )
            .map_err(|error| anyhow::anyhow!("--hdr: {error}"))?;
        self.began = true;
        self.file.write_all(&line).with_context(|| self.failed())
    }

    /// Writes what is left to be written.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.file.flush().with_context(|| self.failed())
    }

    fn failed(&self) -> String {
        format!("--hdr: can't write {}", self.path.display())
    }
}
