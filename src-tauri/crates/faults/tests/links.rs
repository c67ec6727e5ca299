//! The proxy as members use it: real sockets, HTTP as Go's client speaks it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::routing::{get, post};
use lab_faults::{LinkError, LinkProxy, LinkState, Shape};
use reqwest::{Client, Proxy, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

const LIMIT: Duration = Duration::from_secs(20);
const CUT: Shape =
    Shape { delay: Duration::ZERO, jitter: Duration::ZERO, bandwidth_bytes_s: None, cut: true };

fn names() -> Vec<String> {
    ["etcd-1", "etcd-2", "etcd-3"].map(String::from).to_vec()
}

/// What stands for a member: says its name, tells a stream, takes a snapshot.
struct Member {
    port: u16,
    /// What its streams are told.
    stream: broadcast::Sender<Bytes>,
}

impl Member {
    async fn start(name: &'static str) -> Self {
        let stream = broadcast::Sender::new(16);
        let told = |State(stream): State<broadcast::Sender<Bytes>>| async move {
            let receiver = stream.subscribe();
            let messages = futures::stream::unfold(receiver, |mut receiver| async {
                let message = receiver.recv().await.ok()?;
                Some((Ok::<_, Infallible>(message), receiver))
            });
            Body::from_stream(messages)
        };
        let app = Router::new()
            .route("/raft/probing", get(move || async move { name }))
            .route("/raft/stream", get(told))
            .route("/raft/snapshot", post(|body: Bytes| async move { body.len().to_string() }))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(stream.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { port, stream }
    }
}

/// The HTTP client of a member.
fn client(proxy: &LinkProxy, from: &str) -> Client {
    Client::builder().proxy(Proxy::http(proxy.url(from).unwrap()).unwrap()).timeout(LIMIT).build().unwrap()
}

fn state(proxy: &LinkProxy, from: &str, to: &str) -> LinkState {
    proxy.links().into_iter().find(|link| link.from == from && link.to == to).unwrap()
}

async fn until(what: &str, met: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !met() {
        assert!(Instant::now() < deadline, "{what}: not within {LIMIT:?}");
        tokio::task::yield_now().await;
    }
}

/// Sends a request over a connection and reads its answer, whose length is told.
async fn ask(connection: &mut TcpStream, target: &str, host: &str) -> (u16, String) {
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nProxy-Connection: keep-alive\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    loop {
        assert_ne!(connection.read_buf(&mut read).await.unwrap(), 0, "closed: {read:?}");
        let text = String::from_utf8_lossy(&read).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            return (head[9..12].parse().unwrap(), body.to_owned());
        }
    }
}

#[tokio::test]
async fn one_connection_carries_requests_to_several_members_and_to_nobody_else() {
    let (second, third) = (Member::start("I am etcd-2").await, Member::start("I am etcd-3").await);
    let proxy = LinkProxy::start(&names()).await.unwrap();
    let address = proxy.url("etcd-1").unwrap().replace("http://", "");
    let mut connection = TcpStream::connect(&address).await.unwrap();
    let of = |name: &str, port: u16| format!("http://{name}:{port}/raft/probing");
    for _ in 0..2 {
        for (name, port) in [("etcd-2", second.port), ("etcd-3", third.port)] {
            let host = format!("{name}:{port}");
            let (status, body) = ask(&mut connection, &of(name, port), &host).await;
            assert_eq!((status, body), (200, format!("i am {name}")));
        }
    }
    assert_eq!(state(&proxy, "etcd-1", "etcd-2").connections, 1, "kept for the next request");
    assert_eq!(state(&proxy, "etcd-2", "etcd-1").connections, 1, "the answers' direction");
    assert_eq!(state(&proxy, "etcd-2", "etcd-3").connections, 0);
    for target in [
        of("example.com", 80),
        of("127.0.0.1", second.port),
        of("localhost", second.port),
        of("etcd-1", second.port),
        of("etcd-4", second.port),
        "http://etcd-2/raft/probing".to_owned(),
        format!("https://etcd-2:{}/raft/probing", second.port),
        "/raft/probing".to_owned(),
    ] {
        let host = format!("etcd-2:{}", second.port);
        assert_eq!(ask(&mut connection, &target, &host).await.0, 403, "{target}");
    }
    let mut tunnel = TcpStream::connect(&address).await.unwrap();
    let request = format!("CONNECT etcd-2:{} HTTP/1.1\r\nHost: etcd-2\r\n\r\n", second.port);
    tunnel.write_all(request.as_bytes()).await.unwrap();
    let mut read = [0; 12];
    tunnel.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"HTTP/1.1 403");

    drop(proxy);
    until("its connections end", || connection.try_read(&mut [0; 1]).is_ok_and(|read| read == 0)).await;
    TcpStream::connect(&address).await.unwrap_err();
}

