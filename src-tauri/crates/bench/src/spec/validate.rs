//! Which loads can be carried out. Each refusal names the flag that a person would change.

use std::time::Duration;

use super::{BenchSpec, Compact, Put, Range, Workload};
use crate::{address::Address, workload::keys};

/// More of either than any machine serves: a slip of the keyboard.
const MOST_CLIENTS: u32 = 1_000_000;

/// Larger requests than any etcd can be configured to take in earnest.
const MOST_BYTES: u32 = 100 << 20;

/// etcd's `--max-request-bytes` when nothing else is said (etcd, `server/embed/config.go`).
const SERVER_DEFAULT_MAX_REQUEST_BYTES: u64 = 3 << 19;

/// A load that can't be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flag}: {sentence}")]
pub struct SpecError {
    /// What to change, as typed: `--clients`.
    pub flag: &'static str,
    /// What is wrong with it, for a person.
    pub sentence: String,
}

impl SpecError {
    fn new(flag: &'static str, sentence: impl Into<String>) -> Self {
        Self { flag, sentence: sentence.into() }
    }
}

impl BenchSpec {
    /// Whether this load can be carried out; if not, the first thing to change.
    pub fn validate(&self) -> Result<(), SpecError> {
        if self.endpoints.is_empty() {
            return Err(SpecError::new("--endpoints", "at least one endpoint is needed"));
        }
        for endpoint in &self.endpoints {
            endpoint.parse::<Address>().map_err(|wrong| SpecError::new("--endpoints", wrong.to_string()))?;
        }
        at_least_one("--conns", u64::from(self.conns))?;
        at_least_one("--clients", u64::from(self.clients))?;
        at_most("--conns", self.conns, MOST_CLIENTS)?;
        at_most("--clients", self.clients, MOST_CLIENTS)?;
        if self.total.is_none() && self.duration.is_none() {
            return Err(SpecError::new("--total", "without a --duration, a total must be given"));
        }
        at_least_one("--total", self.total.unwrap_or(1))?;
        at_least_one("--rate", u64::from(self.rate.unwrap_or(1)))?;
        not_zero("--duration", self.duration)?;
        not_zero("--timeout", self.timeout)?;
        not_zero("--dial-timeout", self.dial_timeout)?;
        match &self.workload {
            Workload::Put(put) => put.validate(),
            Workload::Range(range) => range.validate(),
        }
    }

    /// What will work, but hardly as meant; sentences for a person.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Workload::Put(put) = &self.workload {
            let request = u64::from(put.key_size) + u64::from(put.val_size);
            if request > SERVER_DEFAULT_MAX_REQUEST_BYTES {
                warnings.push(format!(
                    "--val-size: puts of {request} bytes are refused by an etcd with its default \
                     --max-request-bytes of {SERVER_DEFAULT_MAX_REQUEST_BYTES}"
                ));
            }
        }
        if self.conns > self.clients {
            warnings.push(format!(
                "--conns: {} of {} connections will stand idle, for there are {} clients",
                self.conns - self.clients,
                self.conns,
                self.clients
            ));
        }
        if (self.conns as usize) < self.endpoints.len() {
            warnings.push(format!(
                "--conns: {} of {} endpoints get no connection",
                self.endpoints.len() - self.conns as usize,
                self.endpoints.len()
            ));
        }
        warnings
    }
}

impl Put {
    fn validate(&self) -> Result<(), SpecError> {
        at_least_one("--key-space-size", self.key_space_size)?;
        if self.key_space_size > keys::LARGEST_KEY_SPACE {
            let most = keys::LARGEST_KEY_SPACE;
            return Err(SpecError::new("--key-space-size", format!("at most {most}")));
        }
        at_most("--key-size", self.key_size, MOST_BYTES)?;
        at_most("--val-size", self.val_size, MOST_BYTES)?;
        let needed = keys::bytes_needed(self.key_space_size);
        if self.key_size < needed {
            let space = self.key_space_size;
            return Err(SpecError::new(
                "--key-size",
                format!(
                    "a key space of {space} needs keys of at least {needed} bytes, not {}",
                    self.key_size
                ),
            ));
        }
        if let Some(Compact { interval, index_delta }) = self.compact {
            not_zero("--compact-interval", Some(interval))?;
            if i64::try_from(index_delta).is_err() {
                return Err(SpecError::new("--compact-index-delta", format!("at most {}", i64::MAX)));
            }
        }
        Ok(())
    }
}

