//! Failpoints of members: set, cleared, listed, and what changed between two looks.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use lab_cluster::Node;
use lab_faults::{GofailError, Term};
use tokio::time::Instant;

use super::Keeper;
use crate::api::{FailpointView, MemberFailpoint, Problem, Reply};
use crate::{problems, shown};

impl Keeper {
    /// Every failpoint of every member that answers.
    pub(super) async fn failpoints(&self) -> Result<Reply, Problem> {
        let asked = self.nodes.iter().map(|node| async move {
            let all = self.gofail.list(&node.gofail).await?;
            let counted = all.into_iter().map(|one| async move {
                let hits = match one.term {
                    Some(_) => self.gofail.count(&node.gofail, &one.name).await.unwrap_or_default(),
                    None => None,
                };
                MemberFailpoint { member: node.name.clone(), failpoint: one.name, term: one.term, hits }
            });
            Ok::<_, GofailError>(join_all(counted).await)
        });
        let mut failpoints = Vec::new();
        let mut silent = None;
        for answer in join_all(asked).await {
            match answer {
                Ok(of_member) => failpoints.extend(of_member),
                Err(error) => silent = Some(error),
            }
        }
        if let (true, Some(error)) = (failpoints.is_empty(), silent) {
            return Err(problems::no_failpoints(&error));
        }
        Ok(Reply::Failpoints { failpoints })
    }

    pub(super) async fn set_failpoint(
        &mut self,
        members: &[String],
        failpoint: &str,
        term: &str,
        for_s: Option<u32>,
    ) -> Result<Reply, Problem> {
        let term: Term = term.parse().map_err(|error| problems::term(&error))?;
        let nodes = self.chosen(members)?;
        let gofail = &self.gofail;
        let asked = nodes.iter().map(|node| gofail.set(&node.gofail, failpoint, &term));
        let (done, failed) = told_apart(&nodes, join_all(asked).await);
        let term = term.to_string();
        let until = for_s.map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));
        for node in &done {
            let (member, name) = (node.name.clone(), failpoint.to_owned());
            let key = (member.clone(), name.clone());
            match until {
                Some(until) => self.until.insert(key, until),
                None => self.until.remove(&key),
            };
            self.set.retain(|set| set.member != member || set.failpoint != name);
            self.set.push(FailpointView { member, failpoint: name, term: term.clone(), hits: Some(0) });
            self.show(shown::set_failpoint(node, failpoint, &term)).await;
        }
        if let Some(until) = until {
            // A busy member may have done what it did not answer, or do it late; then it ends in time, too.
            let may_be_set = |error: &GofailError| {
                matches!(error, GofailError::TimedOut { .. } | GofailError::Broke { .. })
            };
            let silent = failed.iter().filter(|(_, error)| may_be_set(error));
            self.until
                .extend(silent.map(|(member, _)| (((*member).to_owned(), failpoint.to_owned()), until)));
        }
        self.in_order();
        self.mark_done(failpoint, Some(&term), &done).await;
        answer(failpoint, "set", &done, &failed)
    }

    pub(super) async fn clear_failpoints(
        &mut self,
        members: &[String],
        failpoint: Option<&str>,
    ) -> Result<Reply, Problem> {
        let nodes = self.chosen(members)?;
        let mut names: Vec<String> = match failpoint {
            Some(name) => vec![name.to_owned()],
            None => {
                // Also what somebody set since the last look.
                let looks = self.look().await;
                self.seen(looks).await;
                let of_chosen = |set: &&FailpointView| nodes.iter().any(|node| node.name == set.member);
                self.set.iter().filter(of_chosen).map(|set| set.failpoint.clone()).collect()
            }
        };
        names.sort();
        names.dedup();
        let mut result = Ok(Reply::Done);
        for name in names {
            let has = |node: &&Node| {
                failpoint.is_some()
                    || self.set.iter().any(|set| set.member == node.name && set.failpoint == name)
            };
            let nodes: Vec<Node> = nodes.iter().filter(has).cloned().collect();
            result = result.and(self.clear(&name, &nodes).await);
        }
        result
    }

    /// Clears what was set for a while, and the while is over. A member that doesn't answer is tried again.
    pub(super) async fn expire(&mut self) {
        const AGAIN: Duration = Duration::from_secs(1);
        let now = Instant::now();
        let mut due: BTreeMap<String, Vec<Node>> = BTreeMap::new();
        for ((member, failpoint), at) in &mut self.until {
            if *at <= now {
                // For good once it is cleared.
                *at = now + AGAIN;
                let node = self.nodes.iter().find(|node| node.name == *member);
                due.entry(failpoint.clone()).or_default().extend(node.cloned());
            }
        }
        for (failpoint, nodes) in due {
            // Who still has it set is in the view, and the next second it is tried again.
            let _ = self.clear(&failpoint, &nodes).await;
        }
    }

    async fn clear(&mut self, failpoint: &str, nodes: &[Node]) -> Result<Reply, Problem> {
        let asked = nodes.iter().map(|node| async {
            match self.gofail.clear(&node.gofail, failpoint).await {
                // A process that is gone has nothing set, and begins so.
                Err(GofailError::Unreachable { .. }) => Ok(()),
                other => other,
            }
        });
        let (done, failed) = told_apart(nodes, join_all(asked).await);
        for node in &done {
            self.set.retain(|set| set.member != node.name || set.failpoint != failpoint);
            self.until.remove(&(node.name.clone(), failpoint.to_owned()));
            self.show(shown::clear_failpoint(node, failpoint)).await;
        }
        self.mark_done(failpoint, None, &done).await;
        answer(failpoint, "cleared", &done, &failed)
    }

    async fn mark_done(&self, failpoint: &str, term: Option<&str>, done: &[&Node]) {
        let members: Vec<String> = done.iter().map(|node| node.name.clone()).collect();
        if !members.is_empty() {
            self.mark(mark(failpoint, term, &members, self.nodes.len())).await;
        }
    }

    fn in_order(&mut self) {
        let nodes = &self.nodes;
        let place = |member: &str| nodes.iter().position(|node| node.name == member);
        self.set.sort_by(|a, b| (place(&a.member), &a.failpoint).cmp(&(place(&b.member), &b.failpoint)));
    }
}

