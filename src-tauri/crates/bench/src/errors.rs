//! Errors by gRPC code *and* message: etcd sends several of its errors as code `Unknown` (such as "etcdserver:
//! too many requests"), and only the message tells them apart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Distinct messages kept. A message can carry a number of its own, and a run may see a hundred million.
const MOST_KINDS: usize = 32;

/// Bytes of one message kept.
const LONGEST_MESSAGE: usize = 200;

/// What messages beyond the bound are counted under.
const OTHER: &str = "other messages";

/// gRPC's status codes (grpc, `doc/statuscodes.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GrpcCode {
    /// 0, not an error.
    Ok,
    /// 1, given up by the one who asked.
    Cancelled,
    /// 2, an error that the server gave no code.
    Unknown,
    /// 3
    InvalidArgument,
    /// 4, no answer in time.
    DeadlineExceeded,
    /// 5
    NotFound,
    /// 6
    AlreadyExists,
    /// 7
    PermissionDenied,
    /// 8, such as etcd's "mvcc: database space exceeded".
    ResourceExhausted,
    /// 9
    FailedPrecondition,
    /// 10
    Aborted,
    /// 11, such as etcd's "mvcc: required revision has been compacted".
    OutOfRange,
    /// 12
    Unimplemented,
    /// 13
    Internal,
    /// 14, the member can't be reached, or it has no leader.
    Unavailable,
    /// 15
    DataLoss,
    /// 16
    Unauthenticated,
}

impl GrpcCode {
    const ALL: [Self; 17] = [
        Self::Ok,
        Self::Cancelled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// The code a `grpc-status` trailer names; `Unknown` for what gRPC doesn't know.
    pub(crate) fn from_trailer(value: &[u8]) -> Self {
        std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse::<usize>().ok())
            .and_then(|number| Self::ALL.get(number).copied())
            .unwrap_or(Self::Unknown)
    }

    /// The name as gRPC and Prometheus' `grpc_code` label write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Cancelled => "Canceled",
            Self::Unknown => "Unknown",
            Self::InvalidArgument => "InvalidArgument",
            Self::DeadlineExceeded => "DeadlineExceeded",
            Self::NotFound => "NotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::PermissionDenied => "PermissionDenied",
            Self::ResourceExhausted => "ResourceExhausted",
            Self::FailedPrecondition => "FailedPrecondition",
            Self::Aborted => "Aborted",
            Self::OutOfRange => "OutOfRange",
            Self::Unimplemented => "Unimplemented",
            Self::Internal => "Internal",
            Self::Unavailable => "Unavailable",
            Self::DataLoss => "DataLoss",
            Self::Unauthenticated => "Unauthenticated",
        }
    }
}

impl std::fmt::Display for GrpcCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Why one request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct Failure {
    pub code: GrpcCode,
    pub message: String,
}

impl Failure {
    pub fn new(code: GrpcCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(GrpcCode::Unavailable, message)
    }
}

/// Errors of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCount {
    /// gRPC code.
    pub code: GrpcCode,
    /// The server's message, or ours where no server was reached.
    pub message: String,
    /// How many.
    pub count: u64,
}

/// Counts errors in bounded memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorTally {
    kinds: BTreeMap<(GrpcCode, String), u64>,
    other: BTreeMap<GrpcCode, u64>,
}

impl ErrorTally {
    pub fn add(&mut self, failure: &Failure) {
        self.add_many(failure.code, &failure.message, 1);
    }

    fn add_many(&mut self, code: GrpcCode, message: &str, count: u64) {
        let key = (code, message[..message.floor_char_boundary(LONGEST_MESSAGE)].to_owned());
        if let Some(seen) = self.kinds.get_mut(&key) {
            *seen += count;
        } else if self.kinds.len() < MOST_KINDS {
            self.kinds.insert(key, count);
        } else {
            *self.other.entry(code).or_default() += count;
        }
    }

    pub fn merge(&mut self, from: &Self) {
        for ((code, message), count) in &from.kinds {
            self.add_many(*code, message, *count);
        }
        for (code, count) in &from.other {
            *self.other.entry(*code).or_default() += count;
        }
    }

    /// Kinds, most first.
    pub fn counts(&self) -> Vec<ErrorCount> {
        let kinds = self.kinds.iter().map(|((code, message), count)| (*code, message.as_str(), *count));
        let other = self.other.iter().map(|(code, count)| (*code, OTHER, *count));
        let mut counts: Vec<_> = kinds
            .chain(other)
            .map(|(code, message, count)| ErrorCount { code, message: message.to_owned(), count })
            .collect();
        counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.message.cmp(&b.message)));
        counts
    }

    pub fn total(&self) -> u64 {
        self.kinds.values().chain(self.other.values()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_code_with_two_messages_is_two_kinds() {
        let mut tally = ErrorTally::default();
        for message in ["etcdserver: too many requests", "etcdserver: too many requests", "else"] {
            tally.add(&Failure::new(GrpcCode::Unknown, message));
        }
        let counts: Vec<_> = tally.counts().into_iter().map(|kind| (kind.message, kind.count)).collect();
        assert_eq!(counts, [("etcdserver: too many requests".into(), 2), ("else".into(), 1)]);
    }

    #[test]
    fn ever_new_messages_end_under_other_and_none_is_lost() {
        let mut all = ErrorTally::default();
        for half in 0..2 {
            let mut tally = ErrorTally::default();
            for number in 0..500 {
                tally.add(&Failure::new(GrpcCode::Internal, format!("request {half}/{number} failed")));
            }
            assert_eq!((tally.counts().len(), tally.total()), (MOST_KINDS + 1, 500));
            all.merge(&tally);
        }
        assert_eq!((all.counts().len(), all.total()), (MOST_KINDS + 1, 1_000));
        assert_eq!(all.counts()[0].message, OTHER);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let mut tally = ErrorTally::default();
        tally.add(&Failure::new(GrpcCode::Unknown, "é".repeat(500)));
        assert!(tally.counts()[0].message.len() <= LONGEST_MESSAGE);
    }

    #[test]
    fn codes_by_number() {
        assert_eq!(GrpcCode::from_trailer(b"0"), GrpcCode::Ok);
        assert_eq!(GrpcCode::from_trailer(b"8"), GrpcCode::ResourceExhausted);
        assert_eq!(GrpcCode::from_trailer(b"14"), GrpcCode::Unavailable);
        assert_eq!(GrpcCode::from_trailer(b"99"), GrpcCode::Unknown);
    }
}