impl Range {
    fn validate(&self) -> Result<(), SpecError> {
        if self.key.is_empty() {
            return Err(SpecError::new("KEY", "etcd refuses a range without a key"));
        }
        for (flag, key) in [("KEY", Some(&self.key)), ("RANGE_END", self.range_end.as_ref())] {
            if key.is_some_and(|key| key.contains('\0')) {
                return Err(SpecError::new(flag, "a zero byte can't be given on a command line"));
            }
        }
        Ok(())
    }
}

fn at_least_one(flag: &'static str, value: u64) -> Result<(), SpecError> {
    if value == 0 { Err(SpecError::new(flag, "must be at least 1, not 0")) } else { Ok(()) }
}

fn at_most(flag: &'static str, value: u32, most: u32) -> Result<(), SpecError> {
    if value > most { Err(SpecError::new(flag, format!("at most {most}, not {value}"))) } else { Ok(()) }
}

fn not_zero(flag: &'static str, duration: Option<Duration>) -> Result<(), SpecError> {
    if duration.is_some_and(|duration| duration.is_zero()) {
        return Err(SpecError::new(flag, "must be longer than 0"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(change: impl FnOnce(&mut BenchSpec, &mut Put)) -> BenchSpec {
        let mut put = Put::default();
        let mut spec = BenchSpec::new(["127.0.0.1:2379"], Workload::Put(put.clone()));
        change(&mut spec, &mut put);
        spec.workload = Workload::Put(put);
        spec
    }

    fn range(key: &str, range_end: Option<&str>) -> BenchSpec {
        let range =
            Range { key: key.into(), range_end: range_end.map(Into::into), consistency: Default::default() };
        BenchSpec::new(["127.0.0.1:2379"], Workload::Range(range))
    }

    #[test]
    fn each_refusal_names_its_flag() {
        let compact = |interval_s, index_delta| {
            Some(Compact { interval: Duration::from_secs(interval_s), index_delta })
        };
        let table = [
            (put(|spec, _| spec.endpoints.clear()), "--endpoints"),
            (put(|spec, _| spec.endpoints = vec!["127.0.0.1".into()]), "--endpoints"),
            (put(|spec, _| spec.endpoints = vec!["https://h:2379".into()]), "--endpoints"),
            (put(|spec, _| spec.conns = 0), "--conns"),
            (put(|spec, _| spec.conns = u32::MAX), "--conns"),
            (put(|spec, _| spec.clients = 0), "--clients"),
            (put(|spec, _| spec.clients = u32::MAX), "--clients"),
            (put(|spec, _| spec.total = Some(0)), "--total"),
            (put(|spec, _| spec.total = None), "--total"),
            (put(|spec, _| spec.rate = Some(0)), "--rate"),
            (put(|spec, _| spec.duration = Some(Duration::ZERO)), "--duration"),
            (put(|spec, _| spec.timeout = Some(Duration::ZERO)), "--timeout"),
            (put(|spec, _| spec.dial_timeout = Some(Duration::ZERO)), "--dial-timeout"),
            (put(|_, put| put.key_space_size = 0), "--key-space-size"),
            (put(|_, put| put.key_space_size = u64::MAX), "--key-space-size"),
            (put(|_, put| put.key_size = 0), "--key-size"),
            (put(|_, put| (put.key_size, put.key_space_size) = (2, 100_000)), "--key-size"),
            (put(|_, put| put.key_size = u32::MAX), "--key-size"),
            (put(|_, put| put.val_size = u32::MAX), "--val-size"),
            (put(|_, put| put.compact = compact(0, 1)), "--compact-interval"),
            (put(|_, put| put.compact = compact(1, u64::MAX)), "--compact-index-delta"),
            (range("", None), "KEY"),
            (range("a\0", None), "KEY"),
            (range("a", Some("\0")), "RANGE_END"),
        ];
        for (spec, flag) in table {
            assert_eq!(spec.validate().map_err(|wrong| wrong.flag), Err(flag), "{spec:?}");
        }
    }

    #[test]
    fn the_talks_loads_are_fine() {
        let talk = put(|spec, put| {
            (spec.clients, spec.conns, spec.total) = (1000, 1000, Some(100_000_000));
            (put.val_size, put.key_space_size) = (10_000, 100_000);
        });
        assert_eq!((talk.validate(), talk.warnings()), (Ok(()), vec![]));
        assert_eq!(range("/", None).validate(), Ok(()));
        assert_eq!(put(|_, put| put.val_size = 0).validate(), Ok(()));
    }

    #[test]
    fn what_hardly_works_as_meant_is_said() {
        assert!(put(|_, put| put.val_size = 2 << 20).warnings()[0].starts_with("--val-size"));
        assert!(put(|spec, _| spec.conns = 2).warnings()[0].starts_with("--conns"));
        assert!(put(|spec, _| spec.endpoints.push("h:1".into())).warnings()[0].contains("no connection"));
    }
}
