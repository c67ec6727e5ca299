//! A member's command line for this host, derived from what the topology says for Compose's network: the
//! same flags, with each address rewritten to the one the member has here.

use std::path::Path;

use super::ports::PortMap;
use crate::{Member, Topology};

/// Flags for `member`, natively.
pub fn flags(
    topology: &Topology,
    member: &Member,
    ports: &PortMap,
    data_dir: &Path,
    quota_bytes: Option<u64>,
) -> Vec<String> {
    let mut flags: Vec<String> = member
        .flags
        .iter()
        .map(|flag| match flag.strip_prefix("--data-dir=") {
            Some(_) => format!("--data-dir={}", data_dir.display()),
            None => here(flag, topology, member, ports),
        })
        .collect();
    flags.extend(quota_bytes.map(|bytes| format!("--quota-backend-bytes={bytes}")));
    flags
}

/// Environment for `member`, natively.
pub fn environment(topology: &Topology, member: &Member, ports: &PortMap) -> Vec<(String, String)> {
    let here = |value: &str| match value.rsplit_once(':') {
        Some(_) => here(&format!("://{value}"), topology, member, ports).trim_start_matches("://").to_owned(),
        None => value.to_owned(),
    };
    member.environment.iter().map(|(key, value)| (key.clone(), here(value))).collect()
}

/// Rewrites every `://host:port` in which `host` is a member, or any address of `member` itself.
fn here(text: &str, topology: &Topology, member: &Member, ports: &PortMap) -> String {
    let mut out = String::with_capacity(text.len());
    let mut pieces = text.split("://");
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push_str("://");
        let end = piece.find([',', '/']).unwrap_or(piece.len());
        let (address, rest) = piece.split_at(end);
        let host_port = address.rsplit_once(':').and_then(|(host, port)| {
            let owner = if host == "0.0.0.0" { member } else { topology.member(host)? };
            let port: u16 = port.parse().ok()?;
            let here = ports.get(&owner.name)?;
            [(&owner.client, here.client), (&owner.peer, here.peer), (&owner.gofail, here.gofail)]
                .into_iter()
                .find_map(|(endpoint, here)| (endpoint.container_port == port).then_some(here))
        });
        match host_port {
            Some(port) => out.push_str(&format!("127.0.0.1:{port}")),
            None => out.push_str(address),
        }
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::ports::{PortChoice, choose};

    #[test]
    fn addresses_become_those_of_this_host() {
        let topology = Topology::etcd().unwrap();
        let ports = choose(&topology, PortChoice::Topology).unwrap();
        let member = topology.member("etcd-2").unwrap();
        let flags = flags(&topology, member, &ports, Path::new("/d"), Some(1 << 20));
        for wanted in [
            "--name=etcd-2",
            "--data-dir=/d",
            "--listen-client-urls=http://127.0.0.1:22379",
            "--advertise-client-urls=http://127.0.0.1:22379",
            "--listen-peer-urls=http://127.0.0.1:22380",
            "--initial-advertise-peer-urls=http://127.0.0.1:22380",
            "--initial-cluster=etcd-1=http://127.0.0.1:2380,etcd-2=http://127.0.0.1:22380,etcd-3=http://127.0.0.1:32380",
            "--election-timeout=1250",
            "--quota-backend-bytes=1048576",
        ] {
            assert!(flags.iter().any(|flag| flag == wanted), "{wanted} is not in {flags:#?}");
        }
        assert_eq!(
            environment(&topology, member, &ports),
            [("GOFAIL_HTTP".to_owned(), "127.0.0.1:21180".to_owned())]
        );
    }
}
