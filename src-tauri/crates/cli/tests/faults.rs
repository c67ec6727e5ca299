//! Faults set from a terminal in a lab that another one holds. Needs the binaries that `make etcd` builds.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);
const NAME: &str = "walBeforeFdatasync";

/// A lab in the foreground with a home of its own; it ends with the test.
struct Up {
    child: Child,
    first: Value,
    home: tempfile::TempDir,
}

impl Up {
    fn start(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_etcd-labctl"))
            .env("ETCD_LAB_HOME", home.path())
            .args(["up", "--ports", "auto", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let mut up = Self { child, first: Value::Null, home };
        let (sender, line) = mpsc::channel();
        std::thread::spawn(move || sender.send(BufReader::new(stdout).lines().next()));
        let line = line.recv_timeout(LIMIT).unwrap().unwrap().unwrap();
        up.first = serde_json::from_str(&line).unwrap();
        up
    }

    fn run(&self, line: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_etcd-labctl"));
        command.env("ETCD_LAB_HOME", self.home.path()).args(line.split(' ')).output().unwrap()
    }

    /// The JSON that a command prints which must go well.
    fn json(&self, line: &str) -> Value {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn done(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {output:?}");
        text(&output.stdout)
    }

    /// Exit code and what was said about a command that must not go well.
    fn refused(&self, line: &str) -> (Option<i32>, String) {
        let output = self.run(line);
        assert!(!output.status.success(), "{line}: {output:?}");
        (output.status.code(), text(&output.stderr))
    }

    /// `[member, term]` of a failpoint where it is set.
    fn terms(&self, name: &str) -> Vec<Value> {
        let all = self.json("fault count --json");
        let of_name = all.as_array().unwrap().iter().filter(|one| one["failpoint"] == name);
        of_name.map(|one| json!([one["member"], one["term"]])).collect()
    }

    fn status(&self) -> Value {
        self.json("status --json")
    }

    fn gofail(&self, at: usize) -> String {
        self.first["nodes"][at]["gofail"].as_str().unwrap().to_owned()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.run("down");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn wait_until(what: &str, mut met: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !met() {
        assert!(Instant::now() < deadline, "{what}: not within {LIMIT:?}");
        // Each look is a process of its own, and two cores are also the members'.
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn marks(status: &Value) -> Vec<&str> {
    let marks = status["marks"].as_array().unwrap().iter().filter(|mark| mark["kind"] == "fault");
    marks.map(|mark| mark["text"].as_str().unwrap()).collect()
}

fn shown(status: &Value) -> Vec<&str> {
    status["shown"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect()
}

#[test]
fn failpoints_are_set_seen_counted_and_cleared() {
    let up = Up::start(&[]);
    let all = up.json("fault list --json");
    let names =
        all.as_array().unwrap().iter().filter(|one| one["failpoint"] == NAME && one["term"].is_null());
    assert_eq!(names.count(), 3, "{all}");
    assert_eq!(up.done("fault count"), "No failpoint is set.\n");

    // Set by hand: it is reached, and slows what it should slow.
    up.done(&format!("fault set all {NAME} sleep(100)"));
    assert_eq!(up.terms(NAME), ["etcd-1", "etcd-2", "etcd-3"].map(|member| json!([member, "sleep(100)"])));
    let load = up.run("bench --clients=3 --conns=3 put --total=9");
    assert!(load.status.success(), "{load:?}");
    let counted = up.json("fault count --json");
    assert!(counted.as_array().unwrap().iter().all(|one| one["hits"].as_u64().unwrap() > 0), "{counted}");
    let slow = "histogram_quantile(0.5, rate(etcd_disk_wal_fsync_duration_seconds_bucket[15s]))";
    let query = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_etcd-labctl"));
        command.env("ETCD_LAB_HOME", up.home.path()).args(["query", slow, "--json"]);
        serde_json::from_slice::<Value>(&command.output().unwrap().stdout).unwrap()
    };
    wait_until("the slow disk shows in the metric", || {
        let answer = query();
        let values = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        let is_slow = |one: &Value| one["value"][1].as_str().and_then(|p50| p50.parse().ok()) > Some(0.064);
        values.len() == 3 && values.iter().all(is_slow)
    });
    let status = up.status();
    assert_eq!(marks(&status), [format!("{NAME} sleep(100) on all members")]);
    let line = format!("curl {}/{NAME} -XPUT -d'sleep(100)'", up.gofail(2));
    assert!(shown(&status).contains(&line.as_str()), "{line}: {:?}", shown(&status));
    let in_effect = status["faults"]["failpoints"].as_array().unwrap();
    assert_eq!(in_effect.len(), 3, "{in_effect:?}");
    up.done(&format!("fault clear etcd-2 {NAME}"));
    assert_eq!(up.terms(NAME), [json!(["etcd-1", "sleep(100)"]), json!(["etcd-3", "sleep(100)"])]);
    up.done("fault clear --all");
    assert_eq!(up.terms(NAME), Vec::<Value>::new());

    // Set by somebody else: it is seen, and marked.
    let url = format!("{}/defragBeforeCopy", up.gofail(1));
    let set = Command::new("curl").args(["-sSf", &url, "-XPUT", "-dsleep(5)"]).output().unwrap();
    assert!(set.status.success(), "{set:?}");
    assert_eq!(up.terms("defragBeforeCopy"), [json!(["etcd-2", "sleep(5)"])]);
    wait_until("the session has seen it", || {
        let status = up.status();
        status["faults"]["failpoints"][0]["term"] == "sleep(5)"
            && marks(&status).last() == Some(&"defragBeforeCopy sleep(5) on etcd-2")
    });
    up.done("fault clear etcd-2");

    // Set for a while: it goes by itself.
    up.done(&format!("fault set etcd-1,etcd-3 {NAME} sleep(1) --for 1s"));
    wait_until("it is cleared by itself", || {
        let status = up.status();
        status["faults"]["failpoints"] == json!([])
            && marks(&status).last() == Some(&format!("{NAME} cleared on etcd-1 and etcd-3").as_str())
    });
    assert_eq!(up.terms(NAME), Vec::<Value>::new());
}

#[test]
fn what_cannot_be_done_is_told_and_what_could_is_done() {
    let up = Up::start(&[]);
    let (code, said) = up.refused(&format!("fault set all {NAME} sleep(10s)"));
    assert_eq!(code, Some(2));
    assert!(said.contains("character 9") && said.contains("sleep(\"10s\")"), "{said}");
    for (line, problem) in [
        (format!("fault set etcd-9 {NAME} off"), "no-such-member"),
        ("fault set all noSuchFailpoint off".into(), "no-such-failpoint"),
        ("fault clear all noSuchFailpoint".into(), "no-such-failpoint"),
        ("link cut etcd-1 etcd-2".into(), "no-links"),
        ("link heal".into(), "no-links"),
        ("link list".into(), "no-links"),
    ] {
        let (code, said) = up.refused(&line);
        assert_eq!(code, Some(1), "{line}");
        assert!(said.contains(&format!("code {problem}")), "{line}: {said}");
    }
    assert!(up.refused("link list").1.contains("--topology etcd-bridge"));

    // One member is gone: the others are set, and the answer says so.
    let pid = i32::try_from(up.first["nodes"][1]["pid"].as_i64().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    wait_until("the member's end is known", || up.status()["cluster"]["members"][1]["state"] == "exited");
    let (code, said) = up.refused(&format!("fault set all {NAME} sleep(1)"));
    assert_eq!(code, Some(1));
    assert!(said.contains("not set at etcd-2. At etcd-1 and etcd-3 it was."), "{said}");
    assert_eq!(up.terms(NAME), [json!(["etcd-1", "sleep(1)"]), json!(["etcd-3", "sleep(1)"])]);
    up.done("fault clear all");
    assert_eq!(up.terms(NAME), Vec::<Value>::new());
}

#[test]
fn links_are_shaped_cut_and_healed() {
    let up = Up::start(&["--topology", "etcd-bridge"]);
    let link = |from: &str, to: &str| -> Value {
        let links = up.json("link list --json");
        let links = links.as_array().unwrap();
        assert_eq!(links.len(), 6);
        links.iter().find(|link| link["from"] == from && link["to"] == to).unwrap().clone()
    };
    assert_eq!(link("etcd-1", "etcd-2")["shape"]["delayMs"], 0);
    up.done("link set etcd-1,etcd-2 all --delay 50ms --jitter 5ms");
    assert_eq!(link("etcd-1", "etcd-3")["shape"]["jitterMs"], 5);
    assert_eq!(link("etcd-3", "etcd-1")["shape"]["delayMs"], 0);
    wait_until("what passes is held", || {
        let links = [link("etcd-1", "etcd-2"), link("etcd-2", "etcd-1"), link("etcd-1", "etcd-3")];
        links
            .iter()
            .any(|link| link["heldMs"].as_f64() > Some(44.0) && link["rateBytesS"].as_f64() > Some(0.0))
    });
    up.done("link cut etcd-3 all");
    wait_until("who is cut off knows no leader, and the others have one", || {
        let members = up.status()["cluster"]["members"].as_array().unwrap().clone();
        members[2]["state"] == "noLeader"
            && members.iter().filter(|member| member["leader"] == true).count() == 1
    });
    assert_eq!(link("etcd-3", "etcd-1")["connections"], 0);
    up.done("link heal");
    assert_eq!(link("etcd-1", "etcd-2")["shape"], link("etcd-3", "etcd-1")["shape"]);
    wait_until("all know the leader again", || {
        let members = up.status()["cluster"]["members"].as_array().unwrap().clone();
        members.iter().all(|member| member["state"] == "healthy")
    });
    let status = up.status();
    assert_eq!(
        marks(&status),
        ["etcd-1 and etcd-2 → all: 50 ± 5 ms", "etcd-3 → all: cut", "all → etcd-3: cut", "links healed"]
    );
    assert!(shown(&status).contains(&"etcd-labctl link set etcd-3 all --cut"), "{:?}", shown(&status));
    let (code, said) = up.refused("link set etcd-1 etcd-1 --cut");
    assert_eq!((code, said.contains("code bad-link")), (Some(1), true), "{said}");
    let (_, said) = up.refused("link set all all --delay 5ms --jitter 6ms");
    assert!(said.contains("larger than the delay"), "{said}");
}
