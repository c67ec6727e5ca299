//! What becomes of one member: it ends, it is started again, or somebody stops, kills or holds it.

use std::sync::Arc;

use lab_cluster::docker::ENGINE_STOPPED;
use lab_cluster::{Node, Runtime};

use super::{Answer, Message, Session};
use crate::api::{Event, MarkKind, MemberAction, MemberState, MemberView, Problem, Reply};
use crate::{problems, shown};

impl Session {
    pub(super) fn restart_member(&mut self, member: String, answer: Answer) {
        let runtime = match self.runtime_of(&member) {
            Ok((runtime, _)) => runtime,
            Err(problem) => return drop(answer.send(Reply::Problem { problem })),
        };
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let launched = |node: &Node| {
                if let Some(inbox) = inbox.upgrade() {
                    let node = node.clone();
                    tokio::spawn(async move { inbox.send(Message::Restarted(node)).await });
                }
            };
            let reply = match runtime.restart(&member, &launched).await {
                Ok(_) => {
                    if let Some(inbox) = inbox.upgrade() {
                        let _ = inbox.send(Message::Done(shown::restart(&member))).await;
                    }
                    Reply::Done
                }
                Err(error) => Reply::Problem { problem: problems::restart(error) },
            };
            let _ = answer.send(reply);
        });
    }

    pub(super) fn restarted(&mut self, node: Node) {
        self.mark(MarkKind::Operation, format!("{} starts", node.name));
        self.ended.remove(&node.name);
        self.held.remove(&node.name);
        let all_run = !self.shared.members.iter().any(|member| self.ended.contains_key(member));
        let mended = self.problem.as_ref().is_some_and(|problem| {
            problem.member.as_ref() == Some(&node.name) || (problems::is_engine_lost(problem) && all_run)
        });
        if mended {
            self.mended();
        }
        if let Some(running) = &mut self.running {
            for old in running.nodes.iter_mut().filter(|old| old.name == node.name) {
                *old = node.clone();
            }
            let nodes = running.nodes.clone();
            self.record(&nodes);
        }
        if let Some(view) = &mut self.view {
            for member in view.members.iter_mut().filter(|member| member.name == node.name) {
                *member = member_view(member.index, &node);
            }
            let cluster = view.clone();
            self.tell(Event::Cluster { cluster });
        }
    }

    pub(super) fn act_on_member(&mut self, member: String, action: MemberAction, answer: Answer) {
        let (runtime, node) = match self.runtime_of(&member) {
            Ok(found) => found,
            Err(problem) => return drop(answer.send(Reply::Problem { problem })),
        };
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let reply = match runtime.act(&member, action.into()).await {
                Ok(()) => {
                    if let Some(inbox) = inbox.upgrade() {
                        // First the news, then the answer: who has it and asks for the state sees what he did.
                        let _ = inbox.send(Message::Acted(member, action)).await;
                        let _ = inbox.send(Message::Done(shown::act(&node, action))).await;
                    }
                    Reply::Done
                }
                Err(error) => Reply::Problem { problem: problems::cluster(error) },
            };
            let _ = answer.send(reply);
        });
    }

    pub(super) fn acted(&mut self, member: &str, action: MemberAction) {
        if self.running.is_none() {
            return;
        }
        let (state, kind, done) = match action {
            MemberAction::Stop => (MemberState::Exited, MarkKind::Fault, "stopped"),
            MemberAction::Kill => (MemberState::Exited, MarkKind::Fault, "killed"),
            MemberAction::Pause => (MemberState::Paused, MarkKind::Fault, "held"),
            // It says itself within a second how it is.
            MemberAction::Resume => (MemberState::Unreachable, MarkKind::Operation, "goes on"),
        };
        match action {
            MemberAction::Stop | MemberAction::Kill => {
                self.ended.insert(member.to_owned(), done.to_owned());
                self.held.remove(member);
            }
            MemberAction::Pause => drop(self.held.insert(member.to_owned())),
            MemberAction::Resume => drop(self.held.remove(member)),
        }
        self.mark(kind, format!("{member} {done}"));
        self.now_is(member, state);
    }

    pub(super) fn exited(&mut self, exit: lab_cluster::Exit) {
        let docker = self.running.as_ref().and_then(|running| running.docker.as_ref());
        let lost =
            docker.filter(|_| exit.how == ENGINE_STOPPED).map(|docker| docker.engine.info().endpoint.clone());
        self.mark(MarkKind::Fault, format!("{} ends", exit.member));
        self.held.remove(&exit.member);
        self.ended.insert(exit.member.clone(), exit.how.clone());
        // What it was about first: who plays a scenario says of a member that has ended why.
        match lost {
            Some(endpoint) => self.engine_lost(&endpoint),
            None if !self.shared.members.contains(&exit.member) => {
                self.went_wrong(problems::links_ended(&exit.how, exit.log));
            }
            None => self.went_wrong(problems::member_exited(
                &exit.member,
                &exit.how,
                exit.reason.as_deref(),
                exit.log,
            )),
        }
        self.now_is(&exit.member, MemberState::Exited);
    }

    /// Tells that a member is in that state, before the members are asked the next time.
    fn now_is(&mut self, member: &str, state: MemberState) {
        let Some(view) = &mut self.view else { return };
        for member in view.members.iter_mut().filter(|view| view.name == member) {
            member.state = state;
            if state == MemberState::Exited {
                member.leader = false;
                member.pid = None;
            }
        }
        let cluster = view.clone();
        self.tell(Event::Cluster { cluster });
    }

    /// Who runs that member, and where it is.
    fn runtime_of(&self, member: &str) -> Result<(Arc<dyn Runtime>, Node), Problem> {
        let running = self.needs_cluster()?;
        let node = running.nodes.iter().find(|node| node.name == member);
        let node = node.cloned().ok_or_else(|| problems::no_such_member(member))?;
        Ok((Arc::clone(&running.runtime), node))
    }
}

impl From<MemberAction> for lab_cluster::MemberAction {
    fn from(action: MemberAction) -> Self {
        match action {
            MemberAction::Stop => Self::Stop,
            MemberAction::Kill => Self::Kill,
            MemberAction::Pause => Self::Pause,
            MemberAction::Resume => Self::Resume,
        }
    }
}

/// A member that was started and hasn't answered yet.
pub(super) fn member_view(index: u32, node: &Node) -> MemberView {
    MemberView {
        name: node.name.clone(),
        index,
        state: MemberState::Starting,
        id: String::new(),
        leader: false,
        learner: false,
        term: 0,
        raft_index: 0,
        raft_applied_index: 0,
        db_size_bytes: 0,
        db_in_use_bytes: 0,
        pid: node.pid,
        container: node.container.clone(),
        client_url: node.client.clone(),
        peer_url: node.peer.clone(),
        gofail_url: node.gofail.clone(),
        answered_ms: 0,
    }
}
