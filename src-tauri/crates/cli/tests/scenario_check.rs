//! `etcd-labctl scenario check`, as those who write scenarios and the build scripts use it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const GOOD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/01-slow-disk");

fn check(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etcd-labctl"));
    command.args(["scenario", "check"]).arg(folder).args(more).output().unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn a_good_scenario_is_counted_and_a_bad_one_told_with_file_and_line() {
    let good = check(Path::new(GOOD), &[]);
    assert_eq!(good.status.code(), Some(0));
    let [counted] = lines(&good).try_into().unwrap();
    assert!(counted.starts_with("1 scenario, ") && counted.ends_with(" steps: no mistakes"), "{counted}");

    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("01-bad");
    fs::create_dir(&folder).unwrap();
    let text = fs::read_to_string(Path::new(GOOD).join("scenario.yaml")).unwrap();
    fs::write(folder.join("scenario.yaml"), text.replacen("title:", "titel:", 1)).unwrap();
    let line = text.lines().position(|line| line.starts_with("title:")).unwrap() + 1;
    let place = format!("{}/scenario.yaml", folder.display());

    let bad = check(&folder, &[]);
    assert_eq!(bad.status.code(), Some(1));
    let [mistake, count] = lines(&bad).try_into().unwrap();
    assert!(mistake.starts_with(&format!("{place}:{line}: unknown field `titel`")), "{mistake}");
    assert_eq!(count, "1 mistake");

    let bad = check(&folder, &["--json"]);
    assert_eq!(bad.status.code(), Some(1));
    let found: serde_json::Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!((found["scenarios"].as_u64(), found["mistakes"].as_array().unwrap().len()), (Some(0), 1));
    assert_eq!(
        (found["mistakes"][0]["file"].as_str(), found["mistakes"][0]["line"].as_u64()),
        (Some(place.as_str()), Some(line as u64))
    );
}

#[test]
fn a_folder_without_scenarios_is_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = check(folder.path(), &[]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(lines(&nothing)[0].ends_with(": neither a scenario nor a folder of scenarios"), "{nothing:?}");
    let nowhere = check(&folder.path().join("nowhere"), &[]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(lines(&nowhere)[0].contains("nowhere: it can't be read: "), "{nowhere:?}");
}
