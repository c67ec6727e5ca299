//! Faults, as a person could set them: failpoints by curl, links by `etcd-labctl`.

use lab_cluster::Node;

use super::{Line, labctl, quoted};
use crate::api::{CommandKind, LinkShape};

fn curl(text: String, why: &'static str) -> Line {
    Line { kind: CommandKind::Curl, text, why }
}

/// Set a failpoint at a member.
pub fn set_failpoint(node: &Node, failpoint: &str, term: &str) -> Line {
    curl(format!("curl {}/{failpoint} -XPUT -d{}", node.gofail, quoted(term)), "Set a failpoint")
}

/// Clear a failpoint at a member.
pub fn clear_failpoint(node: &Node, failpoint: &str) -> Line {
    curl(format!("curl {}/{failpoint} -XDELETE", node.gofail), "Clear a failpoint")
}

/// Shape links; no names stand for all members, and so do those of all, who are so many.
pub fn set_links(from: &[String], to: &[String], shape: &LinkShape, members: usize) -> Line {
    let names = |names: &[String]| match names.len() {
        0 => "all".to_owned(),
        all if all == members => "all".to_owned(),
        _ => names.join(","),
    };
    let mut words = format!("link set {} {}", names(from), names(to));
    if shape.delay_ms > 0 {
        words += &format!(" --delay {}ms", shape.delay_ms);
    }
    if shape.jitter_ms > 0 {
        words += &format!(" --jitter {}ms", shape.jitter_ms);
    }
    if let Some(bytes) = shape.bandwidth_bytes_s {
        words += &format!(" --bandwidth {}", binary(bytes));
    }
    if shape.cut {
        words += " --cut";
    }
    labctl(&words, "Shape the links between members")
}

/// Heal all links.
pub fn heal_links() -> Line {
    labctl("link heal", "Heal all links")
}

/// `1MiB` where it is even, bytes otherwise.
fn binary(bytes: u64) -> String {
    match bytes {
        _ if bytes.is_multiple_of(1 << 20) => format!("{}MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{}KiB", bytes >> 10),
        _ => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failpoints_are_set_by_lines_that_survive_a_shell() {
        let node = Node {
            name: "etcd-1".into(),
            client: String::new(),
            peer: String::new(),
            gofail: "http://127.0.0.1:11180".into(),
            pid: None,
            container: None,
        };
        let set = |term| set_failpoint(&node, "walBeforeFdatasync", term).text;
        let url = "curl http://127.0.0.1:11180/walBeforeFdatasync";
        assert_eq!(set("sleep(100)"), format!("{url} -XPUT -d'sleep(100)'"));
        assert_eq!(set("off"), format!("{url} -XPUT -doff"));
        let term = "panic(\"it's\")";
        let words = shlex::split(&set(term)).unwrap();
        assert_eq!(words.last(), Some(&format!("-d{term}")));
        assert_eq!(clear_failpoint(&node, "walBeforeFdatasync").text, format!("{url} -XDELETE"));
    }

    #[test]
    fn links_are_shaped_by_the_words_of_the_terminal() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let slow = LinkShape {
            delay_ms: 100,
            jitter_ms: 10,
            bandwidth_bytes_s: Some(3 << 19),
            ..LinkShape::default()
        };
        let cut = LinkShape { cut: true, ..LinkShape::default() };
        for (from, to, shape, words) in [
            (
                &["etcd-1"][..],
                &["etcd-2"][..],
                slow,
                "etcd-1 etcd-2 --delay 100ms --jitter 10ms --bandwidth 1536KiB",
            ),
            (&[], &["etcd-2", "etcd-3"], cut, "all etcd-2,etcd-3 --cut"),
            (&["etcd-1"], &["etcd-1", "etcd-2", "etcd-3"], cut, "etcd-1 all --cut"),
        ] {
            let line = set_links(&names(from), &names(to), &shape, 3);
            assert_eq!(line.text, format!("etcd-labctl link set {words}"));
        }
    }
}
