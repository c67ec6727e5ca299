//! `link-proxy` as it runs in a container: a program of its own, found by its address and ended by a signal.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use lab_cluster::native::{Binaries, Launch, NativeConfig, NativeRuntime};
use lab_cluster::{PortChoice, Runtime, Topology, TopologyName};
use lab_etcd::{Cluster, MemberStatus};
use lab_faults::{LinkError, LinkProxy, Links, LinksError, Shape};
use reqwest::{Client, Method, Proxy, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

const PROGRAM: &str = env!("CARGO_BIN_EXE_link-proxy");
const LIMIT: Duration = Duration::from_secs(30);
const MEMBERS: [&str; 3] = ["etcd-1", "etcd-2", "etcd-3"];
const CUT: Shape =
    Shape { delay: Duration::ZERO, jitter: Duration::ZERO, bandwidth_bytes_s: None, cut: true };

/// A proxy that runs, on ports that the system chose. Killed when it is dropped.
struct Running {
    child: Child,
    /// By member, its `HTTP_PROXY`.
    urls: BTreeMap<String, String>,
    control: String,
    _log: Lines<BufReader<ChildStderr>>,
}

impl Running {
    async fn start(members: &[&str]) -> Self {
        Self::by(Command::new(PROGRAM), members).await.unwrap()
    }

    /// Starts it by a command to which only its flags are missing; what the command said where it didn't come to that.
    async fn by(mut command: Command, members: &[&str]) -> Result<Self, String> {
        command.args(members.iter().map(|member| format!("--member={member}=0")));
        command.arg("--control=127.0.0.1:0").stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut urls, mut said) = (BTreeMap::new(), Vec::new());
        let listening = async {
            while let Some(line) = log.next_line().await.unwrap() {
                match line.split('"').collect::<Vec<_>>().as_slice() {
                    [_, member, _, url, _] => drop(urls.insert((*member).to_owned(), (*url).to_owned())),
                    [_, url, _] => return Some((*url).to_owned()),
                    _ => said.push(line),
                }
            }
            None
        };
        let control = timeout(LIMIT, listening).await.unwrap();
        let control = control.ok_or_else(|| said.join("; "))?;
        Ok(Self { child, urls, control, _log: log })
    }

    fn pid(&self) -> Pid {
        self.child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?)).unwrap()
    }

    /// The HTTP client of a member.
    fn client(&self, from: &str) -> Client {
        let proxy = Proxy::http(self.urls[from].as_str()).unwrap();
        Client::builder().proxy(proxy).timeout(LIMIT).build().unwrap()
    }
}

