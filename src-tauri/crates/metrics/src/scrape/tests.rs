//! The scraper against real sockets, in real time; every wait is for a condition and has a limit.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::*;
use crate::model::{METRIC_NAME, Matcher, Queryable, is_stale};
use crate::store::MemoryStore;

/// How a test server answers.
#[derive(Clone)]
enum Manner {
    Answer(String),
    Status(u16),
    Silent,
    /// Sends a byte now and then, for ever.
    Trickle,
    /// Promises no length and never stops sending.
    Endless,
    /// Bytes that are not HTTP.
    Garbage,
    HangUp,
}

struct Server {
    url: String,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/metrics", listener.local_addr().unwrap());
        let manner = Arc::new(Mutex::new(manner));
        let asked = Arc::new(Notify::new());
        let shared = (manner.clone(), asked.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { url, manner, asked, task }
    }

    fn set(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    (manner, asked): (Arc<Mutex<Manner>>, Arc<Notify>),
) -> std::io::Result<()> {
    let mut request = Vec::new();
    loop {
        request.clear();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await?);
        }
        asked.notify_one();
        let manner = manner.lock().unwrap().clone();
        match manner {
            Manner::Answer(text) => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", text.len());
                stream.write_all((head + &text).as_bytes()).await?;
            }
            Manner::Status(code) => {
                let head = format!("HTTP/1.1 {code} No\r\nContent-Length: 0\r\nLocation: /metrics\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
            }
            Manner::Silent => std::future::pending().await,
            Manner::Trickle => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\na 1").await?;
                loop {
                    stream.write_all(b"1").await?;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            Manner::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                loop {
                    stream.write_all(&[b'\n'; 1 << 16]).await?;
                }
            }
            Manner::Garbage => stream.write_all(b"SSH-2.0-OpenSSH\r\n\r\n").await?,
            Manner::HangUp => return Ok(()),
        }
    }
}

const CONFIG: ScrapeConfig = ScrapeConfig {
    interval: Duration::from_millis(100),
    timeout: Duration::from_millis(90),
    body_bytes: 1 << 20,
    honor_labels: false,
    limits: Limits { line_bytes: 1 << 16, labels: 64, name_bytes: 512, value_bytes: 1 << 14 },
};

struct Lab {
    store: Arc<MemoryStore>,
    scraper: Scraper,
    rounds: watch::Receiver<Option<Arc<Round>>>,
}

impl Lab {
    fn start() -> Self {
        let store = Arc::new(MemoryStore::default());
        let cancel = CancellationToken::new();
        let scraper = Scraper::start(CONFIG, store.clone(), system_clock(), &cancel).unwrap();
        let rounds = scraper.rounds();
        Self { store, scraper, rounds }
    }

    fn scrape(&self, servers: &[&Server]) {
        let targets = servers.iter().zip(1..);
        let targets =
            targets.map(|(server, n)| Target::new("etcd", &format!("etcd-{n}"), &server.url).unwrap());
        self.scraper.set_targets(targets.collect());
    }

    /// The next round that is as wished.
    async fn round(&mut self, wish: impl Fn(&Round) -> bool) -> Arc<Round> {
        let wait = self.rounds.wait_for(|round| round.as_ref().is_some_and(|round| wish(round)));
        if let Ok(round) = tokio::time::timeout(Duration::from_secs(20), wait).await {
            return round.unwrap().clone().unwrap();
        }
        panic!("no such round in 20 s, the latest is {:?}", self.rounds.borrow())
    }

    /// Waits until target 1 fails like this and target 2 is up.
    async fn only_first_fails(&mut self, expected: &str) -> Arc<Round> {
        let as_expected = |error: &ScrapeError| error.to_string().contains(expected);
        self.round(|r| r.scrapes[0].error.as_ref().is_some_and(as_expected) && r.scrapes[1].up()).await
    }

    async fn both_up(&mut self) -> Arc<Round> {
        self.round(|round| round.scrapes.len() == 2 && round.scrapes.iter().all(Scrape::up)).await
    }

    /// The newest value as of a round.
    fn last(&self, round: &Round, metric: &str, instance: &str) -> f64 {
        let matchers = [Matcher::equal(METRIC_NAME, metric), Matcher::equal("instance", instance)];
        let found = self.store.select(&matchers, 0, round.t_ms);
        found[0].samples.last().unwrap().value
    }
}

