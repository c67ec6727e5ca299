//! A member's command line for this host, derived from what the topology says for Compose's network: the
//! same flags, with each address rewritten to the one the member has here. Where peers are reached through proxies,
//! their URLs keep the names: Go's HTTP client goes to no proxy for a loopback address.

use std::path::Path;

use crate::ports::PortMap;
use crate::{Member, Topology};

/// Where a member sends what is for its peers.
const HTTP_PROXY: &str = "HTTP_PROXY";

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

/// Environment for `member`, natively; `peer_proxy` is the URL of the proxy to its peers.
pub fn environment(
    topology: &Topology,
    member: &Member,
    ports: &PortMap,
    peer_proxy: Option<&str>,
) -> Vec<(String, String)> {
    let here = |value: &str| match value.rsplit_once(':') {
        Some(_) => here(&format!("://{value}"), topology, member, ports).trim_start_matches("://").to_owned(),
        None => value.to_owned(),
    };
    // What the file says of a proxy is for members in containers.
    let written = member
        .environment
        .iter()
        .filter(|(key, _)| *key != HTTP_PROXY)
        .map(|(key, value)| (key.clone(), here(value)));
    // Only plain HTTP, which only peers speak; gRPC asks for the proxy of HTTPS whatever it speaks.
    written.chain(peer_proxy.map(|url| (HTTP_PROXY.into(), url.into()))).collect()
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
        let here = address.rsplit_once(':').and_then(|(host, port)| {
            let owner = if host == "0.0.0.0" { member } else { topology.member(host)? };
            let port: u16 = port.parse().ok()?;
            let here = ports.get(&owner.name)?;
            if topology.peer_proxy.is_some() && host == owner.name && port == owner.peer.container_port {
                return Some(format!("{host}:{}", here.peer));
            }
            [(&owner.client, here.client), (&owner.peer, here.peer), (&owner.gofail, here.gofail)]
                .into_iter()
                .find_map(|(endpoint, here)| (endpoint.container_port == port).then_some(here))
                .map(|port| format!("127.0.0.1:{port}"))
        });
        out.push_str(here.as_deref().unwrap_or(address));
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TopologyName;
    use crate::ports::{PortChoice, choose};

    #[test]
    fn addresses_become_those_of_this_host() {
        let everywhere = [
            "--name=etcd-2",
            "--data-dir=/d",
            "--listen-client-urls=http://127.0.0.1:22379",
            "--advertise-client-urls=http://127.0.0.1:22379",
            "--listen-peer-urls=http://127.0.0.1:22380",
            "--election-timeout=1250",
            "--quota-backend-bytes=1048576",
        ];
        let cases = [
            (
                TopologyName::Etcd,
                [
                    "--initial-advertise-peer-urls=http://127.0.0.1:22380",
                    "--initial-cluster=etcd-1=http://127.0.0.1:2380,etcd-2=http://127.0.0.1:22380,etcd-3=http://127.0.0.1:32380",
                ],
                None,
            ),
            (
                TopologyName::EtcdBridge,
                [
                    "--initial-advertise-peer-urls=http://etcd-2:22380",
                    "--initial-cluster=etcd-1=http://etcd-1:2380,etcd-2=http://etcd-2:22380,etcd-3=http://etcd-3:32380",
                ],
                Some("http://127.0.0.1:7000"),
            ),
        ];
        for (name, of_peers, proxy) in cases {
            let topology = Topology::named(name).unwrap();
            let ports = choose(&topology, PortChoice::Topology).unwrap();
            let member = topology.member("etcd-2").unwrap();
            let flags = flags(&topology, member, &ports, Path::new("/d"), Some(1 << 20));
            for wanted in everywhere.iter().chain(&of_peers) {
                assert!(flags.iter().any(|flag| flag == wanted), "{name:?}: {wanted} is not in {flags:#?}");
            }
            let environment = environment(&topology, member, &ports, proxy);
            let gofail = ("GOFAIL_HTTP".to_owned(), "127.0.0.1:21180".to_owned());
            let proxy = proxy.map(|url| ("HTTP_PROXY".to_owned(), url.to_owned()));
            assert_eq!(environment, [gofail].into_iter().chain(proxy).collect::<Vec<_>>(), "{name:?}");
        }
    }
}