/// Serves one answer; its port.
async fn server(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = Router::new().route("/raft/probing", get(move || async move { answer }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

#[tokio::test]
async fn links_are_told_and_shaped_alike_wherever_their_proxy_is() {
    let program = Running::start(&MEMBERS).await;
    let here = LinkProxy::start(&MEMBERS.map(String::from)).await.unwrap();
    let shape = Shape {
        delay: Duration::from_micros(57_500),
        jitter: Duration::from_millis(3),
        bandwidth_bytes_s: Some(u64::MAX),
        cut: false,
    };
    for links in [Links::here(here), Links::at(&program.control).unwrap()] {
        links.health().await.unwrap();
        let untouched = links.links().await.unwrap();
        let names: Vec<_> = untouched.iter().map(|link| (link.from.as_str(), link.to.as_str())).collect();
        assert_eq!(names[..3], [("etcd-1", "etcd-2"), ("etcd-1", "etcd-3"), ("etcd-2", "etcd-1")]);
        assert!(untouched.len() == 6 && untouched.iter().all(|link| link.shape == Shape::default()));

        links.shape("etcd-1", "etcd-3", shape).await.unwrap();
        links.shape("etcd-2", "etcd-1", CUT).await.unwrap();
        let shapes: Vec<_> = links.links().await.unwrap().iter().map(|link| link.shape).collect();
        let none = Shape::default();
        assert_eq!(shapes, [none, shape, CUT, none, none, none]);

        let wrong = |from: &str, to: &str| LinkError::NoSuchLink { from: from.into(), to: to.into() };
        let refused = Shape { bandwidth_bytes_s: Some(0), ..Shape::default() };
        for (from, to, shape, expected) in [
            ("etcd-1", "etcd-9", CUT, wrong("etcd-1", "etcd-9")),
            ("etcd-1", "../links", CUT, wrong("etcd-1", "../links")),
            ("etcd-1", "etcd-2", refused, LinkError::NoBandwidth),
        ] {
            assert_eq!(links.shape(from, to, shape).await, Err(expected.into()), "{from} → {to}");
        }
        links.heal().await.unwrap();
        assert_eq!(links.links().await.unwrap(), untouched);
    }
}

#[tokio::test]
async fn what_is_not_done_is_answered_with_a_code_and_a_sentence() {
    let program = Running::start(&MEMBERS).await;
    let client = Client::builder().no_proxy().timeout(LIMIT).build().unwrap();
    let link = "/links/etcd-1/etcd-2";
    for (method, path, body, status, code, sentence) in [
        (
            Method::PUT,
            "/links/etcd-1/etcd-1",
            "{}",
            404,
            "no-such-link",
            "There is no link from etcd-1 to etcd-1.",
        ),
        (
            Method::PUT,
            link,
            r#"{"delayMs": 5, "jitterMs": 6}"#,
            400,
            "bad-shape",
            "The link can't be shaped so: ",
        ),
        (
            Method::PUT,
            link,
            r#"{"delay": 5}"#,
            400,
            "bad-shape",
            "The body is no shape of a link: unknown field",
        ),
        (Method::PUT, link, "cut", 400, "bad-shape", "The body is no shape of a link: "),
        (Method::POST, "/links", "", 404, "no-such-request", "POST /links is no request of this API: "),
        (Method::GET, "/", "", 404, "no-such-request", "GET / is no request of this API: "),
    ] {
        let request = client.request(method, format!("{}{path}", program.control)).body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} {body}");
        let refusal: BTreeMap<String, String> = answer.json().await.unwrap();
        assert_eq!(refusal["code"], code);
        assert!(refusal["sentence"].starts_with(sentence), "{refusal:?}");
    }
    // As curl sends it: as a form.
    let shaped = client.put(format!("{}{link}", program.control)).body(r#"{"delayMs": 100, "jitterMs": 10}"#);
    let shaped = shaped.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    let link: serde_json::Value = shaped.json().await.unwrap();
    assert_eq!((&link["from"], &link["shape"]["delayMs"]), (&"etcd-1".into(), &100.0.into()));
}

#[tokio::test]
async fn members_are_found_by_name_and_nobody_else_is() {
    // Two names that the system answers for by itself: one with an address, one with none (RFC 6761, 6.3 and 6.4).
    let program = Running::start(&["etcd-1", "localhost", "nobody.invalid"]).await;
    let (client, port) = (program.client("etcd-1"), server("found").await);
    let ask = async |host: &str| {
        let answer = client.get(format!("http://{host}:{port}/raft/probing")).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    assert_eq!(ask("localhost").await, (StatusCode::OK, "found".into()));
    assert_eq!(ask("nobody.invalid").await.0, StatusCode::BAD_GATEWAY);
    for stranger in ["127.0.0.1", "example.com", "etcd-1"] {
        assert_eq!(ask(stranger).await.0, StatusCode::FORBIDDEN, "{stranger}");
    }
    let links = Links::at(&program.control).unwrap().links().await.unwrap();
    let carried =
        links.iter().filter(|link| link.bytes > 0).map(|link| (link.from.as_str(), link.to.as_str()));
    assert_eq!(carried.collect::<Vec<_>>(), [("etcd-1", "localhost"), ("localhost", "etcd-1")]);
}

#[tokio::test]
async fn it_ends_when_told_to_and_then_it_is_gone() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut program = Running::start(&["etcd-1", "localhost"]).await;
        let links = Links::at(&program.control).unwrap();
        let check = || Command::new(PROGRAM).args(["--check", &program.control]).output();
        assert_eq!(timeout(LIMIT, check()).await.unwrap().unwrap().status.code(), Some(0));
        // A connection that stays, and an answer that waits for a minute.
        links
            .shape("localhost", "etcd-1", Shape { delay: Duration::from_secs(60), ..Shape::default() })
            .await
            .unwrap();
        let (client, port) = (program.client("etcd-1"), server("late").await);
        let waiting =
            tokio::spawn(
                async move { client.get(format!("http://localhost:{port}/raft/probing")).send().await },
            );
        let passed = async {
            while links.links().await.unwrap()[0].bytes == 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(LIMIT, passed).await.unwrap();

        kill_process(program.pid(), signal).unwrap();
        let ended = timeout(LIMIT, program.child.wait()).await.unwrap().unwrap();
        assert_eq!(ended.code(), Some(0), "{signal:?}");
        waiting.await.unwrap().unwrap_err();
        for answer in
            [links.health().await, links.heal().await, links.shape("etcd-1", "localhost", CUT).await]
        {
            let Err(LinksError::Gone { url, .. }) = answer else { panic!("{answer:?}") };
            assert_eq!(url, program.control);
        }
        let checked = timeout(LIMIT, check()).await.unwrap().unwrap();
        assert_eq!(checked.status.code(), Some(1));
        let said = String::from_utf8(checked.stderr).unwrap();
        assert!(said.contains(&format!("the proxy at {} is gone: ", program.control)), "{said}");
    }
}

#[tokio::test]
async fn who_answers_otherwise_or_not_at_all_is_no_proxy() {
    let port = server("something else").await;
    let links = Links::at(&format!("http://127.0.0.1:{port}")).unwrap();
    let answer = links.shape("etcd-1", "etcd-2", CUT).await;
    assert!(matches!(answer, Err(LinksError::Refused { status: 404, code: None, .. })), "{answer:?}");

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let began = Instant::now();
    assert_eq!(Links::at(&url).unwrap().heal().await, Err(LinksError::TimedOut { url }));
    assert!(began.elapsed() < LIMIT);

    for url in ["127.0.0.1:8474", "https://127.0.0.1:8474", "http://127.0.0.1:8474/links", "links"] {
        let refused = Links::at(url).err();
        assert!(matches!(refused, Some(LinksError::BadAddress { .. })), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn a_command_that_can_not_be_carried_out_is_told_apart_from_one_that_makes_no_sense() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let (member, control) = (format!("--member=etcd-1={port}"), format!("--control=127.0.0.1:{port}"));
    for (arguments, code, said) in [
        (vec![member.as_str(), "--control=127.0.0.1:0"], 1, format!("127.0.0.1:{port}, for etcd-1: ")),
        (
            vec!["--member=etcd-1=0", &control],
            1,
            format!("no listening on 127.0.0.1:{port}, for the control API"),
        ),
        (vec!["--member=etcd-1=1", "--member=etcd-1=2"], 2, "a member is given twice".into()),
        (vec!["--member=etcd-1"], 2, "it has the form NAME=PORT".into()),
        (vec!["--member=etcd-1=65536"], 2, "65536 is no port".into()),
        (vec![], 2, "--member <NAME=PORT>".into()),
    ] {
        let run = Command::new(PROGRAM).args(&arguments).kill_on_drop(true).output();
        let ended = timeout(LIMIT, run).await.unwrap().unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(&said), "{arguments:?}: {stderr}");
    }
}

/// A command that runs `link-proxy` with these names in its hosts file, which is its alone.
fn with_hosts(hosts: &std::path::Path) -> Command {
    let mut command = Command::new("unshare");
    let run = r#"mount --bind "$0" /etc/hosts && exec "$@""#;
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", run]).arg(hosts).arg(PROGRAM);
    command
}

/// Waits until the members say that of themselves, in their order.
async fn until(cluster: &Cluster, met: impl Fn([MemberStatus; 3]) -> bool) {
    let said = async {
        loop {
            let each: Result<Vec<_>, _> =
                cluster.status().await.into_iter().map(|(_, status)| status).collect();
            if each.is_ok_and(|each| met(each.try_into().unwrap())) {
                return;
            }
        }
    };
    timeout(LIMIT, said).await.unwrap();
}

#[tokio::test]
async fn members_form_a_cluster_through_it_and_one_that_is_cut_off_leaves_it() {
    let dir = tempfile::tempdir().unwrap();
    let hosts = dir.path().join("hosts");
    std::fs::write(&hosts, format!("127.0.0.1 localhost {}\n", MEMBERS.join(" "))).unwrap();
    let program = match Running::by(with_hosts(&hosts), &MEMBERS).await {
        Ok(program) => program,
        Err(reason) => {
            println!("skipped: this system gives no program a hosts file of its own: {reason}");
            return;
        }
    };
    let links = Links::at(&program.control).unwrap();
    let binaries = Binaries::standard();
    let topology = Topology::named(TopologyName::EtcdBridge).unwrap();
    let runtime = NativeRuntime::new(NativeConfig {
        version: topology.etcd_version().into(),
        topology,
        binaries,
        folder: dir.path().into(),
        keep_data: false,
        ports: PortChoice::Auto,
        quota_bytes: None,
        peer_proxies: program.urls.clone(),
        lab_id: "test".into(),
        launch: Launch::for_this_system().unwrap(),
    });
    let nodes = runtime.start(&|_| {}).await.unwrap();
    let addresses = nodes.iter().map(|node| (node.name.as_str(), node.client.as_str()));
    let cluster = Cluster::connect(addresses).await.unwrap();
    let carried = links.links().await.unwrap();
    assert!(carried.iter().all(|link| link.bytes > 0 && link.connections > 0), "{carried:?}");

    let delay = Duration::from_millis(100);
    for link in &carried {
        links.shape(&link.from, &link.to, Shape { delay, ..Shape::default() }).await.unwrap();
    }
    let began = Instant::now();
    cluster.put("key", "value").await.unwrap();
    assert!(began.elapsed() >= 2 * delay, "there and back: {:?}", began.elapsed());
    // What left in the last second left under this delay, once that second is over.
    let told = async {
        loop {
            let links = links.links().await.unwrap();
            let mut held = links.iter().filter_map(|link| link.held).peekable();
            if held.peek().is_some() && held.all(|held| held >= delay) {
                return;
            }
        }
    };
    timeout(LIMIT, told).await.unwrap();
    links.heal().await.unwrap();

    for other in ["etcd-1", "etcd-2"] {
        links.shape(other, "etcd-3", CUT).await.unwrap();
        links.shape("etcd-3", other, CUT).await.unwrap();
    }
    until(&cluster, |[one, two, three]| {
        three.leader == 0 && one.leader == two.leader && [one.id, two.id].contains(&one.leader)
    })
    .await;
    cluster.member("etcd-1").unwrap().put("key", "without etcd-3").await.unwrap();
    links.heal().await.unwrap();
    until(&cluster, |[one, _, three]| one.leader != 0 && three.leader == one.leader).await;
    assert_eq!(cluster.member("etcd-3").unwrap().get("key").await.unwrap().value.unwrap(), b"without etcd-3");
    runtime.stop().await;
}