fn answer(text: &str) -> Manner {
    Manner::Answer(text.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_in_trouble_is_down_until_it_recovers_and_the_others_go_on() {
    let (first, second) = (Server::start(answer("a 1\n")).await, Server::start(answer("a 2\n")).await);
    let mut lab = Lab::start();
    lab.scrape(&[&first, &second]);
    lab.both_up().await;
    let troubles = [
        (Manner::Silent, "no full answer within 90 ms"),
        (Manner::Trickle, "no full answer within 90 ms"),
        (Manner::Endless, "longer than 1048576 bytes"),
        (answer("<html>"), "line 1: expected a metric name"),
        (answer("a 1\na{\n"), "line 2: the labels' braces do not close"),
        (Manner::Status(500), "HTTP status 500"),
        (Manner::Status(302), "HTTP status 302"),
        (Manner::Garbage, "broke off"),
        (Manner::HangUp, "broke off"),
    ];
    for (manner, expected) in troubles {
        first.set(manner);
        let round = lab.only_first_fails(expected).await;
        assert!(is_stale(lab.last(&round, "a", "etcd-1")), "{expected}");
        assert_eq!((lab.last(&round, "up", "etcd-1"), lab.last(&round, "up", "etcd-2")), (0.0, 1.0));
        assert_eq!(lab.last(&round, "a", "etcd-2"), 2.0);
        first.set(answer("a 3\n"));
        let round = lab.both_up().await;
        assert_eq!((lab.last(&round, "a", "etcd-1"), lab.last(&round, "up", "etcd-1")), (3.0, 1.0));
    }
    lab.scraper.stop().await;
}

#[tokio::test]
async fn nobody_listens() {
    let (first, second) = (Server::start(answer("a 1\n")).await, Server::start(answer("a 2\n")).await);
    first.task.abort();
    let mut lab = Lab::start();
    lab.scrape(&[&first, &second]);
    lab.only_first_fails("cannot connect").await;
}

#[tokio::test]
async fn rounds_are_aligned_and_all_targets_bear_one_time() {
    let (first, second) = (Server::start(answer("a 1\n")).await, Server::start(answer("a 2\n")).await);
    let mut lab = Lab::start();
    lab.scrape(&[&first, &second]);
    let round = lab.both_up().await;
    let later = lab.round(|next| next.t_ms >= round.t_ms + 1000).await;
    let found = lab.store.select(&[Matcher::equal(METRIC_NAME, "a")], round.t_ms, later.t_ms);
    let times = |n: usize| found[n].samples.iter().map(|s| s.t_ms).collect::<Vec<_>>();
    assert_eq!(times(0), times(1));
    assert_eq!(times(0).last(), Some(&later.t_ms));
    // A busy machine may wake us late for some, never for all.
    assert!(times(0).iter().any(|t_ms| t_ms % 100 == 0), "{:?}", times(0));
    assert!(times(0).windows(2).all(|pair| pair[0] < pair[1]));
}

#[tokio::test]
async fn targets_come_and_go() {
    let (first, second) = (Server::start(answer("a 1\n")).await, Server::start(answer("a 2\n")).await);
    let mut lab = Lab::start();
    lab.scrape(&[&first, &second]);
    lab.both_up().await;
    lab.scrape(&[&first]);
    let round = lab.round(|round| round.scrapes.len() == 1 && round.scrapes[0].up()).await;
    assert!(is_stale(lab.last(&round, "a", "etcd-2")) && is_stale(lab.last(&round, "up", "etcd-2")));
    assert_eq!(lab.last(&round, "a", "etcd-1"), 1.0);
    lab.scrape(&[&first, &second]);
    let round = lab.both_up().await;
    assert_eq!(lab.last(&round, "a", "etcd-2"), 2.0);
    let store = lab.store.clone();
    let before = store.stats().samples;
    lab.scraper.stop().await;
    assert!(store.stats().samples > before);
    let ended = store.select(&[Matcher::equal(METRIC_NAME, "up")], 0, i64::MAX);
    assert!(ended.iter().all(|series| is_stale(series.samples.last().unwrap().value)), "{ended:?}");
}

#[tokio::test]
async fn a_silent_target_does_not_delay_the_end() {
    let server = Server::start(Manner::Silent).await;
    let config =
        ScrapeConfig { interval: Duration::from_secs(60), timeout: Duration::from_secs(60), ..CONFIG };
    // A clock that stands just before a tick.
    let clock: Clock = Arc::new(|| 59_990);
    let store = Arc::new(MemoryStore::default());
    let scraper = Scraper::start(config, store, clock, &CancellationToken::new()).unwrap();
    scraper.set_targets(vec![Target::new("etcd", "etcd-1", &server.url).unwrap()]);
    let in_flight_then_stopped = async {
        server.asked.notified().await;
        scraper.stop().await;
    };
    tokio::time::timeout(Duration::from_secs(20), in_flight_then_stopped).await.unwrap();
}

#[tokio::test]
async fn configurations_and_targets_that_cannot_be() {
    let start = |config| {
        let store = Arc::new(MemoryStore::default());
        Scraper::start(config, store, system_clock(), &CancellationToken::new()).map(drop)
    };
    assert!(start(ScrapeConfig { timeout: Duration::from_secs(2), ..ScrapeConfig::default() }).is_err());
    assert!(start(ScrapeConfig { interval: Duration::ZERO, timeout: Duration::ZERO, ..CONFIG }).is_err());
    for url in ["", "etcd-1:2379", "https://127.0.0.1/metrics", "file:///etc/passwd"] {
        assert!(Target::new("etcd", "etcd-1", url).is_err(), "{url}");
    }
}
