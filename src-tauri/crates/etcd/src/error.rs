//! Why a member refused or did not answer.

use std::time::Duration;

/// Why a request to a member failed.
#[derive(Debug, thiserror::Error)]
pub enum EtcdError {
    /// The address is not one.
    #[error("{0} is not an address of a member")]
    Address(String),
    /// There is no member of that name.
    #[error("there is no member {0}")]
    NoSuchMember(String),
    /// No member knows a leader, so nothing that needs a quorum can be done.
    #[error("no member knows a leader")]
    NoLeader,
    /// No answer in time.
    #[error("{member} did not answer within {} s", .within.as_secs())]
    TimedOut {
        /// Member asked.
        member: String,
        /// How long was waited.
        within: Duration,
    },
    /// The member answered with an error. etcd sends several of its errors as code Unknown, so the message is
    /// part of what went wrong.
    #[error("{member} refused: {message} ({code})")]
    Refused {
        /// Member asked.
        member: String,
        /// gRPC code, such as `ResourceExhausted`.
        code: String,
        /// etcd's message.
        message: String,
    },
    /// The member can't be reached, or the client failed.
    #[error("{member} can't be reached: {reason}")]
    Unreachable {
        /// Member asked.
        member: String,
        /// What the client said.
        reason: String,
    },
}

impl EtcdError {
    pub(crate) fn from_client(member: &str, error: etcd_client::Error) -> Self {
        match error {
            etcd_client::Error::GRpcStatus(status) if status.code() != tonic::Code::Unavailable => {
                Self::Refused {
                    member: member.into(),
                    code: format!("{:?}", status.code()),
                    message: status.message().into(),
                }
            }
            etcd_client::Error::GRpcStatus(status) => {
                Self::Unreachable { member: member.into(), reason: status.message().into() }
            }
            other => Self::Unreachable { member: member.into(), reason: other.to_string() },
        }
    }
}
