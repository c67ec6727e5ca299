//! Faults in a running cluster: set, taken back, and watched.
//!
//! One task beside the session does all of it, one thing after the other, so that what is read of the members can't
//! be older than what was last done to them. It reads them once a second, which also finds what others set by curl.

mod failpoints;
mod links;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use lab_cluster::Node;
use lab_faults::{Gofail, GofailError, Links};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{Answer, Message, Session};
use crate::api::{Command, Event, FailpointView, FaultsView, LinkView, MarkKind, Problem, Reply};
use crate::problems;
use crate::shown::Line;

/// Commands that may wait for the one before them.
const WAITING: usize = 64;
/// Within this a member tells its failpoints, and a proxy its links, or what it told last is taken for true.
const LOOK_WITHIN: Duration = Duration::from_millis(900);

/// What is asked of the task.
pub(super) type Asked = (Command, Answer);

impl Session {
    /// Hands a command about faults to the task that keeps them.
    pub(super) fn fault(&mut self, command: Command, answer: Answer) {
        let problem = match self.needs_cluster() {
            Ok(running) => match running.faults.try_send((command, answer)) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full((_, answer))) => {
                    let reply = Reply::Problem { problem: problems::busy("setting faults") };
                    return drop(answer.send(reply));
                }
                Err(mpsc::error::TrySendError::Closed((_, answer))) => {
                    return drop(answer.send(Reply::Problem { problem: problems::called_off() }));
                }
            },
            Err(problem) => problem,
        };
        let _ = answer.send(Reply::Problem { problem });
    }

    /// The cluster is there: nothing is done to it yet, and its links are known.
    pub(super) fn no_faults_yet(&mut self) {
        let running = self.running.as_ref().filter(|running| running.links.is_some());
        let links = running.map(|running| links::untouched(&running.nodes));
        self.faults(FaultsView { failpoints: Vec::new(), links });
    }

    /// What is in effect now.
    pub(super) fn faults(&mut self, faults: FaultsView) {
        // Once the cluster is on its way down, its faults are too.
        if self.running.is_some() && self.faults != faults {
            self.faults = faults.clone();
            self.tell(Event::Faults { faults });
        }
    }

    /// The cluster is gone, and all that was done to it.
    pub(super) fn no_faults(&mut self) {
        if self.faults != FaultsView::default() {
            self.faults = FaultsView::default();
            self.tell(Event::Faults { faults: FaultsView::default() });
        }
    }
}

/// Starts the task; it ends with `cancel`.
pub(super) fn keep(
    gofail: Gofail,
    nodes: &[Node],
    links: Option<Links>,
    inbox: mpsc::WeakSender<Message>,
    cancel: CancellationToken,
) -> mpsc::Sender<Asked> {
    let (sender, asked) = mpsc::channel(WAITING);
    let keeper = Keeper {
        gofail,
        nodes: nodes.to_vec(),
        links_seen: links.as_ref().map(|_| links::untouched(nodes)),
        links,
        set: Vec::new(),
        until: BTreeMap::new(),
        inbox,
    };
    tokio::spawn(keeper.run(asked, cancel));
    sender
}

/// What a look at one member found.
struct Look {
    member: String,
    found: Found,
}

enum Found {
    /// Failpoints that are set.
    Set(Vec<FailpointView>),
    /// Nobody listens there any more: with the process its failpoints are gone.
    Gone,
    /// It didn't answer in time.
    Silent,
}

/// The task's state.
struct Keeper {
    gofail: Gofail,
    nodes: Vec<Node>,
    links: Option<Links>,
    /// The links as they were told last.
    links_seen: Option<Vec<LinkView>>,
    /// Failpoints that are set, in the order of the members, then by name.
    set: Vec<FailpointView>,
    /// When those that were set for a while are cleared, by member and failpoint.
    until: BTreeMap<(String, String), Instant>,
    inbox: mpsc::WeakSender<Message>,
}

