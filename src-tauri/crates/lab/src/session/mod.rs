//! The one owner of a lab's state. Commands and news reach it through one mailbox; what changes leaves as
//! events. Whatever takes long runs beside it, in tasks that report back to the same mailbox, so that the
//! session itself never waits and every question is answered at once.
//!
//! Knows no scenario, no window, no terminal, and of the runtime only what [`Runtime`] says.

mod engine;
mod faults;
mod images;
mod launch;
mod loads;
mod members;
mod observers;
mod operations;
mod poll;
mod start;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use lab_cluster::{MemberProgress, Node, Runtime};
use lab_etcd::Cluster;
use lab_faults::Links;
use lab_metrics::{Clock, MemoryStore, Scraper};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::api::{
    ClusterView, Command, CourseView, Event, FaultsView, ImageWork, LabInfo, Mark, MarkKind, MemberAction,
    ObserversView, Phase, Problem, Reply, Snapshot,
};
use crate::home::{Home, Record};
use crate::lab::Config;
use crate::problems;
use crate::shown::{self, History, Line};
use images::Images;
use loads::Loads;
use observers::{InDocker, Observers};

pub use poll::MemberNews;

/// Marks kept for a snapshot; charts look back a few minutes.
const MARKS: usize = 200;

/// How the answer to a command reaches who asked.
pub type Answer = oneshot::Sender<Reply>;

/// What reaches the session's mailbox.
pub enum Message {
    /// Somebody asks.
    Command(Command, Answer),
    /// What a start does before there are members; nothing any more once there are.
    Preparing(Option<String>),
    /// A start gets on.
    Progress(Vec<MemberProgress>),
    /// A start ended.
    Started(Box<Result<launch::Started, Problem>>),
    /// A stop ended.
    Stopped,
    /// What members said of themselves this second.
    Members(Vec<MemberNews>),
    /// A member's process ended by itself.
    Exited(lab_cluster::Exit),
    /// A member that is being restarted has its new process.
    Restarted(Node),
    /// Something went wrong beside the session that nobody waits for.
    Problem(Problem),
    /// That was done to a member.
    Acted(String, MemberAction),
    /// Work on an image began, went on, or ended.
    ImageWork(Option<ImageWork>),
    /// Prometheus and Grafana were started or stopped, or failed.
    Observers(ObserversView),
    /// A load told of its last second.
    Load(u32, Box<lab_bench::Progress>),
    /// A load ended.
    LoadEnded(u32, Box<Result<lab_bench::Report, lab_bench::BenchError>>),
    /// Something was done that a person could have typed.
    Done(Line),
    /// Faults in effect, and how often they were reached.
    Faults(FaultsView),
    /// Something happened that charts mark.
    Mark(MarkKind, String),
    /// A scenario began, went on, or was left.
    Course(Option<Box<CourseView>>),
}

/// What listeners read without asking the session.
pub struct Shared {
    /// All samples.
    pub store: Arc<MemoryStore>,
    /// Time of the last finished round of scrapes, milliseconds since the Unix epoch.
    pub round: watch::Sender<Option<i64>>,
    /// News for everybody.
    pub events: broadcast::Sender<Event>,
    /// Member names in the order of the topology.
    pub members: Vec<String>,
}

/// A running cluster and what belongs to it.
struct Running {
    runtime: Arc<dyn Runtime>,
    cluster: Cluster,
    nodes: Vec<Node>,
    /// Ends the tasks that watch it.
    watching: CancellationToken,
    scraper: Scraper,
    /// What its members reach each other through, if not directly; held until the last of them has ended.
    links: Option<Links>,
    /// Takes commands about faults.
    faults: mpsc::Sender<faults::Asked>,
    /// Held as long as members write to it; in Docker they write elsewhere.
    data: Option<crate::home::DataFolder>,
    /// What those in Docker have.
    docker: Option<InDocker>,
    /// Goes on with the members once an engine that went is back.
    going_on: Option<AbortHandle>,
}

