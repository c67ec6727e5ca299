//! One member: a connection of its own and what can be asked of it alone.

use std::future::Future;
use std::time::Duration;

use etcd_client::{
    AlarmAction, AlarmMember, AlarmOptions, AlarmType, Channel, Client, CompactionOptions, DeleteOptions,
};
use tonic::transport::Endpoint;

use crate::EtcdError;

/// A member that doesn't answer within this is called unreachable.
const STATUS_WITHIN: Duration = Duration::from_secs(2);
/// Reads and writes of one key: longer than any disk or network fault that the lab teaches with.
const SAMPLE_WITHIN: Duration = Duration::from_secs(15);
/// Compaction and defragmentation take as long as the database is large, or as a failpoint makes them.
const MAINTENANCE_WITHIN: Duration = Duration::from_secs(300);

/// What a member says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberStatus {
    /// Member id.
    pub id: u64,
    /// Server version.
    pub version: String,
    /// Id of the leader it knows; 0 for none.
    pub leader: u64,
    /// Raft term.
    pub term: u64,
    /// Raft index committed.
    pub raft_index: u64,
    /// Raft index applied.
    pub raft_applied_index: u64,
    /// Size of the database file, bytes.
    pub db_size_bytes: u64,
    /// Of which in use, bytes.
    pub db_in_use_bytes: u64,
    /// Whether it has no vote.
    pub learner: bool,
    /// Alarms of the whole cluster, as this member knows them.
    pub alarms: Vec<Alarm>,
}

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmKind {
    /// The database reached its quota.
    NoSpace,
    /// Members disagree about their data.
    Corrupt,
}

/// An alarm that is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Member that raised it.
    pub member_id: u64,
    /// What about.
    pub kind: AlarmKind,
}

impl Alarm {
    /// Reads an alarm as a member's status words it: `memberID:10501334649042878790 alarm:NOSPACE`, the text form
    /// of etcd's protobuf message, whose spaces vary. `None` for what is no alarm, such as "no leader".
    fn read(text: &str) -> Option<Self> {
        let field = |name: &str| {
            let (_, rest) = text.split_once(name)?;
            rest.split_whitespace().next()
        };
        let kind = match field("alarm:")? {
            "NOSPACE" => AlarmKind::NoSpace,
            "CORRUPT" => AlarmKind::Corrupt,
            _ => return None,
        };
        Some(Self { member_id: field("memberID:")?.parse().ok()?, kind })
    }
}

/// A key's value at a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// `None` when the key doesn't exist.
    pub value: Option<Vec<u8>>,
    /// Revision of the store at the read.
    pub revision: i64,
}

/// What a deletion did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Keys that are gone.
    pub deleted: i64,
    /// Revision of the store afterwards.
    pub revision: i64,
}

/// A connection to one member, and to no other: "which member" is half of what the lab teaches.
#[derive(Clone)]
pub struct Member {
    name: String,
    client: Client,
}

