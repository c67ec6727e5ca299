//! A proxy between members, one listener a sending member, that holds, limits or cuts what passes.
//!
//! A member that has one of the listeners as its `HTTP_PROXY` names itself by it, and the member it speaks with by the
//! host of its request. A link is the bytes from one member to another, whoever dialled: members dial each other to
//! *receive* (etcd, `server/etcdserver/api/rafthttp/stream.go`), so most of what a member sends flows back over a
//! connection that the other one opened.
//!
//! Takes requests for members' names only. Beside members that are processes of this host it listens on 127.0.0.1 and
//! dials 127.0.0.1; in a network of containers ([`Dial::ByName`]) it is a member's name that is dialled.

mod figures;
mod millis;
mod pace;
mod pump;
mod route;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use figures::Figures;
use pace::Pace;

/// Longest delay of a link. Longer than any of etcd's own time-outs, and short enough that a mistyped unit is told.
const LONGEST: Duration = Duration::from_secs(60);

/// What is done to the bytes of a link. The default lets them pass at once. As JSON it is what the lab's own language
/// calls a link's shape: `delayMs`, `jitterMs`, `bandwidthBytesS`, `cut`, each of which may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Shape {
    /// How long each chunk is held.
    #[serde(rename = "delayMs", with = "millis")]
    pub delay: Duration,
    /// By how much the delay varies, up or down, evenly. Bytes keep their order: a chunk waits for those before it.
    #[serde(rename = "jitterMs", with = "millis")]
    pub jitter: Duration,
    /// Bytes a second at most, all connections of the link together; no limit when absent.
    pub bandwidth_bytes_s: Option<u64>,
    /// Nothing passes: a connection breaks when bytes of the link are to go over it, and no new one comes about.
    pub cut: bool,
}

/// A link that can't be shaped as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// One of the two is no member, or they are the same.
    #[error("there is no link from {from} to {to}")]
    NoSuchLink {
        /// Sending member.
        from: String,
        /// Receiving member.
        to: String,
    },
    /// It would have to send chunks before they came.
    #[error("a jitter of {jitter:?} is larger than the delay, {delay:?}")]
    JitterOverDelay {
        /// As asked.
        jitter: Duration,
        /// As asked.
        delay: Duration,
    },
    /// A delay that can't be meant.
    #[error("a delay of {0:?} is longer than {LONGEST:?}")]
    TooLong(Duration),
    /// A limit under which nothing would ever pass.
    #[error("a bandwidth of 0 bytes a second lets nothing pass; cut the link instead")]
    NoBandwidth,
}

impl Shape {
    /// Whether a link can be shaped so.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), LinkError> {
        if self.delay > LONGEST {
            return Err(LinkError::TooLong(self.delay));
        }
        if self.jitter > self.delay {
            return Err(LinkError::JitterOverDelay { jitter: self.jitter, delay: self.delay });
        }
        if self.bandwidth_bytes_s == Some(0) {
            return Err(LinkError::NoBandwidth);
        }
        Ok(())
    }
}

/// A link, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkState {
    /// Member that sends.
    pub from: String,
    /// Member that receives.
    pub to: String,
    /// What is done to its bytes.
    pub shape: Shape,
    /// Bytes passed since the proxy began.
    pub bytes: u64,
    /// Of those, in the last second.
    pub last_second_bytes: u64,
    /// How long the chunks that left in the last second were held, mean; absent when none did.
    #[serde(rename = "heldMs", with = "millis::maybe")]
    pub held: Option<Duration>,
    /// Connections that carry it now.
    pub connections: u32,
}

/// How the proxy finds the member that a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dial {
    /// At 127.0.0.1, where the members are that run as processes of this host.
    Loopback,
    /// At the addresses that the system finds for its name each time, as in a network of containers.
    ByName,
}

impl Dial {
    async fn connect(self, member: &str, port: u16) -> io::Result<TcpStream> {
        match self {
            Self::Loopback => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await,
            Self::ByName => TcpStream::connect((member, port)).await,
        }
    }
}

/// The proxy; see the module. Clones are the same proxy. It ends, and all its connections with it, when the last
/// clone is dropped.
#[derive(Clone)]
pub struct LinkProxy {
    inner: Arc<Inner>,
}

struct Inner {
    listeners: BTreeMap<String, SocketAddr>,
    links: Arc<Pairs>,
    _end: DropGuard,
}

