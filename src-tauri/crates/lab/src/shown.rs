//! Everything the lab does, as the command a person could have typed, with the real addresses.

mod faults;
mod tools;

use std::collections::VecDeque;
use std::path::Path;

use lab_cluster::Node;

use crate::api::{
    AfterKill, CommandKind, MemberAction, Ports, RuntimeKind, ShownCommand, StartOptions, TopologyName,
};

pub use faults::{clear_failpoint, heal_links, set_failpoint, set_links};
pub use tools::Tools;

/// Commands kept for a snapshot.
const KEPT: usize = 100;

/// The commands shown so far, the last ones kept.
#[derive(Debug, Default)]
pub struct History {
    next_id: u64,
    kept: VecDeque<ShownCommand>,
}

impl History {
    /// Adds a command; returns it with its id.
    pub fn add(&mut self, at_ms: i64, line: Line) -> ShownCommand {
        self.next_id += 1;
        let command =
            ShownCommand { id: self.next_id, at_ms, kind: line.kind, text: line.text, why: line.why.into() };
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(command.clone());
        command
    }

    /// Oldest first.
    pub fn kept(&self) -> Vec<ShownCommand> {
        self.kept.iter().cloned().collect()
    }
}

/// A command line and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Program.
    pub kind: CommandKind,
    /// The whole line.
    pub text: String,
    /// A few words.
    pub why: &'static str,
}

fn labctl(words: &str, why: &'static str) -> Line {
    Line { kind: CommandKind::EtcdLabctl, text: format!("etcd-labctl {words}"), why }
}

/// `127.0.0.1:2379,127.0.0.1:22379,…`: the members as etcd's tools take them.
pub fn endpoints(nodes: &[Node]) -> String {
    nodes.iter().map(endpoint).collect::<Vec<_>>().join(",")
}

/// `127.0.0.1:2379`.
pub fn endpoint(node: &Node) -> &str {
    node.client.trim_start_matches("http://")
}

/// Start the cluster.
pub fn start(options: &StartOptions) -> Line {
    let mut words = String::from("up");
    if options.runtime == RuntimeKind::Docker {
        words += " --runtime docker";
        if options.after_kill == AfterKill::Adopt {
            words += " --after-kill adopt";
        }
    }
    if let Some(version) = &options.etcd_version {
        words += &format!(" --etcd {version}");
    }
    if options.topology == TopologyName::EtcdBridge {
        words += " --topology etcd-bridge";
    }
    if options.ports == Ports::Auto {
        words += " --ports auto";
    }
    if options.keep_data {
        words += " --keep-data";
    }
    if let Some(bytes) = options.quota_bytes {
        words += &format!(" --quota-bytes {bytes}");
    }
    if let Some(folder) = &options.data_dir {
        words += &format!(" --data-dir {}", quoted(&folder.display().to_string()));
    }
    labctl(&words, "Start the cluster")
}

/// Ask each member whether it is well.
pub fn health(tools: &Tools, nodes: &[Node]) -> Line {
    tools.etcdctl(&endpoints(nodes), "endpoint health", "Ask each member whether it is well")
}

/// Read a member's metrics.
pub fn metrics(node: &Node) -> Line {
    Line {
        kind: CommandKind::Curl,
        text: format!("curl {}/metrics", node.client),
        why: "Read a member's metrics",
    }
}

/// Stop the cluster.
pub fn stop() -> Line {
    labctl("down", "Stop the cluster")
}

/// Restart one member.
pub fn restart(member: &str) -> Line {
    labctl(&format!("restart {member}"), "Restart one member")
}

/// Do something to a member's process or container.
pub fn act(member: &Node, action: MemberAction) -> Line {
    let (ours, dockers, why) = match action {
        MemberAction::Stop => ("stop", "stop", "Stop one member"),
        MemberAction::Kill => ("kill", "kill", "Kill one member"),
        MemberAction::Pause => ("pause", "pause", "Hold one member"),
        MemberAction::Resume => ("resume", "unpause", "Let a member go on"),
    };
    match &member.container {
        Some(container) => {
            Line { kind: CommandKind::Docker, text: format!("docker {dockers} {container}"), why }
        }
        None => labctl(&format!("member {ours} {}", member.name), why),
    }
}

/// Build the image that members run from.
pub fn build_image(etcd_version: &str) -> Line {
    labctl(&format!("image build --etcd {etcd_version}"), "Build the members' image")
}

