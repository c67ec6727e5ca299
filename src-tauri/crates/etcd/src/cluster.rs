//! All members together: what needs one that answers, whichever it is.

use futures::future::join_all;

use crate::{Alarm, Deletion, EtcdError, Member, MemberStatus, Value};

/// Connections to all members of a cluster, one each.
#[derive(Clone)]
pub struct Cluster {
    members: Vec<Member>,
}

impl Cluster {
    /// Connections to the members given by name and client URL.
    ///
    /// # Errors
    /// When a URL is not one.
    pub async fn connect<'a>(
        members: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, EtcdError> {
        let mut connected = Vec::new();
        for (name, url) in members {
            connected.push(Member::connect(name, url).await?);
        }
        Ok(Self { members: connected })
    }

    /// The member of that name.
    ///
    /// # Errors
    /// When there is none.
    pub fn member(&self, name: &str) -> Result<&Member, EtcdError> {
        self.members
            .iter()
            .find(|member| member.name() == name)
            .ok_or_else(|| EtcdError::NoSuchMember(name.into()))
    }

    /// What each member says of itself, in the order they were given; all are asked at once.
    pub async fn status(&self) -> Vec<(&str, Result<MemberStatus, EtcdError>)> {
        join_all(self.members.iter().map(|member| async move { (member.name(), member.status().await) }))
            .await
    }

    /// The first member that answers and knows a leader.
    ///
    /// # Errors
    /// What the last one said, when none does.
    async fn any(&self) -> Result<&Member, EtcdError> {
        let mut last = EtcdError::NoLeader;
        for (name, status) in self.status().await {
            match status {
                Ok(status) if status.leader != 0 => return self.member(name),
                Ok(_) => last = EtcdError::NoLeader,
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Writes one key; tells the revision it got. See [`Member::put`].
    ///
    /// # Errors
    /// See [`EtcdError`].
    pub async fn put(&self, key: &str, value: &str) -> Result<i64, EtcdError> {
        self.any().await?.put(key, value).await
    }

    /// Reads one key. See [`Member::get`].
    ///
    /// # Errors
    /// See [`EtcdError`].
    pub async fn get(&self, key: &str) -> Result<Value, EtcdError> {
        self.any().await?.get(key).await
    }

    /// Deletes one key, or all that begin with it. See [`Member::delete`].
    ///
    /// # Errors
    /// See [`EtcdError`].
    pub async fn delete(&self, key: &str, prefix: bool) -> Result<Deletion, EtcdError> {
        self.any().await?.delete(key, prefix).await
    }

    /// Drops all history before `revision`, or before the present one; tells which it was. See [`Member::compact`].
    ///
    /// # Errors
    /// See [`EtcdError`].
    pub async fn compact(&self, revision: Option<i64>) -> Result<i64, EtcdError> {
        let member = self.any().await?;
        let revision = match revision {
            Some(revision) => revision,
            None => member.get("\0").await?.revision,
        };
        member.compact(revision).await?;
        Ok(revision)
    }

    /// Alarms raised. See [`Member::alarms`].
    ///
    /// # Errors
    /// See [`EtcdError`].
    pub async fn alarms(&self) -> Result<Vec<Alarm>, EtcdError> {
        self.any().await?.alarms().await
    }

    /// Disarms every alarm. See [`Member::disarm`].
    ///
    /// # Errors
    /// See [`EtcdError`].
    pub async fn disarm(&self) -> Result<Vec<Alarm>, EtcdError> {
        self.any().await?.disarm().await
    }
}
