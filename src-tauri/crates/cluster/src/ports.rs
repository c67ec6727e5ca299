//! Which ports the members get on 127.0.0.1, whether they are free, and who holds those that aren't.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{PortTaken, Topology};

/// Where members listen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PortChoice {
    /// On the topology's ports.
    #[default]
    Topology,
    /// On free ones.
    Auto,
}

/// One member's ports on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MemberPorts {
    pub client: u16,
    pub peer: u16,
    pub gofail: u16,
}

/// One port that somebody needs, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Who needs it.
    pub of: String,
    /// What for: `client`, `peer` or `gofail`.
    pub what: &'static str,
    /// Port on 127.0.0.1.
    pub port: u16,
}

/// Ports by member name.
pub type PortMap = BTreeMap<String, MemberPorts>;

/// Where free ports are looked for: below the ranges from which Linux (32768 on) and macOS (49152 on) give ports to
/// outgoing connections, since the cluster's own connections would take those between our look and the members'
/// listen; and apart from the ports of the lab's topology, which another lab may want.
const FREE: std::ops::Range<u16> = 24_000..31_000;
/// Ports tried before the system is said to have none.
const TRIES: usize = 2_000;
/// How long a port may look taken by nobody before that is believed.
const LET_GO_WITHIN: Duration = Duration::from_secs(1);
/// Between two looks at such a port.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Every port that natively run members listen on.
pub fn doors(ports: &PortMap) -> impl Iterator<Item = Door> {
    ports.iter().flat_map(|(member, ports)| {
        [("client", ports.client), ("peer", ports.peer), ("gofail", ports.gofail)].map(|(what, port)| Door {
            of: member.clone(),
            what,
            port,
        })
    })
}

/// Gives out free ports, and holds them until it is dropped, so that none is given out twice.
#[derive(Default)]
pub struct FreePorts {
    held: Vec<TcpListener>,
}

impl FreePorts {
    /// One more.
    ///
    /// # Errors
    /// When none is found.
    pub fn next(&mut self) -> io::Result<u16> {
        for _ in 0..TRIES {
            // At random, so that two labs that start at the same time don't go for the same ones.
            let port = rand::random_range(FREE);
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                self.held.push(listener);
                return Ok(port);
            }
        }
        Err(io::ErrorKind::AddrNotAvailable.into())
    }
}

/// Chooses ports for all members.
///
/// # Errors
/// When no free port is found.
pub fn choose(topology: &Topology, choice: PortChoice) -> io::Result<PortMap> {
    let mut free = FreePorts::default();
    let mut ports = PortMap::new();
    for member in &topology.members {
        let of_member = match choice {
            PortChoice::Topology => MemberPorts {
                client: member.client.host_port,
                peer: member.peer.host_port,
                gofail: member.gofail.host_port,
            },
            PortChoice::Auto => {
                MemberPorts { client: free.next()?, peer: free.next()?, gofail: free.next()? }
            }
        };
        ports.insert(member.name.clone(), of_member);
    }
    Ok(ports)
}

/// Those of the topology's own ports that somebody listens on.
pub fn ports_taken(topology: &Topology) -> Vec<PortTaken> {
    // Only free ports can be lacking, and none is asked for here.
    choose(topology, PortChoice::Topology).map_or_else(|_| Vec::new(), |ports| taken(doors(&ports)))
}

/// Those of the ports that somebody listens on, with who that is where the system tells.
pub fn taken(doors: impl Iterator<Item = Door>) -> Vec<PortTaken> {
    doors
        .filter(|door| {
            // A bind tells surely, also about listeners of other users that the process table doesn't show.
            let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, door.port));
            bound.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
        })
        .map(|Door { of, what, port }| PortTaken { member: of, what, port, holder: holder(port) })
        .collect()
}

/// The ports that somebody listens on and goes on listening. What is held only for a moment is held by us: looking
/// for free ports opens them, and a process that is being forked meanwhile has them too until it is its own program.
pub async fn taken_for_good(doors: &[Door]) -> Vec<PortTaken> {
    let deadline = Instant::now() + LET_GO_WITHIN;
    loop {
        let taken = taken(doors.iter().cloned());
        let known = taken.iter().all(|one| one.holder.is_some());
        if known || Instant::now() > deadline {
            return taken;
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Process id and name of who listens on a port, where the system tells.
pub fn holder(port: u16) -> Option<(u32, String)> {
    let all = listeners::get_all().ok()?;
    let listener = all.into_iter().find(|listener| {
        listener.socket.port() == port
            && listener.protocol == listeners::Protocol::TCP
            && listener.state == listeners::SocketState::Listen
    })?;
    Some((listener.process.pid, listener.process.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_are_all_different_and_free() {
        let ports = choose(&Topology::etcd().unwrap(), PortChoice::Auto).unwrap();
        let mut all: Vec<u16> = doors(&ports).map(|door| door.port).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 9);
        assert_eq!(taken(doors(&ports)), []);
    }

    #[test]
    fn a_taken_port_names_its_member_and_its_holder() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut ports = choose(&Topology::etcd().unwrap(), PortChoice::Auto).unwrap();
        ports.get_mut("etcd-2").unwrap().peer = port;
        let found = taken(doors(&ports));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].member.as_str(), found[0].what, found[0].port), ("etcd-2", "peer", port));
        if cfg!(target_os = "linux") {
            assert_eq!(found[0].holder.as_ref().map(|(pid, _)| *pid), Some(std::process::id()));
        }
    }
}
