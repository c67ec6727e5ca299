//! Our own cases, written as scripts so that they can be played against a Prometheus as well. A name tells the
//! dialect: `.v2_42.test`, `.v3.test`; without either the script holds in both.

use std::path::Path;

use lab_promql::Semantics;
use lab_promql::promqltest::run_script;

#[test]
fn our_scripts_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut failures = Vec::new();
    let mut passed = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for (semantics, only_other) in [(Semantics::V2_42, ".v3.test"), (Semantics::V3, ".v2_42.test")] {
            if name.ends_with(only_other) {
                continue;
            }
            let report = run_script(&text, semantics);
            assert_eq!(report.skipped, 0, "{name}");
            passed += report.passed;
            for failure in report.failures {
                failures.push(format!(
                    "{name}:{} ({semantics:?}) {}\n    {}",
                    failure.line, failure.text, failure.reason
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    println!("{passed} passed");
    assert!(passed > 130);
}

#[test]
fn a_script_reports_what_it_cannot_read_and_goes_on() {
    let script = "load 1m\n  x 1\n\neval instant at 0m x\n  x 2\n\nnonsense\n\neval instant at 0m x\n  x 1\n\n\
                  load 1m\n  n {{schema:0}}\n\neval instant at 0m n\n  n {{schema:0}}\n";
    let report = run_script(script, Semantics::V3);
    assert_eq!((report.passed, report.failed, report.skipped), (1, 2, 1), "{report:?}");
    assert_eq!(report.failures.iter().map(|failure| failure.line).collect::<Vec<_>>(), [4, 7]);
    assert_eq!(report.skips[0].line, 15);
}
