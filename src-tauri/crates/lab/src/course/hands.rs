//! Carries out actions, one after the other, through the same commands that a person gives. Knows neither steps nor
//! checks; what it waits for, it waits for with a limit.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::already::is_so;
use super::describe::words;
use super::judge::judge;
use super::measure::{locked, measure};
use super::note::{Note, Reporter};
use super::notebook::Notebook;
use super::world::World;
use crate::api::{ActionState, Command, LinkShape, LoadSpec, LoadState, Problem, Reply};
use crate::lab::Asker;
use crate::problems;
use crate::scenario::model::{Action, Binding, Check, Remember, Who};

/// A load that was told to stop waits for its last answers at most.
const LOAD_ENDS_WITHIN: Duration = Duration::from_secs(30);
/// News of what was answered already is on its way; longer than this it never takes.
const NEWS_WITHIN: Duration = Duration::from_secs(5);
/// An election takes a few seconds at most, also on slowed disks and links.
const SETTLES_WITHIN: Duration = Duration::from_secs(30);
/// Without scrapes, what the lab tells by itself is looked at so often.
const LOOKS_EVERY: Duration = Duration::from_secs(1);

/// Why something was not done.
#[derive(Debug)]
pub enum Stop {
    /// It made room for something else.
    Cancelled,
    /// It could not be.
    Failed(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Hands {
    /// Who is asked.
    pub asker: Asker,
    /// What the lab tells.
    pub world: watch::Receiver<World>,
    /// Rounds of scrapes.
    pub rounds: watch::Receiver<Option<i64>>,
    /// Names, loads and faults of the course.
    pub notebook: Arc<Mutex<Notebook>>,
    /// Who is told how far it is.
    pub reporter: Reporter,
    /// Ends the waiting.
    pub cancel: CancellationToken,
}

impl Hands {
    /// Carries out all of `actions`, and says of each how far it is.
    ///
    /// # Errors
    /// With the first that fails; those after it aren't begun.
    pub async fn act(&self, actions: &[(usize, Action)]) -> Result<(), Stop> {
        for (at, action) in actions {
            let at = *at;
            self.reporter.tell(Note::Action(at, ActionState::Running)).await;
            if let Action::Defragment { members, background: true } = action {
                let (hands, members) = (self.clone(), members.clone());
                tokio::spawn(async move {
                    let result = hands.defragment(&members).await;
                    hands.tell_end(at, &result).await;
                });
                continue;
            }
            let result = self.carry_out(action).await;
            self.tell_end(at, &result).await;
            result?;
        }
        Ok(())
    }

    async fn tell_end(&self, at: usize, result: &Result<(), Stop>) {
        let state = match result {
            Ok(()) => ActionState::Done,
            Err(Stop::Failed(problem)) => ActionState::Failed { problem: problem.clone() },
            Err(Stop::Cancelled) => return,
        };
        self.reporter.tell(Note::Action(at, state)).await;
    }

    /// Carries out actions that bring about a state, and says which is being done. What is so already is left out.
    ///
    /// # Errors
    /// With the first that fails.
    pub async fn bring_about(&self, actions: &[Action]) -> Result<(), Stop> {
        let mut faults_changed = false;
        for action in actions {
            let of_faults = matches!(
                action,
                Action::Failpoint { .. }
                    | Action::ClearFailpoint { .. }
                    | Action::Link { .. }
                    | Action::HealLinks
            );
            // After a change of faults, what is known of them may be from before it.
            let known = !(of_faults && faults_changed);
            if known && is_so(action, &self.world.borrow(), &locked(&self.notebook)) {
                continue;
            }
            faults_changed |= of_faults;
            let doing = words(action, &self.world.borrow(), &locked(&self.notebook));
            self.reporter.tell(Note::Doing(doing)).await;
            match action {
                Action::Defragment { members, background: true } => {
                    let (hands, members) = (self.clone(), members.clone());
                    tokio::spawn(async move { hands.defragment(&members).await });
                }
                action => self.carry_out(action).await?,
            }
        }
        Ok(())
    }

    /// Waits until members have been heard since now and one of them leads. That none does, because of a fault, is no
    /// error.
    pub async fn settle(&self) -> Result<(), Stop> {
        let mut world = self.world.clone();
        // One that is being heard just now may have begun before.
        let heard = world.borrow().polls + 2;
        let settled = world.wait_for(|world| world.polls >= heard && world.leader().is_some());
        tokio::select! {
            () = self.cancel.cancelled() => Err(Stop::Cancelled),
            _ = timeout(SETTLES_WITHIN, settled) => Ok(()),
        }
    }

    /// Gives members their roles.
    ///
    /// # Errors
    /// When nobody is what a role is for.
    pub fn bind(&self, bindings: &[Binding]) -> Result<(), Problem> {
        let world = self.world.borrow();
        let mut notebook = locked(&self.notebook);
        for Binding { role, who } in bindings {
            let members = world.who(who, &notebook.names);
            let member = members.first().ok_or_else(|| problems::nobody_for(role))?;
            notebook.names.bind(role, member);
        }
        Ok(())
    }

    /// Takes back what the course did to the cluster: faults and loads. Goes on after a problem, and tells the first.
    pub async fn undo(&self) -> Result<(), Problem> {
        let (failpoints, links, loads) = {
            let mut notebook = locked(&self.notebook);
            let loads: Vec<u32> = notebook.own_loads().map(|(_, id)| id).collect();
            let undone =
                (std::mem::take(&mut notebook.failpoints), std::mem::take(&mut notebook.links), loads);
            notebook.fresh_cluster();
            undone
        };
        let mut commands = Vec::new();
        for (member, failpoint) in failpoints {
            commands.push(Command::ClearFailpoints { members: vec![member], failpoint: Some(failpoint) });
        }
        if links {
            commands.push(Command::HealLinks);
        }
        let running = |id: &u32| self.world.borrow().runs(*id);
        commands.extend(loads.into_iter().filter(running).map(|id| Command::StopLoad { id }));
        let mut result = Ok(());
        for command in commands {
            result = result.and(match self.asker.ask(command).await {
                // With the cluster, all that was done to it is gone.
                Err(problem) if problem.code == problems::not_running().code => Ok(()),
                done => done.map(drop),
            });
        }
        result
    }

    async fn carry_out(&self, action: &Action) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        match action {
            Action::Load { name, spec } => self.start_load(name, spec).await,
            Action::StopLoad(name) => self.stop_load(name).await,
            Action::WaitLoad { name, within_s } => self.wait_load(name, *within_s).await,
            Action::Failpoint { members, name, term } => {
                self.set_failpoint(members, name, term).await?;
                self.told(action).await
            }
            Action::ClearFailpoint { members, name } => {
                self.clear_failpoints(members, name.as_deref()).await?;
                self.told(action).await
            }
            Action::Link { from, to, both, shape } => {
                // Told once: a cut can make another one leader.
                let (from, to) = (self.members(from)?, self.members(to)?);
                locked(&self.notebook).links = true;
                self.set_links(&from, &to, *shape).await?;
                if *both {
                    self.set_links(&to, &from, *shape).await?;
                }
                self.told(action).await
            }
            Action::HealLinks => {
                self.ask(Command::HealLinks).await?;
                locked(&self.notebook).links = false;
                self.told(action).await
            }
            Action::Compact => match self.ask(Command::Compact { revision: None }).await {
                // Nothing was written since the last compaction: it is so already.
                Err(Stop::Failed(problem)) if problem.sentence.contains("has been compacted") => Ok(()),
                result => result,
            },
            Action::Delete { prefix } => {
                self.ask(Command::Delete { key: prefix.clone(), prefix: true }).await
            }
            Action::Defragment { members, .. } => self.defragment(members).await,
            Action::Disarm => self.ask(Command::Disarm).await,
            Action::Until(check) => self.until(check).await,
            Action::Remember { remember, over_s } => self.remember(remember, *over_s).await,
        }
    }

    /// Asks, and is done when it is done: what was asked can't be taken back half-way.
    async fn ask(&self, command: Command) -> Result<(), Stop> {
        Ok(self.asker.ask(command).await.map(drop)?)
    }

    /// Waits until the lab tells of a fault what was just answered: what comes next is decided by what it tells.
    async fn told(&self, fault: &Action) -> Result<(), Stop> {
        self.news(|world| is_so(fault, world, &locked(&self.notebook)), NEWS_WITHIN).await.map(drop)
    }

    async fn start_load(&self, name: &str, spec: &LoadSpec) -> Result<(), Stop> {
        let (own, by_hand) = {
            let (world, notebook) = (self.world.borrow(), locked(&self.notebook));
            let own = notebook.own_load(name).and_then(|id| world.loads.get(&id));
            let own = own.filter(|load| load.state == LoadState::Running).map(|load| load.spec == *spec);
            (own, notebook.same_by_hand(spec, &world))
        };
        match own {
            Some(true) => return Ok(()),
            Some(false) => self.stop_load(name).await?,
            None => {}
        }
        if let Some(id) = by_hand {
            locked(&self.notebook).started(name, id);
            return Ok(());
        }
        if let Reply::Load { id } = self.asker.ask(Command::StartLoad { spec: spec.clone() }).await? {
            locked(&self.notebook).started(name, id);
            self.news(|world| world.loads.contains_key(&id), NEWS_WITHIN).await?;
        }
        Ok(())
    }

    async fn stop_load(&self, name: &str) -> Result<(), Stop> {
        let id = {
            let (world, mut notebook) = (self.world.borrow(), locked(&self.notebook));
            let id = notebook.load(name, &world).map(|load| load.id).filter(|id| world.runs(*id));
            notebook.stopped(name);
            id
        };
        let Some(id) = id else { return Ok(()) };
        self.ask(Command::StopLoad { id }).await?;
        self.news(|world| !world.runs(id), LOAD_ENDS_WITHIN).await.map(drop)
    }

    async fn wait_load(&self, name: &str, within_s: u32) -> Result<(), Stop> {
        let id = locked(&self.notebook).load(name, &self.world.borrow()).map(|load| load.id);
        let Some(id) = id else { return Ok(()) };
        let within = Duration::from_secs(within_s.into());
        if !self.news(|world| !world.runs(id), within).await? {
            return Err(problems::load_goes_on(name, within_s).into());
        }
        let state = self.world.borrow().loads.get(&id).map(|load| load.state.clone());
        match state {
            Some(LoadState::Failed { problem }) => Err(problem.into()),
            _ => Ok(()),
        }
    }

    /// Names of the members meant. There is one at least: in a command, none would stand for all.
    fn members(&self, who: &[Who]) -> Result<Vec<String>, Problem> {
        let members = self.world.borrow().named(who, &locked(&self.notebook).names);
        if members.is_empty() { Err(problems::nobody_meant()) } else { Ok(members) }
    }

    async fn set_failpoint(&self, members: &[Who], name: &str, term: &str) -> Result<(), Stop> {
        let members = self.members(members)?;
        let term = {
            let mut notebook = locked(&self.notebook);
            notebook.failpoints.extend(members.iter().map(|member| (member.clone(), name.to_owned())));
            notebook.names.text(term)
        };
        self.ask(Command::SetFailpoint { members, failpoint: name.into(), term, for_s: None }).await
    }

    /// What could not be cleared stays noted, to be cleared when the course is left.
    async fn clear_failpoints(&self, members: &[Who], name: Option<&str>) -> Result<(), Stop> {
        let members = self.members(members)?;
        let failpoint = name.map(str::to_owned);
        self.ask(Command::ClearFailpoints { members: members.clone(), failpoint }).await?;
        locked(&self.notebook).failpoints.retain(|(member, failpoint)| {
            !members.contains(member) || name.is_some_and(|name| name != failpoint)
        });
        Ok(())
    }

    async fn set_links(&self, from: &[String], to: &[String], shape: LinkShape) -> Result<(), Stop> {
        self.ask(Command::SetLinks { from: from.into(), to: to.into(), shape }).await
    }

    async fn defragment(&self, members: &[Who]) -> Result<(), Stop> {
        for member in self.members(members)? {
            // As long as a failpoint makes it: who leaves the step doesn't wait for it.
            let defragment = self.ask(Command::Defragment { member });
            tokio::select! {
                () = self.cancel.cancelled() => return Err(Stop::Cancelled),
                result = defragment => result?,
            }
        }
        Ok(())
    }

    async fn until(&self, check: &Check) -> Result<(), Stop> {
        let deadline = Instant::now() + Duration::from_secs(check.within_s.into());
        let hold = Duration::from_secs(check.hold_s.into());
        let mut since = None;
        loop {
            let mut missing = None;
            for condition in &check.all {
                let measured = measure(&condition.measure, &self.asker, &self.world, &self.notebook).await;
                let members = self.world.borrow().members().len();
                let judgement = judge(condition, &measured, members, &locked(&self.notebook).names);
                if !judgement.ok && missing.is_none() {
                    let that = locked(&self.notebook).names.text(&condition.that);
                    missing = Some((that, judgement.says));
                }
            }
            let now = Instant::now();
            since = if missing.is_none() { since.or(Some(now)) } else { None };
            if since.is_some_and(|since| now - since >= hold) {
                return Ok(());
            }
            if now >= deadline {
                let (that, says) = missing.unwrap_or_default();
                return Err(problems::never_so(&that, check.within_s, &says).into());
            }
            self.next_round(deadline).await?;
        }
    }

    async fn remember(&self, remember: &Remember, over_s: u32) -> Result<(), Stop> {
        let deadline = Instant::now() + Duration::from_secs(over_s.into());
        let (mut sum, mut count) = (0.0, 0.0);
        loop {
            self.next_round(deadline).await?;
            let measured = measure(&remember.measure, &self.asker, &self.world, &self.notebook).await;
            if let Some(value) = measured.single() {
                sum += value;
                count += 1.0;
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        if count == 0.0 {
            return Err(problems::nothing_to_remember(&remember.name, over_s).into());
        }
        locked(&self.notebook).names.keep(remember, sum / count);
        Ok(())
    }

    /// Waits for the next round of scrapes, but not beyond `deadline`.
    async fn next_round(&self, deadline: Instant) -> Result<(), Stop> {
        let mut rounds = self.rounds.clone();
        rounds.mark_unchanged();
        tokio::select! {
            () = self.cancel.cancelled() => return Err(Stop::Cancelled),
            Ok(()) = rounds.changed() => {}
            () = sleep_until(deadline.min(Instant::now() + LOOKS_EVERY)) => {}
        }
        Ok(())
    }

    /// Waits until the lab's news say so; whether they did in time.
    async fn news(&self, so: impl FnMut(&World) -> bool, within: Duration) -> Result<bool, Stop> {
        let mut world = self.world.clone();
        tokio::select! {
            () = self.cancel.cancelled() => Err(Stop::Cancelled),
            waited = timeout(within, world.wait_for(so)) => Ok(matches!(waited, Ok(Ok(_)))),
        }
    }
}