#[tokio::test]
async fn a_delay_holds_requests_and_answers_and_shows_in_the_figures() {
    let second = Member::start("I am etcd-2").await;
    let url = format!("http://etcd-2:{}/raft/probing", second.port);
    let delay = Duration::from_millis(100);
    for (from, to) in [("etcd-1", "etcd-2"), ("etcd-2", "etcd-1")] {
        let proxy = LinkProxy::start(&names()).await.unwrap();
        proxy.shape(from, to, Shape { delay, ..Shape::default() }).unwrap();
        let began = Instant::now();
        let answer = client(&proxy, "etcd-1").get(&url).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "I am etcd-2");
        assert!(began.elapsed() >= delay, "{from} → {to}: {:?}", began.elapsed());
        let link = state(&proxy, from, to);
        assert!(link.held.unwrap() >= delay, "{link:?}");
        assert!(link.bytes > 20 && link.last_second_bytes == link.bytes, "{link:?}");
        let back = state(&proxy, to, from);
        assert!(back.held.unwrap() < delay && back.bytes > 20, "{back:?}");
        proxy.heal();
        assert_eq!(state(&proxy, from, to).shape, Shape::default());
    }
}

#[tokio::test]
async fn a_snapshot_passes_whole() {
    let second = Member::start("I am etcd-2").await;
    let proxy = LinkProxy::start(&names()).await.unwrap();
    let shape =
        Shape { delay: Duration::from_millis(20), jitter: Duration::from_millis(10), ..Shape::default() };
    proxy.shape("etcd-1", "etcd-2", shape).unwrap();
    // More than may wait in the proxy at once.
    let snapshot = vec![7; 40 << 20];
    let url = format!("http://etcd-2:{}/raft/snapshot", second.port);
    let answer = client(&proxy, "etcd-1").post(&url).body(snapshot).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), (40 << 20).to_string());
    assert!(state(&proxy, "etcd-1", "etcd-2").bytes > 40 << 20);
}

#[tokio::test]
async fn a_cut_breaks_what_flows_and_refuses_what_begins_until_it_is_healed() {
    let second = Member::start("I am etcd-2").await;
    let proxy = LinkProxy::start(&names()).await.unwrap();
    let client = client(&proxy, "etcd-1");
    let url = |path: &str| format!("http://etcd-2:{}/raft/{path}", second.port);
    // etcd-1 opens it, and the messages in it are etcd-2's.
    let mut stream = client.get(url("stream")).send().await.unwrap();
    second.stream.send(Bytes::from_static(b"one")).unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "one");

    proxy.shape("etcd-1", "etcd-2", CUT).unwrap();
    second.stream.send(Bytes::from_static(b"two")).unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "two", "the other direction isn't cut");
    let refused = client.get(url("probing")).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_GATEWAY);

    proxy.heal();
    proxy.shape("etcd-2", "etcd-1", CUT).unwrap();
    stream.chunk().await.unwrap_err();
    let refused = client.get(url("probing")).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_GATEWAY, "its answer couldn't come");
    until("no connection is left", || state(&proxy, "etcd-2", "etcd-1").connections == 0).await;

    proxy.heal();
    let answered = client.get(url("probing")).send().await.unwrap();
    assert_eq!(answered.text().await.unwrap(), "I am etcd-2");
}

#[tokio::test]
async fn a_member_that_is_down_or_came_back_is_no_matter_of_the_proxy() {
    let proxy = LinkProxy::start(&names()).await.unwrap();
    let client = client(&proxy, "etcd-1");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("http://etcd-2:{}/raft/probing", address.port());
    let serve = |listener| {
        let app = Router::new().route("/raft/probing", get(|| async { "here" }));
        tokio::spawn(async move { axum::serve(listener, app).await })
    };
    let first = serve(listener);
    assert_eq!(client.get(&url).send().await.unwrap().text().await.unwrap(), "here");
    first.abort();
    let _ = first.await;
    until("its connections are gone", || state(&proxy, "etcd-1", "etcd-2").connections == 0).await;
    assert_eq!(client.get(&url).send().await.unwrap().status(), StatusCode::BAD_GATEWAY);
    let _second = serve(TcpListener::bind(address).await.unwrap());
    assert_eq!(client.get(&url).send().await.unwrap().text().await.unwrap(), "here");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let proxy = LinkProxy::start(&names()).await.unwrap();
    let ms = Duration::from_millis;
    for (from, to, shape, expected) in [
        ("etcd-1", "etcd-1", CUT, LinkError::NoSuchLink { from: "etcd-1".into(), to: "etcd-1".into() }),
        ("etcd-1", "etcd-9", CUT, LinkError::NoSuchLink { from: "etcd-1".into(), to: "etcd-9".into() }),
        (
            "etcd-1",
            "etcd-2",
            Shape { delay: ms(5), jitter: ms(6), ..Shape::default() },
            LinkError::JitterOverDelay { jitter: ms(6), delay: ms(5) },
        ),
        ("etcd-1", "etcd-2", Shape { delay: ms(60_001), ..Shape::default() }, LinkError::TooLong(ms(60_001))),
        (
            "etcd-1",
            "etcd-2",
            Shape { bandwidth_bytes_s: Some(0), ..Shape::default() },
            LinkError::NoBandwidth,
        ),
    ] {
        assert_eq!(proxy.shape(from, to, shape), Err(expected));
    }
    assert!(proxy.links().iter().all(|link| link.shape == Shape::default()));
    assert_eq!(proxy.url("etcd-9"), None);
}
