//! `etcd-labctl dashboards check`, as those who write dashboards use it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../grafana/dashboards");

fn check(files: &[PathBuf], more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etcd-labctl"));
    command.args(["dashboards", "check"]).args(files).args(more).output().unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn all() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(OURS).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn good_dashboards_are_counted() {
    let good = check(&all(), &[]);
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    assert_eq!(lines(&good), ["6 dashboards, 77 queries: nothing to mend"]);
}

#[test]
fn mistakes_are_told_with_file_panel_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.json");
    let text = fs::read_to_string(Path::new(OURS).join("puts.json")).unwrap();
    // Understood, and yet nothing that a line could show; and a window that is too short.
    let text = text.replacen("etcd_server_proposals_pending{job=\\\"etcd\\\"}", "\\\"a text\\\"", 1);
    fs::write(&file, text.replacen("_total{job=\\\"etcd\\\"}[15s]", "_total{job=\\\"etcd\\\"}[2s]", 1))
        .unwrap();
    let bad = check(std::slice::from_ref(&file), &[]);
    assert_eq!(bad.status.code(), Some(1), "{bad:?}");
    let found = lines(&bad);
    let told = |panel: &str, reason: &str| {
        let start = format!("{}: panel \"{panel}\": query A: ", file.display());
        assert!(
            found.iter().any(|line| line.starts_with(&start) && line.contains(reason)),
            "{reason}: {found:?}"
        );
    };
    told("server: proposals committed/s", "a window of 2s holds fewer than 4 scrapes");
    told("server: proposals pending", "invalid expression type \"string\"");
    assert_eq!(found.last().unwrap(), "1 dashboard, 17 queries: 2 to mend");

    let nowhere = folder.path().join("nowhere.json");
    let both = check(&[file, nowhere.clone()], &["--json"]);
    assert_eq!(both.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&both.stdout).unwrap();
    let findings = told["findings"].as_array().unwrap();
    assert_eq!((told["dashboards"].as_u64(), findings.len()), (Some(1), 3), "{told}");
    assert_eq!(findings[0]["file"], nowhere.display().to_string());
    assert!(findings[0]["reason"].as_str().unwrap().starts_with("it can't be read"), "{told}");
}

#[test]
fn a_prometheus_that_is_not_there_is_told() {
    // A port that was free a moment ago.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = check(&all(), &["--against", &format!("http://{address}")]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("code no-prometheus") && said.contains("→ Check the address"), "{said}");
}
