//! The addresses that belong to members' data. A member keeps its peers' URLs in its data, so that members which go on
//! with their data find each other only where they were and as they were known: the ports, and whether peers are
//! reached through proxies, are kept beside the data for that.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::ports::{self, PortChoice, PortMap};
use crate::{ClusterError, Topology};

/// Name of the file, in the folder of all members' data.
const FILE: &str = "ports.json";

/// What is kept beside the data.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    #[serde(flatten)]
    ports: PortMap,
    /// Whether the members knew each other by name and went through proxies; those before there were any did not.
    #[serde(default)]
    peer_proxy: bool,
}

/// What the members had whose data is in `folder`; `None` when there is no data, or nothing is known.
pub fn read(folder: &Path, topology: &Topology) -> Option<Kept> {
    if !topology.members.iter().any(|member| super::runtime::data_of(folder, &member.name).exists()) {
        return None;
    }
    serde_json::from_slice(&std::fs::read(folder.join(FILE)).ok()?).ok()
}

/// Leaves beside the data what belongs to it, whole or not at all.
pub fn write(folder: &Path, topology: &Topology, ports: &PortMap) -> io::Result<()> {
    let kept = Kept { ports: ports.clone(), peer_proxy: topology.peer_proxy.is_some() };
    let unfinished = folder.join(format!("{FILE}.unfinished"));
    std::fs::write(&unfinished, serde_json::to_vec(&kept)?)?;
    std::fs::rename(unfinished, folder.join(FILE))
}

/// Ports for members that go on with data which was written on `kept`: with free choice, the same ones, but for
/// client and gofail ports that are in use by now.
///
/// # Errors
/// When the data's members knew each other otherwise than this topology's do, when the topology's ports are asked for
/// and the data has others, or no free ports are found.
pub fn choose(topology: &Topology, choice: PortChoice, kept: &Kept) -> Result<PortMap, ClusterError> {
    if kept.peer_proxy != topology.peer_proxy.is_some() {
        return Err(ClusterError::DataOfOtherTopology { peer_proxy: kept.peer_proxy });
    }
    let kept = &kept.ports;
    // Held, so that none of them is given out as a free one.
    let held: Vec<(u16, TcpListener)> = kept
        .values()
        .flat_map(|member| [member.client, member.peer, member.gofail])
        .filter_map(|port| Some((port, TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?)))
        .collect();
    let mut ports = ports::choose(topology, choice).map_err(ClusterError::NoFreePorts)?;
    for (name, member) in &mut ports {
        let Some(kept) = kept.get(name) else { continue };
        if choice == PortChoice::Topology {
            if member.peer != kept.peer {
                return Err(ClusterError::DataOfOtherPorts { member: name.clone(), port: kept.peer });
            }
            continue;
        }
        let free = |port: u16| held.iter().any(|(held, _)| *held == port);
        member.peer = kept.peer;
        for (port, kept) in [(&mut member.client, kept.client), (&mut member.gofail, kept.gofail)] {
            if free(kept) {
                *port = kept;
            }
        }
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TopologyName;

    fn kept(topology: &Topology, choice: PortChoice) -> Kept {
        Kept { ports: ports::choose(topology, choice).unwrap(), peer_proxy: topology.peer_proxy.is_some() }
    }

    #[test]
    fn addresses_are_known_as_long_as_there_is_data() {
        for name in [TopologyName::Etcd, TopologyName::EtcdBridge] {
            let folder = tempfile::tempdir().unwrap();
            let topology = Topology::named(name).unwrap();
            let kept = kept(&topology, PortChoice::Auto);
            write(folder.path(), &topology, &kept.ports).unwrap();
            assert_eq!(read(folder.path(), &topology), None);
            std::fs::create_dir(folder.path().join("etcd-1.etcd")).unwrap();
            assert_eq!(read(folder.path(), &topology), Some(kept));
        }
    }

    #[test]
    fn what_was_kept_before_there_were_proxies_is_of_members_without() {
        let topology = Topology::etcd().unwrap();
        let kept = kept(&topology, PortChoice::Auto);
        let old = serde_json::to_vec(&kept.ports).unwrap();
        assert_eq!(serde_json::from_slice::<Kept>(&old).unwrap(), kept);
    }

    #[test]
    fn data_keeps_its_peer_ports_and_the_others_while_they_are_free() {
        let topology = Topology::etcd().unwrap();
        let kept = kept(&topology, PortChoice::Auto);
        assert_eq!(choose(&topology, PortChoice::Auto, &kept).unwrap(), kept.ports);
        let kept_ports = &kept.ports;
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, kept_ports["etcd-2"].client)).unwrap();
        let chosen = choose(&topology, PortChoice::Auto, &kept).unwrap();
        assert_ne!(chosen["etcd-2"].client, kept_ports["etcd-2"].client);
        assert_eq!(
            (chosen["etcd-2"].peer, &chosen["etcd-3"]),
            (kept_ports["etcd-2"].peer, &kept_ports["etcd-3"])
        );
    }

    #[test]
    fn data_of_other_ports_is_refused_on_the_topologys() {
        let topology = Topology::etcd().unwrap();
        let own = kept(&topology, PortChoice::Topology);
        assert_eq!(choose(&topology, PortChoice::Topology, &own).unwrap(), own.ports);
        let other = kept(&topology, PortChoice::Auto);
        let refused = choose(&topology, PortChoice::Topology, &other);
        assert!(matches!(refused, Err(ClusterError::DataOfOtherPorts { .. })), "{refused:?}");
    }

    #[test]
    fn data_of_the_other_topology_is_refused_even_on_its_own_ports() {
        let [direct, bridge] =
            [TopologyName::Etcd, TopologyName::EtcdBridge].map(|name| Topology::named(name).unwrap());
        for (topology, other) in [(&direct, &bridge), (&bridge, &direct)] {
            let refused = choose(topology, PortChoice::Auto, &kept(other, PortChoice::Auto));
            let Err(ClusterError::DataOfOtherTopology { peer_proxy }) = refused else {
                panic!("{refused:?}")
            };
            assert_eq!(peer_proxy, other.peer_proxy.is_some());
        }
    }
}
