//! A diagram as Mermaid text, for a wiki or an issue.

use std::fmt::Write;

use super::{Lane, Step, StepKind};

/// A diagram as a Mermaid `sequenceDiagram`. Metrics and explanations stay behind, since Mermaid has no place for
/// them.
pub fn written(lanes: &[Lane], steps: &[Step]) -> String {
    let mut text = String::from("sequenceDiagram\n    autonumber\n");
    // Writing to a String cannot fail.
    for group in lanes.chunk_by(|a, b| a.group == b.group) {
        let _ = writeln!(text, "    box {}", group[0].group);
        for lane in group {
            let _ = writeln!(text, "        participant {} as {}", lane.id, escaped(&lane.title));
        }
        text.push_str("    end\n");
    }
    for step in steps {
        let arrow = match step.kind {
            StepKind::Call | StepKind::Within => "->>",
            StepKind::Message => "-)",
            StepKind::Return => "-->>",
        };
        let _ = writeln!(text, "    {}{arrow}{}: {}", step.from, step.to, escaped(&step.label));
    }
    text
}

/// A semicolon ends a Mermaid line, and `#` begins an entity.
fn escaped(text: &str) -> String {
    text.replace('#', "#35;").replace(';', "#59;").replace("#35#59;", "#35;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn arrows_groups_and_awkward_letters_are_written_as_mermaid_reads_them() {
        let text = "
id: small
place: 1
title: Small
about: A small one.
lanes:
  - { id: a, title: A, group: One, about: The first. }
  - { id: b, title: B, group: Two, about: The second. }
  - { id: c, title: C, group: Two, about: The third. }
steps:
  - from: a
    to: b
    label: \"ask; #1\"
    kind: call
    about: It asks.
    source: [{ etcd: \"3.5\", file: f.go, function: F }, { etcd: \"3.7\", file: f.go, function: F }]
    no_metric: None.
  - from: b
    to: c
    label: tell
    kind: message
    about: It tells.
    source: [{ etcd: \"3.5\", file: f.go, function: F }, { etcd: \"3.7\", file: f.go, function: F }]
    no_metric: None.
  - from: b
    to: a
    label: answer
    kind: return
    about: It answers.
    source: [{ etcd: \"3.5\", file: f.go, function: F }, { etcd: \"3.7\", file: f.go, function: F }]
    no_metric: None.
";
        let diagram = super::super::read("small.yaml", text).unwrap().diagram;
        assert_eq!(
            diagram.mermaid,
            "sequenceDiagram
    autonumber
    box One
        participant a as A
    end
    box Two
        participant b as B
        participant c as C
    end
    a->>b: ask#59; #35;1
    b-)c: tell
    b-->>a: answer
"
        );
    }
}