impl Member {
    /// A connection to the member at `url` (`http://127.0.0.1:2379`). Made at the first request, and anew
    /// whenever it breaks.
    ///
    /// # Errors
    /// When `url` is not one.
    pub async fn connect(name: &str, url: &str) -> Result<Self, EtcdError> {
        let endpoint = Endpoint::from_shared(url.to_owned())
            .map_err(|_| EtcdError::Address(url.into()))?
            .connect_timeout(STATUS_WITHIN);
        let client = Client::from_channel(Channel::Tonic(endpoint.connect_lazy()), None)
            .await
            .map_err(|error| EtcdError::from_client(name, error))?;
        Ok(Self { name: name.into(), client })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    async fn ask<T>(
        &self,
        within: Duration,
        request: impl Future<Output = Result<T, etcd_client::Error>>,
    ) -> Result<T, EtcdError> {
        match tokio::time::timeout(within, request).await {
            Ok(answer) => answer.map_err(|error| EtcdError::from_client(&self.name, error)),
            Err(_) => Err(EtcdError::TimedOut { member: self.name.clone(), within }),
        }
    }

    /// What it says of itself; needs no quorum.
    ///
    /// # Errors
    /// See [`EtcdError`].
    pub async fn status(&self) -> Result<MemberStatus, EtcdError> {
        let mut client = self.client.clone();
        let status = self.ask(STATUS_WITHIN, client.status()).await?;
        let bytes = |size: i64| u64::try_from(size).unwrap_or(0);
        Ok(MemberStatus {
            id: status.header().map_or(0, etcd_client::ResponseHeader::member_id),
            version: status.version().into(),
            leader: status.leader(),
            term: status.raft_term(),
            raft_index: status.raft_index(),
            raft_applied_index: status.raft_applied_index(),
            db_size_bytes: bytes(status.db_size()),
            db_in_use_bytes: bytes(status.raft_used_db_size()),
            learner: status.is_learner(),
            // Asking for the alarms themselves would be a proposal, and so a write to every log, each second.
            alarms: status.errors().iter().filter_map(|text| Alarm::read(text)).collect(),
        })
    }

    /// Writes one key; tells the revision it got.
    ///
    /// # Errors
    /// See [`EtcdError`]; a full database is `ResourceExhausted`.
    pub async fn put(&self, key: &str, value: &str) -> Result<i64, EtcdError> {
        let mut client = self.client.clone();
        let answer = self.ask(SAMPLE_WITHIN, client.put(key, value, None)).await?;
        Ok(answer.header().map_or(0, etcd_client::ResponseHeader::revision))
    }

    /// Reads one key, linearizably.
    ///
    /// # Errors
    /// See [`EtcdError`].
    pub async fn get(&self, key: &str) -> Result<Value, EtcdError> {
        let mut client = self.client.clone();
        let answer = self.ask(SAMPLE_WITHIN, client.get(key, None)).await?;
        Ok(Value {
            value: answer.kvs().first().map(|pair| pair.value().to_vec()),
            revision: answer.header().map_or(0, etcd_client::ResponseHeader::revision),
        })
    }

    /// Deletes one key, or, with `prefix`, all that begin with it; every key when the prefix is empty. Accepted by a
    /// full database too.
    ///
    /// # Errors
    /// See [`EtcdError`].
    pub async fn delete(&self, key: &str, prefix: bool) -> Result<Deletion, EtcdError> {
        let mut client = self.client.clone();
        let options = prefix.then(|| match key {
            "" => DeleteOptions::new().with_all_keys(),
            _ => DeleteOptions::new().with_prefix(),
        });
        let answer = self.ask(MAINTENANCE_WITHIN, client.delete(key, options)).await?;
        let revision = answer.header().map_or(0, etcd_client::ResponseHeader::revision);
        Ok(Deletion { deleted: answer.deleted(), revision })
    }

    /// Drops all history before `revision`, in the whole cluster; answers when it is done physically.
    ///
    /// # Errors
    /// See [`EtcdError`]; a revision that is compacted already or still to come is `OutOfRange`.
    pub async fn compact(&self, revision: i64) -> Result<(), EtcdError> {
        let mut client = self.client.clone();
        let options = CompactionOptions::new().with_physical();
        self.ask(MAINTENANCE_WITHIN, client.compact(revision, Some(options))).await.map(drop)
    }

    /// Rewrites this member's database file without its free pages. It serves nothing meanwhile.
    ///
    /// # Errors
    /// See [`EtcdError`].
    pub async fn defragment(&self) -> Result<(), EtcdError> {
        let mut client = self.client.clone();
        self.ask(MAINTENANCE_WITHIN, client.defragment()).await.map(drop)
    }

    /// Alarms raised in the cluster. Goes through raft as a put does: [`Self::status`] tells them for nothing.
    ///
    /// # Errors
    /// See [`EtcdError`].
    pub async fn alarms(&self) -> Result<Vec<Alarm>, EtcdError> {
        let mut client = self.client.clone();
        let answer = self.ask(STATUS_WITHIN, client.alarm(AlarmAction::Get, AlarmType::None, None)).await?;
        let alarm = |alarm: &AlarmMember| {
            let kind = match alarm.alarm() {
                AlarmType::Nospace => AlarmKind::NoSpace,
                AlarmType::Corrupt => AlarmKind::Corrupt,
                AlarmType::None => return None,
            };
            Some(Alarm { member_id: alarm.member_id(), kind })
        };
        Ok(answer.alarms().iter().filter_map(alarm).collect())
    }

    /// Disarms every alarm of the cluster; tells which those were.
    ///
    /// # Errors
    /// See [`EtcdError`].
    pub async fn disarm(&self) -> Result<Vec<Alarm>, EtcdError> {
        let raised = self.alarms().await?;
        // One by one, as etcdctl does: the server disarms just the member and kind it is told.
        for alarm in &raised {
            let mut options = AlarmOptions::new();
            options.with_member(alarm.member_id);
            let kind = match alarm.kind {
                AlarmKind::NoSpace => AlarmType::Nospace,
                AlarmKind::Corrupt => AlarmType::Corrupt,
            };
            let mut client = self.client.clone();
            self.ask(SAMPLE_WITHIN, client.alarm(AlarmAction::Deactivate, kind, Some(options))).await?;
        }
        Ok(raised)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_are_read_from_a_status_however_it_is_spaced() {
        let alarm = |kind| Some(Alarm { member_id: 10_501_334_649_042_878_790, kind });
        assert_eq!(Alarm::read("memberID:10501334649042878790 alarm:NOSPACE "), alarm(AlarmKind::NoSpace));
        assert_eq!(Alarm::read("memberID:10501334649042878790  alarm:CORRUPT"), alarm(AlarmKind::Corrupt));
        assert_eq!(Alarm::read("etcdserver: no leader"), None);
    }
}
