//! The flags of `bench`, spelt as in etcd's own `benchmark`, with its defaults.
//!
//! That tool takes every flag before or after the workload's name (the talk writes `--consistency=s range /`), so all
//! flags are global here; one that doesn't belong to the workload is refused rather than ignored.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use lab::api::Problem;
use lab_bench::{BenchSpec, Compact, Consistency, Put, Range, Workload};

use super::Usage;

/// Put a load on a cluster and measure it.
#[derive(Args, Debug)]
pub struct BenchArgs {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    workload: WorkloadArgs,
}

#[derive(Subcommand, Debug)]
enum WorkloadArgs {
    /// Write keys.
    Put,
    /// Read a key, or the keys from KEY up to RANGE_END.
    Range {
        /// First key.
        key: String,
        /// End of the range, exclusive; without it, the one key is read.
        range_end: Option<String>,
    },
}

#[derive(Args, Debug)]
struct Flags {
    /// Client addresses of the members; each connection belongs to one of them, given out in turn [default: those of
    /// the lab that runs, or else the topology's].
    #[arg(long, global = true, value_delimiter = ',', value_name = "HOST:PORT,…")]
    endpoints: Option<Vec<String>>,
    /// Connections in all.
    #[arg(long, global = true, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    conns: u32,
    /// Clients in all: requests at a time.
    #[arg(long, global = true, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    clients: u32,
    /// Longest that opening a connection may take, such as 500ms or 3s [default: 5s].
    #[arg(long, global = true, value_name = "TIME", value_parser = duration, allow_hyphen_values = true)]
    dial_timeout: Option<Duration>,
    /// Requests in all [default: 10000, without a limit when --duration is given].
    #[arg(long, global = true, value_name = "N", allow_negative_numbers = true)]
    total: Option<u64>,
    /// Requests a second; latency then counts from the moment a request was due. 0: as fast as answers come.
    #[arg(long, global = true, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    rate: u32,
    /// End after this long, such as 30s or 5m.
    #[arg(long, global = true, value_name = "TIME", value_parser = duration, allow_hyphen_values = true)]
    duration: Option<Duration>,
    /// Longest that a request may take before it counts as an error; 0: for ever [default: 1m].
    #[arg(long, global = true, value_name = "TIME", value_parser = duration, allow_hyphen_values = true)]
    timeout: Option<Duration>,
    /// Where random keys and values come from: the same seed gives the same load.
    #[arg(long, global = true, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,
    /// One JSON object a line: progress each second, the report at the end.
    #[arg(long, global = true)]
    json: bool,
    /// Write the latencies of each second to FILE, as an HdrHistogram log.
    #[arg(long, global = true, value_name = "FILE")]
    hdr: Option<PathBuf>,

    /// Bytes of a key [default: 8].
    #[arg(long, global = true, value_name = "BYTES", help_heading = "Put", allow_negative_numbers = true)]
    key_size: Option<u32>,
    /// Bytes of a value [default: 8].
    #[arg(long, global = true, value_name = "BYTES", help_heading = "Put", allow_negative_numbers = true)]
    val_size: Option<u32>,
    /// Number of different keys [default: 1].
    #[arg(long, global = true, value_name = "N", help_heading = "Put", allow_negative_numbers = true)]
    key_space_size: Option<u64>,
    /// Write keys in order instead of at random.
    #[arg(
        long, global = true, value_name = "BOOL", help_heading = "Put",
        num_args = 0..=1, require_equals = true, default_missing_value = "true"
    )]
    sequential_keys: Option<bool>,
    /// Compact each time this long has passed, such as 10s; 0: never.
    #[arg(
        long, global = true, value_name = "TIME", help_heading = "Put",
        value_parser = duration, allow_hyphen_values = true
    )]
    compact_interval: Option<Duration>,
    /// Revisions that a compaction keeps [default: 1000].
    #[arg(long, global = true, value_name = "N", help_heading = "Put", allow_negative_numbers = true)]
    compact_index_delta: Option<u64>,

    /// Who may answer: l, linearizable; s, serializable [default: l].
    #[arg(long, global = true, value_name = "l|s", help_heading = "Range", value_parser = consistency)]
    consistency: Option<Consistency>,
}

/// Everything `bench` was told.
#[derive(Debug)]
pub(super) struct Told {
    pub spec: BenchSpec,
    pub warnings: Vec<String>,
    pub json: bool,
    pub hdr: Option<PathBuf>,
}

