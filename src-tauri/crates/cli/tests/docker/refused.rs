//! A start in Docker that can't work says why, and what mends it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::engine;
use super::lab::{LIMIT, Up, docker, labctl, text};

/// Runs `up` where it can't work; what it says, and that nothing is left of it.
#[track_caller]
fn refused(code: &str, sentence: &str, change: impl FnOnce(&mut Command) -> &mut Command) {
    let home = tempfile::tempdir().unwrap();
    // Whoever it is run as.
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = labctl(home.path());
    command.args(["up", "--runtime", "docker"]);
    change(&mut command);
    // One that is not refused would hold its cluster for ever.
    let mut up = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + LIMIT;
    while up.try_wait().unwrap().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    if up.try_wait().unwrap().is_none() {
        let _ = kill_process(Pid::from_child(&up), Signal::INT);
    }
    let output = up.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("code {code}")) && said.contains(sentence) && said.contains("→"),
        "{said}"
    );
}

#[test]
fn without_an_engine_it_is_said_what_is_missing_and_that_native_goes() {
    let nowhere = tempfile::tempdir().unwrap();
    let address = format!("unix://{}", nowhere.path().join("docker.sock").display());
    refused("docker-not-running", "--runtime native", |up| up.env("DOCKER_HOST", &address));
    refused("docker-bad-address", "gopher", |up| up.env("DOCKER_HOST", "gopher://localhost"));
}

#[test]
fn a_socket_that_this_person_may_not_use_is_named_with_what_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let _engine = UnixListener::bind(&socket).unwrap();
    for (path, mode) in [(folder.path(), 0o755), (socket.as_path(), 0o000)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let address = format!("unix://{}", socket.display());
    refused("docker-not-permitted", "usermod -aG docker", |up| {
        up.env("DOCKER_HOST", &address);
        // Nothing is forbidden to root; nobody may not.
        if rustix::process::geteuid().is_root() {
            up.uid(65_534).gid(65_534).env("HOME", folder.path());
        }
        up
    });
}

/// An engine that is older than the oldest the lab speaks with can't be had here; all that is asked of it is its version.
#[test]
fn an_engine_that_is_too_old_is_told_with_its_version() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let body = r#"{"Version":"18.09.1","ApiVersion":"1.39","MinAPIVersion":"1.12","Os":"linux","Arch":"amd64"}"#;
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    refused("docker-too-old", "18.09.1 speaks API 1.39", |up| up.env("DOCKER_HOST", &address));
}

#[test]
fn what_members_in_docker_cannot_follow_is_refused() {
    refused("docker-no-such-option", "--keep-data", |up| up.arg("--keep-data"));
    let folder = tempfile::tempdir().unwrap();
    refused("docker-no-such-option", "--data-dir", |up| up.arg("--data-dir").arg(folder.path()));
}

#[test]
fn an_image_that_is_absent_and_cannot_be_built_is_named() {
    if engine::is_there() {
        refused("docker-image-absent", "etcd-metrics-lab/etcd:v3.4.0", |up| up.args(["--etcd", "3.4.0"]));
    }
}

#[test]
fn a_port_that_is_published_already_is_named_and_nothing_is_left() {
    if !engine::is_there() {
        return;
    }
    // That there is an image to take the port with.
    let lab = Up::start(&[]);
    let image = docker(&["inspect", "--format", "{{.Config.Image}}", &lab.containers()[0]]);
    let published = ["run", "--detach", "--rm", "--publish", "127.0.0.1:22379:2379"];
    let container =
        Command::new("docker").args(published).args(["--entrypoint", "etcd", image.trim()]).output();
    let container = container.unwrap();
    // Where the engine could not publish it, somebody else on this machine had the port: we, should he let go of it.
    let _held = (!container.status.success()).then(|| TcpListener::bind("127.0.0.1:22379"));
    let _published = container.status.success().then(|| Container(text(&container.stdout).trim().to_owned()));
    refused("port-taken", "22379 (client of etcd-2)", |up| up);
}

/// A container of this test's own, which goes with it.
struct Container(String);

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["kill", &self.0]).output();
    }
}