/// The session's state; see the module.
pub struct Session {
    config: Config,
    home: Home,
    /// Where the members of the last start have their data and logs.
    member_folder: PathBuf,
    /// Whether that start went on with the data it found.
    keeps_data: bool,
    info: LabInfo,
    clock: Clock,
    shared: Arc<Shared>,
    inbox: mpsc::WeakSender<Message>,
    phase: Phase,
    view: Option<ClusterView>,
    /// What the cluster that is starting will look like.
    next_view: Option<ClusterView>,
    running: Option<Running>,
    starting: Option<Pending>,
    stopping: Vec<Answer>,
    /// Members that have ended, and how.
    ended: HashMap<String, String>,
    /// Members that are held.
    held: HashSet<String>,
    images: Images,
    observers: Observers,
    loads: Loads,
    faults: FaultsView,
    marks: VecDeque<Mark>,
    next_mark: u64,
    course: Option<Box<CourseView>>,
    shown: History,
    problem: Option<Problem>,
    leaving: Option<Answer>,
}

/// A start under way.
struct Pending {
    call_off: CancellationToken,
    asked: Option<Answer>,
}

impl Session {
    /// A session without a cluster.
    pub fn new(
        config: Config,
        home: Home,
        info: LabInfo,
        shared: Arc<Shared>,
        inbox: mpsc::WeakSender<Message>,
    ) -> Self {
        Self {
            clock: Arc::clone(&config.clock),
            config,
            member_folder: home.folder().to_owned(),
            keeps_data: false,
            home,
            info,
            shared,
            inbox,
            phase: Phase::Stopped,
            view: None,
            next_view: None,
            running: None,
            starting: None,
            stopping: Vec::new(),
            ended: HashMap::new(),
            held: HashSet::new(),
            images: Images::default(),
            observers: Observers::default(),
            loads: Loads::default(),
            faults: FaultsView::default(),
            marks: VecDeque::new(),
            next_mark: 0,
            course: None,
            shown: History::default(),
            problem: None,
            leaving: None,
        }
    }

    /// Takes messages until the lab is shut down or nobody can send any more.
    pub async fn run(mut self, mut mailbox: mpsc::Receiver<Message>) {
        self.record(&[]);
        while let Some(message) = mailbox.recv().await {
            self.take(message);
            if self.leaving.is_some()
                && self.running.is_none()
                && self.starting.is_none()
                && self.stopping.is_empty()
                && self.images.under_way().is_none()
            {
                break;
            }
        }
        // Everybody who could ask is gone: then what runs is to end with us.
        if let Some(running) = self.running.take() {
            running.watching.cancel();
            running.runtime.stop().await;
        }
        self.tell(Event::Ended);
        if let Some(answer) = self.leaving.take() {
            let _ = answer.send(Reply::Done);
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Command(command, answer) => self.command(command, answer),
            Message::Preparing(what) => self.preparing(what),
            Message::Progress(progress) => self.starting_progress(progress),
            Message::Started(result) => self.started(*result),
            Message::Stopped => self.stopped(),
            Message::Members(news) => self.members(news),
            Message::Exited(exit) => self.exited(exit),
            Message::Restarted(node) => self.restarted(node),
            Message::Problem(problem) => self.went_wrong(problem),
            Message::Acted(member, action) => self.acted(&member, action),
            Message::ImageWork(work) => self.image_work(work),
            Message::Observers(observers) => self.observers(observers),
            Message::Load(id, progress) => self.load_progress(id, &progress),
            Message::LoadEnded(id, result) => self.load_ended(id, *result),
            Message::Done(line) => self.show(line),
            Message::Faults(faults) => self.faults(faults),
            Message::Mark(kind, text) => self.mark(kind, text),
            Message::Course(course) => {
                self.course = course.clone();
                self.tell(Event::Course { course });
            }
        }
    }

