//! Scenarios are played in Docker as they are natively; all of them by `make test-all` (`scenarios.rs`).

use serde_json::Value;

use super::engine;
use super::lab::labctl;

#[test]
fn a_step_of_a_scenario_is_met_in_docker() {
    if !engine::is_there() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let play = labctl(home.path())
        .args([
            "run",
            "0",
            "--step",
            "thousand-puts",
            "--only",
            "--runtime",
            "docker",
            "--ports",
            "auto",
            "--json",
        ])
        .output()
        .unwrap();
    let report: Value =
        serde_json::from_slice(&play.stdout).unwrap_or_else(|error| panic!("{error}: {play:?}"));
    assert_eq!(report["passed"], true, "{report:#}");
}
