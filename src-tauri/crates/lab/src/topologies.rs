//! The lab's topologies, read once when a lab is opened, so that nothing that needs one later can fail over a file.

use lab_cluster::{Topology, TopologyError};

use crate::api::TopologyName;

/// One a [`TopologyName`]. All have the same members on the same ports of this host.
#[derive(Clone, Debug)]
pub struct Topologies {
    etcd: Topology,
    etcd_bridge: Topology,
}

impl Topologies {
    /// Those that this program was built with.
    ///
    /// # Errors
    /// When a file is not what it should be.
    pub fn builtin() -> Result<Self, TopologyError> {
        Ok(Self {
            etcd: Topology::named(lab_cluster::TopologyName::Etcd)?,
            etcd_bridge: Topology::named(lab_cluster::TopologyName::EtcdBridge)?,
        })
    }

    /// The one of that name.
    pub fn of(&self, name: TopologyName) -> &Topology {
        match name {
            TopologyName::Etcd => &self.etcd,
            TopologyName::EtcdBridge => &self.etcd_bridge,
        }
    }

    /// The one that is meant where none is named.
    pub fn usual(&self) -> &Topology {
        self.of(TopologyName::default())
    }
}
