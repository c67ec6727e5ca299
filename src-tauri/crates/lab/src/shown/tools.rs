//! Where a person has etcd's own tools, and how their lines begin there.

use lab_bench::BenchSpec;

use super::Line;
use crate::api::{ClusterView, CommandKind};

/// What precedes the name of a tool that is in an image; the host's network, since members listen on 127.0.0.1 there.
const RUN: &str = "docker run --network=host --rm";

/// Where `etcdctl` and `benchmark` are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tools {
    /// On this machine.
    Here,
    /// In this image, which the members run from.
    Image(String),
}

impl Tools {
    /// Those that fit a cluster: who runs it in Docker need have none of them on the machine.
    pub fn of(cluster: &ClusterView) -> Self {
        cluster.image.clone().map_or(Self::Here, Self::Image)
    }

    pub(super) fn etcdctl(&self, endpoints: &str, words: &str, why: &'static str) -> Line {
        let rest = format!("--endpoints={endpoints} {words}");
        match self {
            Self::Here => Line { kind: CommandKind::Etcdctl, text: format!("etcdctl {rest}"), why },
            Self::Image(image) => Line {
                kind: CommandKind::Docker,
                text: format!("{RUN} -it --entrypoint etcdctl {image} {rest}"),
                why,
            },
        }
    }

    /// The text of a line whose output another program reads: no terminal then.
    pub(super) fn piped_etcdctl(&self, endpoints: &str, words: &str) -> String {
        match self {
            Self::Here => self.etcdctl(endpoints, words, "").text,
            Self::Image(image) => {
                format!("{RUN} --entrypoint etcdctl {image} --endpoints={endpoints} {words}")
            }
        }
    }

    /// The line for a load: the lab's own generator, or etcd's in the image.
    pub fn load_line(&self, spec: &BenchSpec) -> String {
        match self {
            Self::Here => spec.command_line(),
            Self::Image(image) => spec.command_line_of(&format!("{RUN} -it --entrypoint benchmark {image}")),
        }
    }

    pub(super) fn load_kind(&self) -> CommandKind {
        match self {
            Self::Here => CommandKind::EtcdLabctl,
            Self::Image(_) => CommandKind::Docker,
        }
    }
}

#[cfg(test)]
mod tests {
    use lab_bench::{Range, Workload};

    use super::*;

    #[test]
    fn who_has_only_docker_types_lines_that_need_nothing_else() {
        let tools = Tools::Image("lab/etcd:v3.5.9".into());
        let line = tools.etcdctl("127.0.0.1:4001", "alarm list", "");
        assert_eq!(line.kind, CommandKind::Docker);
        let rest = "--entrypoint etcdctl lab/etcd:v3.5.9 --endpoints=127.0.0.1:4001 alarm list";
        assert_eq!(line.text, format!("docker run --network=host --rm -it {rest}"));
        // A terminal would stand between it and who reads it.
        let piped = tools.piped_etcdctl("127.0.0.1:4001", "alarm list");
        assert_eq!(piped, format!("docker run --network=host --rm {rest}"));

        let range =
            Range { key: "a".into(), range_end: None, consistency: lab_bench::Consistency::Linearizable };
        let load = BenchSpec::new(["127.0.0.1:4001"], Workload::Range(range));
        assert_eq!(Tools::Here.load_line(&load), "etcd-labctl bench --endpoints=127.0.0.1:4001 range a");
        assert_eq!(
            tools.load_line(&load),
            "docker run --network=host --rm -it --entrypoint benchmark lab/etcd:v3.5.9 --endpoints=127.0.0.1:4001 range a"
        );
    }
}
