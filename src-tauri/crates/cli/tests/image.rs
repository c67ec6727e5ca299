//! `etcd-labctl image` on a real engine. Where there is none, the tests say so and do nothing; `ETCD_LAB_DOCKER=required`
//! makes them fail then. Needs the programs that `make image` builds.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

#[path = "docker/engine.rs"]
mod engine;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Bytes that every image of etcd has at least.
const LEAST_BYTES: u64 = 30_000_000;

fn image(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_etcd-labctl")).arg("image").args(arguments).output().unwrap()
}

/// What a command that succeeds says on standard output: one JSON object a line.
#[track_caller]
fn facts(arguments: &[&str]) -> Vec<Value> {
    let output = image(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn refused(arguments: &[&str], code: &str) {
    let output = image(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(&format!("code {code}")) && said.contains("→"), "{arguments:?}: {said}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn an_image_is_built_once_and_carried_in_one_file() {
    if !engine::is_there() {
        return;
    }
    let first = facts(&["build", "--etcd", "3.5.9", "--json"]);
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(first[0]["sizeBytes"].as_u64().unwrap() > LEAST_BYTES, "{first:?}");
    let again = facts(&["build", "--etcd", "3.5.9", "--json"]);
    assert_eq!((&again[0]["id"], &again[0]["built"]), (&first[0]["id"], &json!(false)));

    let listed = facts(&["list", "--json"]);
    let listed = listed.iter().find(|image| image["etcdVersion"] == "3.5.9").unwrap();
    assert_eq!((&listed["present"]["id"], &listed["present"]["current"]), (&first[0]["id"], &json!(true)));

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("images.tar");
    let saved = facts(&["save", "--etcd", "3.5.9", text(&file), "--json"]);
    assert_eq!(saved, [json!({ "file": file, "sizeBytes": file.metadata().unwrap().len() })]);
    assert!(file.metadata().unwrap().len() > LEAST_BYTES);
    let loaded = facts(&["load", text(&file), "--json"]);
    assert_eq!((loaded.len(), &loaded[0]["id"]), (1, &first[0]["id"]));
    assert_eq!(loaded[0]["reference"], first[0]["reference"]);
}

#[test]
fn what_can_not_be_done_is_told_with_what_mends_it() {
    let unknown = image(&["build", "--platform", "linux/riscv64"]);
    assert_eq!(unknown.status.code(), Some(2));
    if !engine::is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::write(at("text"), "no archive").unwrap();
    refused(&["load", text(&at("text"))], "docker-no-archive");
    refused(&["load", text(&at("none"))], "docker-image-file");
    refused(&["load", text(dir.path())], "docker-image-file");
    refused(&["save", "--etcd", "0.0.1", text(&at("images.tar"))], "docker-image-absent");
    refused(&["build", "--etcd", "0.0.1"], "docker-image-absent");
    assert!(!at("images.tar").exists());
}