/// Who did what was asked, and who didn't, and why.
fn told_apart(
    nodes: &[Node],
    answers: Vec<Result<(), GofailError>>,
) -> (Vec<&Node>, Vec<(&str, GofailError)>) {
    let mut done = Vec::new();
    let mut failed = Vec::new();
    for (node, answer) in nodes.iter().zip(answers) {
        match answer {
            Ok(()) => done.push(node),
            Err(error) => failed.push((node.name.as_str(), error)),
        }
    }
    (done, failed)
}

fn answer(
    failpoint: &str,
    what: &str,
    done: &[&Node],
    failed: &[(&str, GofailError)],
) -> Result<Reply, Problem> {
    if failed.is_empty() {
        return Ok(Reply::Done);
    }
    let at: Vec<&str> = done.iter().map(|node| node.name.as_str()).collect();
    Err(problems::failpoint(failpoint, what, &at, failed))
}

/// What charts write at a failpoint that was set, or cleared when it has no term.
pub(super) fn mark(failpoint: &str, term: Option<&str>, members: &[String], of: usize) -> String {
    let at = match members {
        all if all.len() == of => "all members".into(),
        [one] => one.clone(),
        some => some.join(" and "),
    };
    format!("{failpoint} {} on {at}", term.unwrap_or("cleared"))
}

/// What is set, changed or (without a term) cleared in `after` and was not so in `before`, and at which members.
pub(super) fn changes(
    before: &[FailpointView],
    after: &[FailpointView],
) -> BTreeMap<(String, Option<String>), Vec<String>> {
    let same = |a: &FailpointView, b: &FailpointView| a.member == b.member && a.failpoint == b.failpoint;
    let mut changes: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for now in after {
        if !before.iter().any(|was| same(was, now) && was.term == now.term) {
            let change = (now.failpoint.clone(), Some(now.term.clone()));
            changes.entry(change).or_default().push(now.member.clone());
        }
    }
    for was in before.iter().filter(|was| !after.iter().any(|now| same(was, now))) {
        changes.entry((was.failpoint.clone(), None)).or_default().push(was.member.clone());
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(member: &str, failpoint: &str, term: &str) -> FailpointView {
        FailpointView { member: member.into(), failpoint: failpoint.into(), term: term.into(), hits: None }
    }

    #[test]
    fn what_others_did_is_told_by_failpoint() {
        let before =
            [set("etcd-1", "a", "sleep(1)"), set("etcd-2", "a", "sleep(1)"), set("etcd-2", "b", "off")];
        let mut hit = before[0].clone();
        hit.hits = Some(7);
        let after = [hit, set("etcd-2", "a", "sleep(2)"), set("etcd-3", "a", "sleep(2)")];
        let marks: Vec<String> = changes(&before, &after)
            .iter()
            .map(|((failpoint, term), members)| mark(failpoint, term.as_deref(), members, 3))
            .collect();
        assert_eq!(marks, ["a sleep(2) on etcd-2 and etcd-3", "b cleared on etcd-2"]);
        assert!(changes(&after, &after).is_empty());
    }

    #[test]
    fn a_mark_says_all_members_when_it_is_all() {
        let members = ["etcd-1", "etcd-2", "etcd-3"].map(String::from);
        assert_eq!(
            mark("walBeforeFdatasync", Some("sleep(100)"), &members, 3),
            "walBeforeFdatasync sleep(100) on all members"
        );
    }
}
