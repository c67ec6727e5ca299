//! Opening a lab, and speaking with it: [`Lab`] holds it, an [`Asker`] asks it, [`Events`] tell of it. The
//! lab may be in this program or in another one on this machine; to who asks and listens it is the same.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use lab_cluster::Topology;
use lab_cluster::native::{Binaries, Launch};
use lab_metrics::{Clock, MemoryStore, system_clock};
use lab_promql::{Engine, Semantics};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::api::{Command, Event, LabInfo, Problem, Reply};
use crate::content;
use crate::control;
use crate::course::{self, Courses, Progress};
use crate::desk::Seat;
use crate::evaluation::Turns;
use crate::home::{self, Home};
use crate::listen::Local;
use crate::problems;
use crate::serve;
use crate::session::{Message, Session, Shared};
use crate::topologies::Topologies;

/// Messages the session lets wait; who asks more waits himself.
const MAILBOX: usize = 1_024;
/// Events a listener may lag behind before it is told to ask for the snapshot.
const EVENTS: usize = 1_024;

/// What a lab is made from.
#[derive(Clone)]
pub struct Config {
    /// Folder under which labs live.
    pub base: PathBuf,
    /// Which kind of program holds it: `app` or `terminal`.
    pub host: String,
    /// Members, flags, ports.
    pub topologies: Topologies,
    /// Where the programs are.
    pub binaries: Binaries,
    /// How members are tied to the life of this program.
    pub launch: Launch,
    /// This program: started anew, it sees to it that containers don't outlive it.
    pub program: PathBuf,
    /// The time.
    pub clock: Clock,
    /// Where to offer Prometheus' HTTP API; nowhere when absent.
    pub serve: Option<SocketAddr>,
}

impl Config {
    /// What this machine and this program give.
    ///
    /// # Errors
    /// When no home folder is known.
    pub fn standard(host: &str) -> Result<Self, Problem> {
        let topologies = Topologies::builtin().map_err(|error| problems::cluster(error.into()))?;
        let no_program = |error: std::io::Error| {
            Problem::new("no-program", "The path of this program is not known.", "Start it by its full path.")
                .detail(error)
        };
        let launch = Launch::for_this_system().map_err(no_program)?;
        let program = std::env::current_exe().map_err(no_program)?;
        Ok(Self {
            base: home::base()?,
            host: host.into(),
            topologies,
            binaries: Binaries::standard(),
            launch,
            program,
            clock: system_clock(),
            serve: None,
        })
    }
}

/// A lab held by this program. Cheap to clone; all clones are the same lab.
#[derive(Clone)]
pub struct Lab {
    inbox: mpsc::Sender<Message>,
    shared: Arc<Shared>,
    engine: Engine,
    turns: Turns,
    info: LabInfo,
    base: Arc<std::path::Path>,
    binaries: Binaries,
    topology: Arc<Topology>,
    courses: Courses,
    session: Arc<tokio::sync::Mutex<Option<JoinHandle<()>>>>,
}

