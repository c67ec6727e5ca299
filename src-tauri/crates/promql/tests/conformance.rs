//! Prometheus' own scripts, read from its Go module in the module cache and never copied here.

use std::path::{Path, PathBuf};
use std::process::Command;

use lab_promql::Semantics;
use lab_promql::promqltest::{ScriptReport, run_script};

/// Has Go fetch `module` and gives its folder. Without Go there is nothing to compare with, and the test says so by
/// failing.
fn module_folder(module: &str) -> PathBuf {
    let output = Command::new("go")
        .args(["mod", "download", "-json", module])
        .current_dir(std::env::temp_dir())
        .output()
        .expect("go is needed to fetch Prometheus' scripts");
    let answer: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("go mod download answers in JSON");
    let folder = answer["Dir"].as_str().unwrap_or_else(|| panic!("{module} cannot be fetched: {answer}"));
    PathBuf::from(folder)
}

fn run_all(folder: &Path, semantics: Semantics, left_out: &[&str]) -> ScriptReport {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the module holds scripts")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "test"))
        .collect();
    files.sort();
    let mut total = ScriptReport::default();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if left_out.contains(&name.as_str()) {
            println!("{name:28} left out");
            continue;
        }
        let report = run_script(&std::fs::read_to_string(&file).expect("the script can be read"), semantics);
        println!(
            "{name:28} passed {:4}  failed {:4}  skipped {:4}",
            report.passed, report.failed, report.skipped
        );
        for failure in &report.failures {
            println!("    {name}:{} {}\n        {}", failure.line, failure.text, failure.reason);
        }
        for skip in &report.skips {
            println!("    skipped {name}:{} {} ({})", skip.line, skip.text, skip.reason);
        }
        total.passed += report.passed;
        total.failed += report.failed;
        total.skipped += report.skipped;
        total.failures.extend(report.failures);
    }
    println!(
        "{:28} passed {:4}  failed {:4}  skipped {:4}",
        "total", total.passed, total.failed, total.skipped
    );
    total
}

#[test]
fn every_script_of_prometheus_2_42_passes() {
    let folder = module_folder("github.com/prometheus/prometheus@v0.42.0").join("promql/testdata");
    let total = run_all(&folder, Semantics::V2_42, &[]);
    assert_eq!((total.passed, total.failed, total.skipped), (566, 0, 0));
}

/// Files of 3.14 about what is experimental in Prometheus, or about native histograms, and not offered here.
const NOT_OFFERED: [&str; 8] = [
    "duration_expression.test",
    "extended_vectors.test",
    "fill-modifier.test",
    "info.test",
    "name_label_dropping.test",
    "native_histograms.test",
    "start_timestamps.test",
    "type_and_unit.test",
];

#[test]
fn the_float_part_of_prometheus_3_14_passes() {
    let folder =
        module_folder("github.com/prometheus/prometheus@v0.314.0").join("promql/promqltest/testdata");
    let total = run_all(&folder, Semantics::V3, &NOT_OFFERED);
    // Experimental, too, but among the others.
    let unexpected =
        total.failures.iter().filter(|failure| !failure.text.starts_with("histogram_quantiles("));
    assert_eq!(unexpected.count(), 0);
    assert_eq!((total.passed, total.failed), (896, 8));
}