    fn command(&mut self, command: Command, answer: Answer) {
        let reply = match command {
            Command::Snapshot => Ok(Reply::Snapshot { snapshot: Box::new(self.snapshot()) }),
            Command::Start { options } => return self.start(options, answer),
            Command::Stop => return self.stop(answer),
            Command::RestartMember { member } => return self.restart_member(member, answer),
            Command::ActOnMember { member, action } => return self.act_on_member(member, action, answer),
            Command::BuildImage { .. } | Command::SaveImages { .. } | Command::LoadImages { .. } => {
                return self.work_on_images(command, answer);
            }
            Command::StartObservers => return self.start_observers(answer),
            Command::StopObservers => return self.stop_observers(answer),
            Command::StartLoad { spec } => self.start_load(spec),
            Command::StopLoad { id } => self.stop_load(id),
            Command::ForgetLoad { id } => self.forget_load(id),
            Command::LoadCommand { spec } => self.load_command(&spec),
            Command::Log { member, lines } => self.log(&member, lines),
            Command::Put { .. }
            | Command::Get { .. }
            | Command::Compact { .. }
            | Command::Delete { .. }
            | Command::Defragment { .. }
            | Command::Alarms
            | Command::Disarm => return self.operate(command, answer),
            Command::Failpoints
            | Command::SetFailpoint { .. }
            | Command::ClearFailpoints { .. }
            | Command::SetLinks { .. }
            | Command::HealLinks => return self.fault(command, answer),
            Command::DismissProblem => {
                self.mended();
                if matches!(self.phase, Phase::Failed { .. }) {
                    self.enter(Phase::Stopped);
                }
                Ok(Reply::Done)
            }
            Command::Shutdown => {
                self.leaving = Some(answer);
                self.images.call_off();
                let (ignored, _) = oneshot::channel();
                if self.running.is_some() || self.starting.is_some() {
                    self.stop(ignored);
                }
                return;
            }
            // The rest is answered by the listener itself (`listen`), without the session.
            other => Err(problems::other_language(format_args!("{other:?}"))),
        };
        let _ = answer.send(reply.unwrap_or_else(|problem| Reply::Problem { problem }));
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            lab: self.info.clone(),
            phase: self.phase.clone(),
            cluster: self.view.clone(),
            loads: self.loads.views(),
            faults: self.faults.clone(),
            marks: self.marks.iter().cloned().collect(),
            course: self.course.clone(),
            image_work: self.images.under_way(),
            observers: self.observers.view(),
            shown: self.shown.kept(),
            problem: self.problem.clone(),
        }
    }

    fn log(&self, member: &str, lines: u32) -> Result<Reply, Problem> {
        if !self.shared.members.iter().any(|name| name == member) {
            return Err(problems::no_such_member(member));
        }
        // Readable after the cluster has stopped too: the files stay until the next start.
        let file = self.member_folder.join("logs").join(format!("{member}.log"));
        let wanted = usize::try_from(lines).unwrap_or(usize::MAX).min(10_000);
        let lines = lab_cluster::last_lines(&file, wanted).map_err(|error| {
            Problem::new("no-log", format!("There is no log of {member} yet."), "Start the cluster first.")
                .detail(error)
        })?;
        Ok(Reply::Log { lines, file: file.display().to_string() })
    }

    fn nodes(&self) -> &[Node] {
        self.running.as_ref().map_or(&[], |running| &running.nodes)
    }

    fn needs_cluster(&self) -> Result<&Running, Problem> {
        match (&self.running, &self.phase) {
            (Some(running), Phase::Running { .. }) => Ok(running),
            (_, Phase::Starting { .. }) => Err(problems::busy("starting")),
            (_, Phase::Stopping) => Err(problems::busy("stopping")),
            _ => Err(problems::not_running()),
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase.clone();
        self.tell(Event::Phase { phase });
    }

    fn show(&mut self, line: Line) {
        let command = self.shown.add((self.clock)(), line);
        self.tell(Event::Shown { command });
    }

    fn mark(&mut self, kind: MarkKind, text: String) {
        if self.marks.len() == MARKS {
            self.marks.pop_front();
        }
        self.next_mark += 1;
        let mark = Mark { id: self.next_mark, at_s: (self.clock)() as f64 / 1_000.0, kind, text };
        self.marks.push_back(mark.clone());
        self.tell(Event::Mark { mark });
    }

    fn went_wrong(&mut self, problem: Problem) {
        self.problem = Some(problem.clone());
        self.tell(Event::Problem { problem });
    }

    /// There is no problem any more.
    fn mended(&mut self) {
        if self.problem.take().is_some() {
            self.tell(Event::ProblemOver);
        }
    }

    /// Nobody listening is no error: the snapshot has it all.
    fn tell(&self, event: Event) {
        let _ = self.shared.events.send(event);
    }

    /// Leaves word on disk of what runs, for a terminal to find.
    fn record(&mut self, nodes: &[Node]) {
        let record = Record {
            id: self.info.id.clone(),
            pid: self.info.pid,
            host: self.info.host.clone(),
            nodes: nodes.to_vec(),
        };
        if let Err(problem) = self.home.write(&record) {
            self.went_wrong(problem);
        }
    }

    /// Runs `work` beside the session; what it returns comes back through the mailbox.
    fn beside(&self, work: impl Future<Output = Message> + Send + 'static) {
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let message = work.await;
            if let Some(inbox) = inbox.upgrade() {
                // The session ends only after it was told of everything it started, or on its own wish.
                let _ = inbox.send(message).await;
            }
        });
    }
}
