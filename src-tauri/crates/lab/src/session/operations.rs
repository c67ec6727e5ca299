//! What a person does to the cluster by hand: one key, compaction, defragmentation, alarms. Each is shown as
//! the command it stands for once it is done.

use lab_cluster::Node;
use lab_etcd::{Cluster, EtcdError};

use super::poll::alarm_view;
use super::{Answer, Message, Session};
use crate::api::{ClusterView, Command, MarkKind, Problem, Reply};
use crate::problems;
use crate::shown::{self, Line, Tools};

impl Session {
    pub(super) fn operate(&mut self, command: Command, answer: Answer) {
        let (cluster, nodes) = match self.needs_cluster() {
            Ok(running) => (running.cluster.clone(), running.nodes.clone()),
            Err(problem) => {
                let _ = answer.send(Reply::Problem { problem });
                return;
            }
        };
        let Some(view) = self.view.clone() else {
            let _ = answer.send(Reply::Problem { problem: problems::not_running() });
            return;
        };
        let inbox = self.inbox.clone();
        let marked = mark_of(&command);
        tokio::spawn(async move {
            // Marked when it begins: what it does shows from then on.
            if let (Some(text), Some(inbox)) = (marked, inbox.upgrade()) {
                let _ = inbox.send(Message::Mark(MarkKind::Operation, text)).await;
            }
            let reply = match carry_out(&cluster, &nodes, &view, command).await {
                Ok((line, reply)) => {
                    if let Some(inbox) = inbox.upgrade() {
                        let _ = inbox.send(Message::Done(line)).await;
                    }
                    reply
                }
                Err(problem) => Reply::Problem { problem },
            };
            let _ = answer.send(reply);
        });
    }
}

/// What charts call it, if they show it.
fn mark_of(command: &Command) -> Option<String> {
    match command {
        Command::Compact { .. } => Some("compaction".into()),
        Command::Delete { prefix: true, .. } => Some("keys deleted".into()),
        Command::Defragment { member } => Some(format!("defragment {member}")),
        Command::Disarm => Some("alarms disarmed".into()),
        _ => None,
    }
}

async fn carry_out(
    cluster: &Cluster,
    nodes: &[Node],
    view: &ClusterView,
    command: Command,
) -> Result<(Line, Reply), Problem> {
    let failed = |error: EtcdError| problems::etcd(&error);
    let (tools, members) = (&Tools::of(view), view.members.as_slice());
    Ok(match command {
        Command::Put { key, value } => {
            let revision = cluster.put(&key, &value).await.map_err(failed)?;
            (shown::put(tools, nodes, &key, &value), Reply::Revision { revision })
        }
        Command::Get { key } => {
            let found = cluster.get(&key).await.map_err(failed)?;
            let value = found.value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            (shown::get(tools, nodes, &key), Reply::Value { value, revision: found.revision })
        }
        Command::Compact { revision } => {
            let revision = cluster.compact(revision).await.map_err(failed)?;
            (shown::compact(tools, nodes, revision), Reply::Revision { revision })
        }
        Command::Delete { key, prefix } => {
            let gone = cluster.delete(&key, prefix).await.map_err(failed)?;
            let reply = Reply::Deleted { deleted: gone.deleted, revision: gone.revision };
            (shown::delete(tools, nodes, &key, prefix), reply)
        }
        Command::Defragment { member } => {
            let node = nodes
                .iter()
                .find(|node| node.name == member)
                .ok_or_else(|| problems::no_such_member(&member))?;
            cluster.member(&member).map_err(failed)?.defragment().await.map_err(failed)?;
            (shown::defragment(tools, node), Reply::Done)
        }
        Command::Disarm => {
            let disarmed = cluster.disarm().await.map_err(failed)?;
            let alarms = disarmed.iter().map(|alarm| alarm_view(alarm, members)).collect();
            (shown::disarm(tools, nodes), Reply::Alarms { alarms })
        }
        // The only other command that gets here asks for the alarms.
        _ => {
            let raised = cluster.alarms().await.map_err(failed)?;
            let alarms = raised.iter().map(|alarm| alarm_view(alarm, members)).collect();
            (shown::alarms(tools, nodes), Reply::Alarms { alarms })
        }
    })
}
