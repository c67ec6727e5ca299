//! The ports that belong to members' data. A member keeps its peers' addresses in its data, so that members which go
//! on with their data find each other only where they were; the ports are kept beside the data for that.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use super::ports::{self, PortChoice, PortMap};
use crate::{ClusterError, Topology};

/// Name of the file, in the folder of all members' data.
const FILE: &str = "ports.json";

/// The ports that the members had whose data is in `folder`; `None` when there is no data, or nothing is known.
pub fn read(folder: &Path, topology: &Topology) -> Option<PortMap> {
    if !topology.members.iter().any(|member| super::runtime::data_of(folder, &member.name).exists()) {
        return None;
    }
    serde_json::from_slice(&std::fs::read(folder.join(FILE)).ok()?).ok()
}

/// Leaves the ports beside the data, whole or not at all.
pub fn write(folder: &Path, ports: &PortMap) -> io::Result<()> {
    let unfinished = folder.join(format!("{FILE}.unfinished"));
    std::fs::write(&unfinished, serde_json::to_vec(ports)?)?;
    std::fs::rename(unfinished, folder.join(FILE))
}

/// Ports for members that go on with data which was written on `kept`: with free choice, the same ones, but for
/// client and gofail ports that are in use by now.
///
/// # Errors
/// When the topology's ports are asked for and the data has others, or no free ports are found.
pub fn choose(topology: &Topology, choice: PortChoice, kept: &PortMap) -> Result<PortMap, ClusterError> {
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

    #[test]
    fn ports_are_known_as_long_as_there_is_data() {
        let folder = tempfile::tempdir().unwrap();
        let topology = Topology::etcd().unwrap();
        let ports = ports::choose(&topology, PortChoice::Auto).unwrap();
        write(folder.path(), &ports).unwrap();
        assert_eq!(read(folder.path(), &topology), None);
        std::fs::create_dir(folder.path().join("etcd-1.etcd")).unwrap();
        assert_eq!(read(folder.path(), &topology), Some(ports));
    }

    #[test]
    fn data_keeps_its_peer_ports_and_the_others_while_they_are_free() {
        let topology = Topology::etcd().unwrap();
        let kept = ports::choose(&topology, PortChoice::Auto).unwrap();
        assert_eq!(choose(&topology, PortChoice::Auto, &kept).unwrap(), kept);
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, kept["etcd-2"].client)).unwrap();
        let chosen = choose(&topology, PortChoice::Auto, &kept).unwrap();
        assert_ne!(chosen["etcd-2"].client, kept["etcd-2"].client);
        assert_eq!((chosen["etcd-2"].peer, &chosen["etcd-3"]), (kept["etcd-2"].peer, &kept["etcd-3"]));
    }

    #[test]
    fn data_of_other_ports_is_refused_on_the_topologys() {
        let topology = Topology::etcd().unwrap();
        let own = ports::choose(&topology, PortChoice::Topology).unwrap();
        assert_eq!(choose(&topology, PortChoice::Topology, &own).unwrap(), own);
        let other = ports::choose(&topology, PortChoice::Auto).unwrap();
        let refused = choose(&topology, PortChoice::Topology, &other);
        assert!(matches!(refused, Err(ClusterError::DataOfOtherPorts { .. })), "{refused:?}");
    }
}