impl BenchArgs {
    /// The load meant, checked; on the members at `usual` when none are named.
    pub(super) fn told(self, usual: impl FnOnce() -> Result<Vec<String>, Problem>) -> Result<Told, Usage> {
        let Self { flags, workload } = self;
        flags.refuse_others(&workload)?;
        let endpoints = match &flags.endpoints {
            Some(endpoints) => endpoints.clone(),
            None => usual()
                .map_err(|problem| Usage(format!("--endpoints: {} {}", problem.sentence, problem.next)))?,
        };
        let mut warnings = Vec::new();
        let workload = match workload {
            WorkloadArgs::Put => Workload::Put(flags.put(&mut warnings)),
            WorkloadArgs::Range { key, range_end } => {
                Workload::Range(Range { key, range_end, consistency: flags.consistency.unwrap_or_default() })
            }
        };
        let total = flags.total.or(flags.duration.is_none().then_some(BenchSpec::DEFAULT_TOTAL));
        let spec = BenchSpec {
            conns: flags.conns,
            clients: flags.clients,
            total,
            rate: (flags.rate > 0).then_some(flags.rate),
            duration: flags.duration,
            timeout: flags.timeout.map_or(Some(BenchSpec::DEFAULT_TIMEOUT), or_none),
            dial_timeout: flags.dial_timeout.and_then(or_none),
            seed: flags.seed,
            ..BenchSpec::new(endpoints.iter().map(|endpoint| endpoint.trim()), workload)
        };
        spec.validate()?;
        warnings.extend(spec.warnings());
        Ok(Told { spec, warnings, json: flags.json, hdr: flags.hdr })
    }
}

impl Flags {
    fn put(&self, warnings: &mut Vec<String>) -> Put {
        let default = Put::default();
        let index_delta = self.compact_index_delta.unwrap_or(Compact::DEFAULT_INDEX_DELTA);
        let interval = self.compact_interval.and_then(or_none);
        if self.compact_index_delta.is_some() && interval.is_none() {
            warnings.push("--compact-index-delta: nothing is compacted without --compact-interval".into());
        }
        Put {
            key_size: self.key_size.unwrap_or(default.key_size),
            val_size: self.val_size.unwrap_or(default.val_size),
            key_space_size: self.key_space_size.unwrap_or(default.key_space_size),
            sequential_keys: self.sequential_keys.unwrap_or(default.sequential_keys),
            compact: interval.map(|interval| Compact { interval, index_delta }),
        }
    }

    /// Flags of another workload mean a mistake, and are told instead of being without effect.
    fn refuse_others(&self, workload: &WorkloadArgs) -> Result<(), Usage> {
        let put = [
            ("--key-size", self.key_size.is_some()),
            ("--val-size", self.val_size.is_some()),
            ("--key-space-size", self.key_space_size.is_some()),
            ("--sequential-keys", self.sequential_keys.is_some()),
            ("--compact-interval", self.compact_interval.is_some()),
            ("--compact-index-delta", self.compact_index_delta.is_some()),
        ];
        let range = [("--consistency", self.consistency.is_some())];
        let (others, owner) = match workload {
            WorkloadArgs::Put => (&range[..], "range"),
            WorkloadArgs::Range { .. } => (&put[..], "put"),
        };
        match others.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Usage(format!("{flag}: belongs to `bench {owner}`"))),
            None => Ok(()),
        }
    }
}

/// Go's flags say "never" and "for ever" with a zero.
fn or_none(duration: Duration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}

/// Durations as Go's flags take them: `10s`, `1m30s`, `1.5h`, and a bare `0`.
pub fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let duration: jiff::SignedDuration =
        text.parse().map_err(|_| String::from("not a time such as 500ms, 10s or 1m30s"))?;
    duration.try_into().map_err(|_| String::from("must not be negative"))
}

