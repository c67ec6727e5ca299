//! The line a person would type for a load. The command line's own parser is held to it by a round trip
//! (`crates/cli/src/bench`).

use std::fmt::Write;
use std::time::Duration;

use super::{BenchSpec, Compact, Consistency, Put, Range, Workload};

impl BenchSpec {
    /// `etcd-labctl bench …` as a person would type it in a shell: flags that stand at their default are left out.
    pub fn command_line(&self) -> String {
        self.command_line_of("etcd-labctl bench")
    }

    /// The same for another program that takes these flags, such as etcd's own `benchmark`. That one knows neither a
    /// duration, nor a time-out, nor a seed.
    pub fn command_line_of(&self, program: &str) -> String {
        let mut line = String::from(program);
        let mut word = |word: String| {
            line.push(' ');
            line.push_str(&quoted(&word));
        };
        word(format!("--endpoints={}", self.endpoints.join(",")));
        if self.clients != 1 {
            word(format!("--clients={}", self.clients));
        }
        if self.conns != 1 {
            word(format!("--conns={}", self.conns));
        }
        if let Some(timeout) = self.dial_timeout {
            word(format!("--dial-timeout={}", go_duration(timeout)));
        }
        match &self.workload {
            Workload::Put(put) => put.words(&mut word),
            Workload::Range(range) => range.words(&mut word),
        }
        if let Some(total) = self.total
            && (total != Self::DEFAULT_TOTAL || self.duration.is_some())
        {
            word(format!("--total={total}"));
        }
        if let Some(rate) = self.rate {
            word(format!("--rate={rate}"));
        }
        if let Some(duration) = self.duration {
            word(format!("--duration={}", go_duration(duration)));
        }
        if self.timeout != Some(Self::DEFAULT_TIMEOUT) {
            word(format!("--timeout={}", self.timeout.map_or_else(|| "0".into(), go_duration)));
        }
        if self.seed != 0 {
            word(format!("--seed={}", self.seed));
        }
        if let Workload::Range(range) = &self.workload
            && range.reads_as_flag()
        {
            word("--".into());
            range.keys().for_each(|key| word(key.clone()));
        }
        line
    }
}

impl Put {
    fn words(&self, word: &mut impl FnMut(String)) {
        let default = Self::default();
        word("put".into());
        if self.sequential_keys {
            word("--sequential-keys".into());
        }
        if self.key_size != default.key_size {
            word(format!("--key-size={}", self.key_size));
        }
        if self.val_size != default.val_size {
            word(format!("--val-size={}", self.val_size));
        }
        if self.key_space_size != default.key_space_size {
            word(format!("--key-space-size={}", self.key_space_size));
        }
        if let Some(Compact { interval, index_delta }) = self.compact {
            if index_delta != Compact::DEFAULT_INDEX_DELTA {
                word(format!("--compact-index-delta={index_delta}"));
            }
            word(format!("--compact-interval={}", go_duration(interval)));
        }
    }
}

impl Range {
    fn words(&self, word: &mut impl FnMut(String)) {
        if self.consistency == Consistency::Serializable {
            word("--consistency=s".into());
        }
        word("range".into());
        if !self.reads_as_flag() {
            self.keys().for_each(|key| word(key.clone()));
        }
    }

    fn keys(&self) -> impl Iterator<Item = &String> {
        [Some(&self.key), self.range_end.as_ref()].into_iter().flatten()
    }

    /// A key that begins with a dash can stand only after all flags, behind `--`.
    fn reads_as_flag(&self) -> bool {
        self.keys().any(|key| key.starts_with('-'))
    }
}

/// As a shell takes it for one word. `shlex` would also quote `=` and `,`, which mean nothing to a shell inside
/// a flag and would make every line harder to read. A zero byte, which no argument can hold, never gets here:
/// `validate` refuses it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-./:@_=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), |quoted| quoted.into_owned())
}

/// A duration as Go's flags write it: `1m30s`, `250ms`.
fn go_duration(duration: Duration) -> String {
    let (minutes, seconds, nanos) =
        (duration.as_secs() / 60, duration.as_secs() % 60, duration.subsec_nanos());
    let mut text = String::new();
    let mut part = |amount: u64, unit: &str| {
        if amount > 0 {
            // Writing to a String can't fail.
            let _ = write!(text, "{amount}{unit}");
        }
    };
    part(minutes, "m");
    part(seconds, "s");
    part(u64::from(nanos / 1_000_000), "ms");
    part(u64::from(nanos / 1_000 % 1_000), "us");
    part(u64::from(nanos % 1_000), "ns");
    if text.is_empty() { "0".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_the_talk() {
        let endpoints = ["127.0.0.1:2379", "127.0.0.1:22379", "127.0.0.1:32379"];
        let put = Put { sequential_keys: true, key_space_size: 100_000, ..Put::default() };
        let mut spec = BenchSpec::new(endpoints, Workload::Put(put));
        (spec.clients, spec.conns, spec.total) = (1000, 1000, Some(100_000_000));
        assert_eq!(
            spec.command_line(),
            "etcd-labctl bench --endpoints=127.0.0.1:2379,127.0.0.1:22379,127.0.0.1:32379 --clients=1000 \
             --conns=1000 put --sequential-keys --key-space-size=100000 --total=100000000"
        );
    }

    #[test]
    fn keys_a_shell_or_a_parser_would_trip_over_are_quoted() {
        let range = |key: &str| {
            let range = Range { key: key.into(), range_end: None, consistency: Consistency::Serializable };
            BenchSpec::new(["h:1"], Workload::Range(range)).command_line()
        };
        assert_eq!(range("/"), "etcd-labctl bench --endpoints=h:1 --consistency=s range /");
        assert_eq!(range("a b"), "etcd-labctl bench --endpoints=h:1 --consistency=s range 'a b'");
        assert_eq!(range("-x"), "etcd-labctl bench --endpoints=h:1 --consistency=s range -- -x");
    }

    #[test]
    fn durations_are_written_as_go_reads_them() {
        for (millis, text) in [(0, "0"), (250, "250ms"), (30_000, "30s"), (90_500, "1m30s500ms")] {
            assert_eq!(go_duration(Duration::from_millis(millis)), text);
        }
    }
}