/// Write images to a file.
pub fn save_images(file: &Path) -> Line {
    labctl(&format!("image save {}", quoted(&file.display().to_string())), "Write images to a file")
}

/// Read images from a file.
pub fn load_images(file: &Path) -> Line {
    labctl(&format!("image load {}", quoted(&file.display().to_string())), "Read images from a file")
}

/// Run Prometheus and Grafana.
pub fn start_observers() -> Line {
    labctl("observers start", "Run Prometheus and Grafana")
}

/// Stop Prometheus and Grafana.
pub fn stop_observers() -> Line {
    labctl("observers stop", "Stop Prometheus and Grafana")
}

/// A load, by its line.
pub fn load(tools: &Tools, text: String) -> Line {
    Line { kind: tools.load_kind(), text, why: "Put the cluster under load" }
}

/// Write one key.
pub fn put(tools: &Tools, nodes: &[Node], key: &str, value: &str) -> Line {
    tools.etcdctl(&endpoints(nodes), &format!("put {} {}", quoted(key), quoted(value)), "Write one key")
}

/// Read one key.
pub fn get(tools: &Tools, nodes: &[Node], key: &str) -> Line {
    tools.etcdctl(&endpoints(nodes), &format!("get {}", quoted(key)), "Read one key")
}

/// Compact.
pub fn compact(tools: &Tools, nodes: &[Node], revision: i64) -> Line {
    tools.etcdctl(
        &endpoints(nodes),
        &format!("compact {revision} --physical"),
        "Drop the history before a revision",
    )
}

/// Compact at the present revision, which etcdctl has to be told: a line to read it, a line to use it.
pub fn compact_now(tools: &Tools, nodes: &[Node]) -> Vec<String> {
    let all = endpoints(nodes);
    let first = nodes.first().map_or(all.as_str(), endpoint);
    let status = tools.piped_etcdctl(first, "endpoint status -w json");
    vec![
        format!("revision=$({status} | grep -o '\"revision\":[0-9]*' | cut -d: -f2)"),
        tools.etcdctl(&all, "compact $revision --physical", "").text,
    ]
}

/// Delete one key, or all that begin with it.
pub fn delete(tools: &Tools, nodes: &[Node], key: &str, prefix: bool) -> Line {
    let words = match (key, prefix) {
        // etcdctl takes no empty key; from the zero byte on is every key.
        ("", true) => "del '' --from-key".to_owned(),
        (key, true) => format!("del {} --prefix", quoted(key)),
        (key, false) => format!("del {}", quoted(key)),
    };
    tools.etcdctl(&endpoints(nodes), &words, "Delete keys")
}

/// Defragment one member.
pub fn defragment(tools: &Tools, node: &Node) -> Line {
    tools.etcdctl(endpoint(node), "defrag", "Give a member's free pages back to the disk")
}

/// List alarms.
pub fn alarms(tools: &Tools, nodes: &[Node]) -> Line {
    tools.etcdctl(&endpoints(nodes), "alarm list", "See which alarms are raised")
}

/// Disarm alarms.
pub fn disarm(tools: &Tools, nodes: &[Node]) -> Line {
    tools.etcdctl(&endpoints(nodes), "alarm disarm", "Disarm all alarms")
}

/// One word of a shell, quoted where a shell would split or change it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    // Only a zero byte can't be quoted, and a key with one can't be typed in a shell either.
    shlex::try_quote(word).map_or_else(|_| format!("{word:?}"), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_carry_the_real_addresses_and_survive_a_shell() {
        let node = |name: &str, port: u16| Node {
            name: name.into(),
            client: format!("http://127.0.0.1:{port}"),
            peer: String::new(),
            gofail: String::new(),
            pid: None,
            container: None,
        };
        let nodes = [node("etcd-1", 4001), node("etcd-2", 4002)];
        assert_eq!(
            put(&Tools::Here, &nodes, "a key", "it's").text,
            r#"etcdctl --endpoints=127.0.0.1:4001,127.0.0.1:4002 put 'a key' "it's""#
        );
        assert_eq!(defragment(&Tools::Here, &nodes[1]).text, "etcdctl --endpoints=127.0.0.1:4002 defrag");
    }

    #[test]
    fn only_the_last_commands_are_kept() {
        let mut history = History::default();
        for _ in 0..KEPT + 5 {
            history.add(0, stop());
        }
        let kept = history.kept();
        assert_eq!((kept.len(), kept[0].id), (KEPT, 6));
    }
}