impl Lab {
    /// Opens a lab without a cluster: takes a folder, listens on the control socket, and, when asked, serves
    /// Prometheus' API. To be called within a tokio runtime.
    ///
    /// # Errors
    /// When the folder, the socket or the address can't be had.
    pub async fn open(config: Config) -> Result<Self, Problem> {
        let home = Home::take(&config.base)?;
        let socket = home.socket();
        let store = Arc::new(MemoryStore::default());
        let engine = Engine::new(Semantics::V3);
        let listener = match config.serve {
            Some(address) => Some(serve::bind(address).await?),
            None => None,
        };
        let info = LabInfo {
            id: format!("{:08x}", rand::random::<u32>()),
            version: env!("CARGO_PKG_VERSION").into(),
            folder: home.folder().display().to_string(),
            etcd_versions: config.binaries.versions(),
            default_etcd_version: config.topologies.usual().etcd_version().into(),
            serve: listener.as_ref().map(|(_, url)| url.clone()),
            pid: std::process::id(),
            host: config.host.clone(),
        };
        let shared = Arc::new(Shared {
            store,
            round: watch::channel(None).0,
            events: broadcast::channel(EVENTS).0,
            members: config.topologies.usual().members.iter().map(|member| member.name.clone()).collect(),
        });
        let (inbox, mailbox) = mpsc::channel(MAILBOX);
        let base: Arc<std::path::Path> = config.base.as_path().into();
        let (binaries, topology) = (config.binaries.clone(), Arc::new(config.topologies.usual().clone()));
        let clock = Arc::clone(&config.clock);
        let session = Session::new(config, home, info.clone(), Arc::clone(&shared), inbox.downgrade());
        let task = tokio::spawn(session.run(mailbox));
        let session = Arc::new(tokio::sync::Mutex::new(Some(task)));
        let turns = Turns::default();
        // Read before it is first asked for: whoever asks is not to wait on a busy machine.
        tokio::task::spawn_blocking(content::builtin);
        let (courses, requests) = course::channel();
        let lab = Self { inbox, shared, engine, turns, info, base, binaries, topology, courses, session };
        let (asker, events) = lab.listen();
        tokio::spawn(course::Actor::run(course::Setting {
            asker,
            events,
            requests,
            inbox: lab.inbox.clone(),
            rounds: lab.shared.round.subscribe(),
            clock: Arc::clone(&clock),
            default_version: lab.info.default_etcd_version.clone(),
            progress: Progress::in_base(&lab.base),
        }));
        control::serve(&socket, lab.clone())?;
        if let Some((listener, _)) = listener {
            let (engine, turns) = (lab.engine.clone(), lab.turns.clone());
            serve::run(listener, Arc::clone(&lab.shared.store), engine, turns, clock);
        }
        Ok(lab)
    }

    /// What this lab is.
    pub fn info(&self) -> &LabInfo {
        &self.info
    }

    /// The folder under which this lab and others live.
    pub fn base(&self) -> &std::path::Path {
        &self.base
    }

    /// One who asks and what the lab tells him. Watched panels are his own.
    pub fn listen(&self) -> (Asker, Events) {
        let (local, events) = Local::new(
            self.inbox.clone(),
            Arc::clone(&self.shared),
            self.engine.clone(),
            self.turns.clone(),
            self.binaries.clone(),
            Arc::clone(&self.topology),
            self.courses.clone(),
        );
        (Asker(Link::Local(Arc::new(local))), events)
    }

    /// Stops everything the lab runs and ends it. Done when nothing of it is left.
    pub async fn shutdown(&self) {
        let (answer, done) = oneshot::channel();
        if self.inbox.send(Message::Command(Command::Shutdown, answer)).await.is_ok() {
            let _ = done.await;
        }
        // The session's end frees its folder; whoever comes next may look there at once.
        if let Some(task) = self.session.lock().await.take() {
            let _ = task.await;
        }
    }
}

/// Asks a lab. Cheap to clone; all clones are the same listener.
#[derive(Clone)]
pub struct Asker(Link);

#[derive(Clone)]
enum Link {
    Local(Arc<Local>),
    Remote(control::Client),
    Seated(Seat),
}

impl Asker {
    /// One who asks a lab that another program holds.
    pub(crate) fn remote(client: control::Client) -> Self {
        Self(Link::Remote(client))
    }

    /// One who asks whichever lab the window sits at.
    pub(crate) fn seated(seat: Seat) -> Self {
        Self(Link::Seated(seat))
    }

    /// Asks, and waits for the answer. That the lab is gone is an answer too.
    pub async fn send(&self, command: Command) -> Reply {
        match &self.0 {
            Link::Local(local) => local.send(command).await,
            Link::Remote(client) => client.send(command).await,
            Link::Seated(seat) => seat.send(command).await,
        }
    }

    /// As [`Self::send`], with a problem as the error.
    ///
    /// # Errors
    /// What the lab answered.
    pub async fn ask(&self, command: Command) -> Result<Reply, Problem> {
        match self.send(command).await {
            Reply::Problem { problem } => Err(problem),
            reply => Ok(reply),
        }
    }
}

/// What a lab tells by itself.
pub struct Events {
    pub(crate) receiver: mpsc::Receiver<Event>,
    /// Ends what feeds this when it is dropped.
    pub(crate) _guard: tokio_util::sync::DropGuard,
}

impl Events {
    pub(crate) fn new(receiver: mpsc::Receiver<Event>, cancel: CancellationToken) -> Self {
        Self { receiver, _guard: cancel.drop_guard() }
    }

    /// The next event; `None` once the lab has ended.
    pub async fn next(&mut self) -> Option<Event> {
        self.receiver.recv().await
    }
}