impl Keeper {
    async fn run(mut self, mut asked: mpsc::Receiver<Asked>, cancel: CancellationToken) {
        let mut tick = interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = self.until.values().min().copied();
            tokio::select! {
                () = cancel.cancelled() => break,
                // A look that waits for a silent member makes room: it changes nothing, and comes again.
                Some((command, answer)) = asked.recv() => {
                    let carried_out = tokio::select! {
                        () = cancel.cancelled() => Err(problems::called_off()),
                        carried_out = self.carry_out(command) => carried_out,
                    };
                    // First the news, then the answer: who has it and asks for the state sees what he did.
                    self.tell().await;
                    let _ = answer.send(carried_out.unwrap_or_else(|problem| Reply::Problem { problem }));
                }
                () = reach(next) => tokio::select! {
                    () = cancel.cancelled() => break,
                    () = self.expire() => self.tell().await,
                },
                looks = async { tick.tick().await; self.look().await } => {
                    self.seen(looks).await;
                    self.tell().await;
                }
            }
        }
        asked.close();
        while let Some((_, answer)) = asked.recv().await {
            let _ = answer.send(Reply::Problem { problem: problems::called_off() });
        }
    }

    async fn carry_out(&mut self, command: Command) -> Result<Reply, Problem> {
        match command {
            Command::SetFailpoint { members, failpoint, term, for_s } => {
                self.set_failpoint(&members, &failpoint, &term, for_s).await
            }
            Command::ClearFailpoints { members, failpoint } => {
                self.clear_failpoints(&members, failpoint.as_deref()).await
            }
            Command::SetLinks { from, to, shape } => self.set_links(&from, &to, shape).await,
            Command::HealLinks => self.heal_links().await,
            // The only other command that gets here asks what there is.
            _ => self.failpoints().await,
        }
    }

    /// The members named; all for none.
    fn chosen(&self, members: &[String]) -> Result<Vec<Node>, Problem> {
        let named = |member: &String| self.nodes.iter().find(|node| &node.name == member);
        if let Some(stranger) = members.iter().find(|member| named(member).is_none()) {
            return Err(problems::no_such_member(stranger));
        }
        let chosen = |node: &&Node| members.is_empty() || members.contains(&node.name);
        Ok(self.nodes.iter().filter(chosen).cloned().collect())
    }

    /// What the members have set, each asked at the same time.
    async fn look(&self) -> Vec<Look> {
        join_all(self.nodes.iter().map(|node| async {
            let found = match timeout(LOOK_WITHIN, self.set_at(node)).await {
                Ok(Ok(set)) => Found::Set(set),
                Ok(Err(GofailError::Unreachable { .. })) => Found::Gone,
                Ok(Err(_)) | Err(_) => Found::Silent,
            };
            Look { member: node.name.clone(), found }
        }))
        .await
    }

    /// What a member has set, with hits.
    async fn set_at(&self, node: &Node) -> Result<Vec<FailpointView>, GofailError> {
        let all = self.gofail.list(&node.gofail).await?;
        let set = all.into_iter().filter_map(|failpoint| Some((failpoint.name, failpoint.term?)));
        let counted = set.map(|(failpoint, term)| async move {
            // One that was cleared between the two questions, or a member that doesn't count.
            let hits = self.gofail.count(&node.gofail, &failpoint).await.unwrap_or_default();
            FailpointView { member: node.name.clone(), failpoint, term, hits }
        });
        Ok(join_all(counted).await)
    }

    /// Takes over what a look found, and marks what others did meanwhile.
    async fn seen(&mut self, looks: Vec<Look>) {
        let mut seen = Vec::new();
        for look in looks {
            match look.found {
                Found::Set(set) => seen.extend(set),
                // That it ended is marked, and nobody cleared anything.
                Found::Gone => self.set.retain(|set| set.member != look.member),
                Found::Silent => {
                    seen.extend(self.set.iter().filter(|set| set.member == look.member).cloned())
                }
            }
        }
        let changes = failpoints::changes(&self.set, &seen);
        for ((failpoint, term), members) in changes {
            for member in &members {
                self.until.remove(&(member.clone(), failpoint.clone()));
            }
            self.mark(failpoints::mark(&failpoint, term.as_deref(), &members, self.nodes.len())).await;
        }
        self.set = seen;
    }

    async fn tell(&mut self) {
        self.look_at_links().await;
        let links = self.links_seen.clone();
        self.send(Message::Faults(FaultsView { failpoints: self.set.clone(), links })).await;
    }

    async fn mark(&self, text: String) {
        self.send(Message::Mark(MarkKind::Fault, text)).await;
    }

    async fn show(&self, line: Line) {
        self.send(Message::Done(line)).await;
    }

    async fn send(&self, message: Message) {
        if let Some(inbox) = self.inbox.upgrade() {
            // The session ends only after it was told of everything, or on its own wish.
            let _ = inbox.send(message).await;
        }
    }
}

async fn reach(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