impl LinkProxy {
    /// Opens a listener on 127.0.0.1 for each member, which are processes of this host.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn start(members: &[String]) -> io::Result<Self> {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listeners: Vec<_> = members.iter().map(|member| (member.clone(), anywhere)).collect();
        Self::listen(&listeners, Dial::Loopback).await
    }

    /// Opens a listener for each member at the address beside it.
    ///
    /// # Errors
    /// When it can't listen on one of them.
    pub async fn listen(members: &[(String, SocketAddr)], dial: Dial) -> io::Result<Self> {
        let end = CancellationToken::new();
        let guard = end.clone().drop_guard();
        let names: Vec<&str> = members.iter().map(|(member, _)| member.as_str()).collect();
        let links = Arc::new(Pairs::between(&names));
        let mut listeners = BTreeMap::new();
        for (member, address) in members {
            let listener = TcpListener::bind(address)
                .await
                .map_err(|error| io::Error::new(error.kind(), format!("{address}, for {member}: {error}")))?;
            listeners.insert(member.clone(), listener.local_addr()?);
            tokio::spawn(route::listen(listener, member.clone(), Arc::clone(&links), dial, end.clone()));
        }
        Ok(Self { inner: Arc::new(Inner { listeners, links, _end: guard }) })
    }

    /// `http://ADDRESS:PORT` of its listener, to be given to that member as `HTTP_PROXY`; `None` for who is no member.
    #[must_use]
    pub fn url(&self, from: &str) -> Option<String> {
        self.inner.listeners.get(from).map(|address| format!("http://{address}"))
    }

    /// Says what is done to the bytes of a link, in place of what was: at once, those already held included.
    ///
    /// # Errors
    /// When there is no such link, or when it can't be shaped so.
    pub fn shape(&self, from: &str, to: &str, shape: Shape) -> Result<(), LinkError> {
        shape.check()?;
        let link = self.inner.links.get(from, to);
        let link = link.ok_or_else(|| LinkError::NoSuchLink { from: from.into(), to: to.into() })?;
        link.set(shape, Instant::now());
        Ok(())
    }

    /// Lets all links pass everything at once.
    pub fn heal(&self) {
        let now = Instant::now();
        self.inner.links.all.iter().for_each(|link| link.set(Shape::default(), now));
    }

    /// All links, in the order of the members.
    #[must_use]
    pub fn links(&self) -> Vec<LinkState> {
        let now = Instant::now();
        self.inner.links.all.iter().map(|link| link.state(now)).collect()
    }
}

/// Every ordered pair of members.
struct Pairs {
    all: Vec<Arc<Link>>,
}

impl Pairs {
    fn between(members: &[&str]) -> Self {
        let pairs = members.iter().flat_map(|from| members.iter().map(move |to| (from, to)));
        let all = pairs.filter(|(from, to)| from != to).map(|(from, to)| Arc::new(Link::new(from, to)));
        Self { all: all.collect() }
    }

    fn get(&self, from: &str, to: &str) -> Option<&Arc<Link>> {
        self.all.iter().find(|link| link.from == from && link.to == to)
    }
}

/// One link: its shape, and what its connections share.
struct Link {
    from: String,
    to: String,
    shape: watch::Sender<Shape>,
    pace: Mutex<Pace>,
    figures: Mutex<Figures>,
    connections: AtomicU32,
}

impl Link {
    fn new(from: &str, to: &str) -> Self {
        Self {
            from: from.into(),
            to: to.into(),
            shape: watch::Sender::new(Shape::default()),
            pace: Mutex::default(),
            figures: Mutex::default(),
            connections: AtomicU32::new(0),
        }
    }

    fn set(&self, shape: Shape, now: Instant) {
        // First, so that nobody who sees the new shape queues behind what was promised under the old one.
        locked(&self.pace).forget(now);
        self.shape.send_replace(shape);
    }

    fn is_cut(&self) -> bool {
        self.shape.borrow().cut
    }

    fn state(&self, now: Instant) -> LinkState {
        let figures = locked(&self.figures);
        let last = figures.last_second(now);
        LinkState {
            from: self.from.clone(),
            to: self.to.clone(),
            shape: *self.shape.borrow(),
            bytes: figures.bytes(),
            last_second_bytes: last.bytes,
            held: last.held,
            connections: self.connections.load(Ordering::Relaxed),
        }
    }
}

/// What is behind the lock is whole after each statement, so a panic elsewhere doesn't spoil it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