fn consistency(text: &str) -> Result<Consistency, String> {
    match text {
        "l" => Ok(Consistency::Linearizable),
        "s" => Ok(Consistency::Serializable),
        _ => Err("either l or s".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    enum Labctl {
        Bench(BenchArgs),
    }

    fn told(words: &[&str]) -> Result<Told, String> {
        let words = ["etcd-labctl", "bench"].iter().chain(words);
        let Labctl::Bench(args) = Labctl::try_parse_from(words).map_err(|error| error.to_string())?;
        args.told(|| Ok(vec!["127.0.0.1:1".into(), "127.0.0.1:2".into()])).map_err(|usage| usage.to_string())
    }

    fn line(line: &str) -> BenchSpec {
        let words = shlex::split(line).unwrap();
        let words: Vec<_> = words.iter().map(String::as_str).skip(2).collect();
        told(&words).unwrap().spec
    }

    const TALK: &str = "--endpoints=127.0.0.1:2379,127.0.0.1:22379,127.0.0.1:32379";

    #[test]
    fn the_talks_lines_work_as_they_are() {
        let spec = line(&format!(
            "etcd-labctl bench {TALK} --clients=1000 --conns=1000 put --sequential-keys \
             --key-space-size=100000 --total=100000000"
        ));
        assert_eq!((spec.clients, spec.conns, spec.total), (1_000, 1_000, Some(100_000_000)));
        let put = Put { sequential_keys: true, key_space_size: 100_000, ..Put::default() };
        assert_eq!(spec.workload, Workload::Put(put));
        assert_eq!(spec.endpoints.len(), 3);

        let spec = line(&format!(
            "etcd-labctl bench {TALK} --clients=100 --conns=100 --consistency=s range / --total=100000"
        ));
        let range = Range { key: "/".into(), range_end: None, consistency: Consistency::Serializable };
        assert_eq!((spec.workload, spec.total), (Workload::Range(range), Some(100_000)));

        let spec = line(&format!(
            "etcd-labctl bench {TALK} --clients=100 --conns=100 put --sequential-keys --val-size=10000 \
             --key-space-size=100000 --total=10000000 --compact-index-delta=1000 --compact-interval=30s"
        ));
        let compact = Compact { interval: Duration::from_secs(30), index_delta: 1_000 };
        let put = Put {
            sequential_keys: true,
            val_size: 10_000,
            key_space_size: 100_000,
            compact: Some(compact),
            ..Put::default()
        };
        assert_eq!(spec.workload, Workload::Put(put));
    }

    #[test]
    fn each_flag_may_stand_on_either_side_of_the_workload() {
        let before = told(&["--clients=7", "--val-size=3", "--rate", "5", "put"]).unwrap();
        let after = told(&["put", "--clients=7", "--val-size=3", "--rate", "5"]).unwrap();
        assert_eq!(before.spec, after.spec);
    }

    /// The line that a spec shows to a person gives that spec again.
    #[test]
    fn a_specs_line_reads_back_as_the_spec() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let new = |workload| BenchSpec::new(["127.0.0.1:2379", "http://[::1]:22379"], workload);
        let compact =
            |interval_s| Some(Compact { interval: Duration::from_secs(interval_s), index_delta: 10 });
        let puts = [
            Put::default(),
            Put { key_size: 256, val_size: 10_000, ..Put::default() },
            Put { sequential_keys: true, key_space_size: 9, compact: compact(90), ..Put::default() },
        ];
        let ranges = [("/", None), ("a b", Some("c'd")), ("-x", Some("--total=3")), ("$HOME", Some("é"))];
        let mut specs: Vec<_> = puts.map(|put| new(Workload::Put(put))).into();
        specs.extend(ranges.map(|(key, range_end): (&str, Option<&str>)| {
            let range_end = range_end.map(Into::into);
            new(Workload::Range(Range { key: key.into(), range_end, consistency: Consistency::Serializable }))
        }));
        for spec in specs {
            for variant in [
                spec.clone(),
                BenchSpec { clients: 1_000, conns: 1_000, total: Some(100_000_000), ..spec.clone() },
                BenchSpec { duration: seconds(90), total: None, rate: Some(500), ..spec.clone() },
                BenchSpec { duration: seconds(7), timeout: None, seed: u64::MAX, ..spec.clone() },
                BenchSpec {
                    timeout: Some(Duration::from_millis(1_250)),
                    dial_timeout: Some(Duration::new(3, 1)),
                    ..spec.clone()
                },
            ] {
                let line = variant.command_line();
                assert_eq!(self::line(&line), variant, "{line}");
            }
        }
    }

    #[test]
    fn mistakes_name_their_flag() {
        for (words, flag) in [
            (&["--clients=0", "put"][..], "--clients"),
            (&["--clients", "-5", "put"], "--clients"),
            (&["--clients=many", "put"], "--clients"),
            (&["--conns=0", "put"], "--conns"),
            (&["put", "--total=-1"], "--total"),
            (&["put", "--total=0"], "--total"),
            (&["put", "--rate=99999999999"], "--rate"),
            (&["put", "--duration=0"], "--duration"),
            (&["put", "--duration=soon"], "--duration"),
            (&["put", "--duration", "-5s"], "--duration"),
            (&["put", "--timeout=-1s"], "--timeout"),
            (&["put", "--key-size=0"], "--key-size"),
            (&["put", "--val-size=4000000000"], "--val-size"),
            (&["put", "--consistency=s"], "--consistency"),
            (&["range", "/", "--val-size=3"], "--val-size"),
            (&["range", "/", "--consistency=x"], "--consistency"),
            (&["range", ""], "KEY"),
            (&["--endpoints=nowhere", "put"], "--endpoints"),
            (&["--cert=a.pem", "put"], "--cert"),
            (&["--user=root", "put"], "--user"),
            (&["put", "--check-hashkv"], "--check-hashkv"),
        ] {
            let refusal = told(words).expect_err(&format!("{words:?} is a mistake"));
            assert!(refusal.contains(flag), "{words:?}: {refusal}");
        }
    }

    #[test]
    fn defaults_are_those_of_etcds_tool() {
        let spec = told(&["put"]).unwrap().spec;
        assert_eq!((spec.clients, spec.conns, spec.total, spec.rate), (1, 1, Some(10_000), None));
        assert_eq!(spec.endpoints.len(), 2);
        assert_eq!(spec.workload, Workload::Put(Put::default()));
        assert_eq!(told(&["put", "--duration=1.5s"]).unwrap().spec.total, None);
    }
}
