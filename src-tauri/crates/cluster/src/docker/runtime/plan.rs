//! What a cluster consists of in Docker, derived from the topology: one entry a container, with the ports that it has on
//! this host. Decides, and asks nobody.

use std::collections::{BTreeMap, HashMap};
use std::io;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, HostConfigLogConfig, Mount, MountType,
    NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
};
use sha2::{Digest, Sha256};

use crate::docker::labels::{self, PLAN, Role, Run};
use crate::ports::{Door, FreePorts};
use crate::runtime::LAB_ID;
use crate::topology::PeerProxy;
use crate::{Endpoint, Member, Node, PortChoice, Topology};

/// Where ports of containers are published, and nowhere else.
const HERE: &str = "127.0.0.1";

/// A port of a container that is published on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Published {
    /// What it is for: `client`, `gofail`, `control`.
    pub what: &'static str,
    inside: u16,
    pub here: u16,
}

fn published(what: &'static str, endpoint: &Endpoint) -> Published {
    Published { what, inside: endpoint.container_port, here: endpoint.host_port }
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    /// Its name in the cluster's network.
    pub name: String,
    pub role: Role,
    image: String,
    entrypoint: Vec<String>,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    /// Where its data is, inside.
    data: Option<String>,
    /// Where its peers find it.
    peer: Option<String>,
    pub ports: Vec<Published>,
}

/// All containers of a cluster, in the order in which they are started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub containers: Vec<Planned>,
}

impl Plan {
    /// A cluster of this topology, from this image.
    ///
    /// # Errors
    /// When free ports are asked for and there are none.
    pub fn new(
        topology: &Topology,
        image: &str,
        quota_bytes: Option<u64>,
        choice: PortChoice,
    ) -> io::Result<Self> {
        let members = topology.members.iter().map(|member| Planned::member(member, image, quota_bytes));
        // First, as members begin by asking it for each other.
        let links = topology.peer_proxy.as_ref().map(|proxy| Planned::links(proxy, image));
        let mut plan = Self { containers: links.into_iter().chain(members).collect() };
        if choice == PortChoice::Auto {
            plan.choose_free_ports()?;
        }
        Ok(plan)
    }

    /// Gives all containers other ports on this host.
    ///
    /// # Errors
    /// When there are no free ones.
    pub fn choose_free_ports(&mut self) -> io::Result<()> {
        let mut free = FreePorts::default();
        for port in self.containers.iter_mut().flat_map(|one| &mut one.ports) {
            port.here = free.next()?;
        }
        Ok(())
    }

    /// Every port that must be free on this host.
    pub fn doors(&self) -> Vec<Door> {
        self.containers.iter().flat_map(Planned::doors).collect()
    }

    /// What is the same of two clusters when one can be taken for the other: all but the ports on this host. `image_id`
    /// tells what stands behind the image's name now.
    pub fn digest(&self, image_id: &str) -> String {
        let mut same = self.clone();
        for port in same.containers.iter_mut().flat_map(|one| &mut one.ports) {
            port.here = 0;
        }
        let digest = Sha256::digest(format!("{image_id} {same:?}"));
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Planned {
    fn member(member: &Member, image: &str, quota_bytes: Option<u64>) -> Self {
        let quota = quota_bytes.map(|bytes| format!("--quota-backend-bytes={bytes}"));
        Self {
            name: member.name.clone(),
            role: Role::Member,
            image: image.to_owned(),
            entrypoint: vec!["etcd".into()],
            arguments: member.flags.iter().cloned().chain(quota).collect(),
            environment: member.environment.clone(),
            data: member.flag("data-dir").map(str::to_owned),
            peer: Some(format!("http://{}:{}", member.name, member.peer.container_port)),
            ports: vec![published("client", &member.client), published("gofail", &member.gofail)],
        }
    }

    fn links(proxy: &PeerProxy, image: &str) -> Self {
        Self {
            name: proxy.service.clone(),
            role: Role::Links,
            image: image.to_owned(),
            entrypoint: vec![PeerProxy::PROGRAM.into()],
            arguments: proxy.flags.clone(),
            environment: BTreeMap::new(),
            data: None,
            peer: None,
            ports: vec![published("control", &proxy.control)],
        }
    }

    /// Its ports that must be free on this host.
    pub fn doors(&self) -> impl Iterator<Item = Door> {
        self.ports.iter().map(|port| Door { of: self.name.clone(), what: port.what, port: port.here })
    }

    /// Where one of its ports is on this host, as a URL.
    pub fn url(&self, what: &str) -> Option<String> {
        let port = self.ports.iter().find(|port| port.what == what)?;
        Some(format!("http://{HERE}:{}", port.here))
    }

    /// It, as the lab knows a member, in the container of this id; `None` when it isn't one.
    pub fn node(&self, id: &str) -> Option<Node> {
        Some(Node {
            name: self.name.clone(),
            client: self.url("client")?,
            peer: self.peer.clone()?,
            gofail: self.url("gofail")?,
            pid: None,
            // As `docker ps` shows it.
            container: Some(id.chars().take(12).collect()),
        })
    }

    /// The name of the volume with its data, if it has any.
    pub fn volume(&self, run: &Run) -> Option<String> {
        self.data.is_some().then(|| run.name_of(&self.name))
    }

    /// What the engine is asked to make.
    pub fn body(&self, run: &Run, digest: &str) -> ContainerCreateBody {
        let volume = self.volume(run).zip(self.data.clone()).map(|(volume, data)| Mount {
            typ: Some(MountType::VOLUME),
            source: Some(volume),
            target: Some(data),
            ..Mount::default()
        });
        let mut labels = run.labels_of_member(self.role, &self.name);
        labels.insert(PLAN.to_owned(), digest.to_owned());
        labels.extend(self.ports.iter().map(|port| labels::of_port(port.what, port.here)));
        let mut environment: Vec<String> =
            self.environment.iter().map(|(key, value)| format!("{key}={value}")).collect();
        environment.push(format!("{LAB_ID}={}", run.holder.lab_id));
        let bindings = self.ports.iter().map(|port| {
            let here = PortBinding { host_ip: Some(HERE.into()), host_port: Some(port.here.to_string()) };
            (format!("{}/tcp", port.inside), Some(vec![here]))
        });
        let by_name = EndpointSettings { aliases: Some(vec![self.name.clone()]), ..Default::default() };
        ContainerCreateBody {
            hostname: Some(self.name.clone()),
            image: Some(self.image.clone()),
            entrypoint: Some(self.entrypoint.clone()),
            cmd: Some(self.arguments.clone()),
            env: Some(environment),
            labels: Some(labels),
            exposed_ports: Some(self.ports.iter().map(|port| format!("{}/tcp", port.inside)).collect()),
            host_config: Some(HostConfig {
                mounts: Some(volume.into_iter().collect()),
                network_mode: Some(run.network()),
                port_bindings: Some(bindings.collect::<HashMap<_, _>>()),
                // Who ends stays ended: that is worth seeing.
                restart_policy: Some(RestartPolicy {
                    name: Some(RestartPolicyNameEnum::NO),
                    maximum_retry_count: None,
                }),
                // Whatever the engine's own default is, this one can be read back.
                log_config: Some(HostConfigLogConfig { typ: Some("json-file".into()), config: None }),
                ..HostConfig::default()
            }),
            networking_config: Some(NetworkingConfig {
                endpoints_config: Some(HashMap::from([(run.network(), by_name)])),
            }),
            ..ContainerCreateBody::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::TopologyName;
    use crate::docker::AfterKill;
    use crate::docker::labels::Holder;

    fn plan(choice: PortChoice, quota_bytes: Option<u64>) -> Plan {
        Plan::new(&Topology::etcd().unwrap(), "lab:v1", quota_bytes, choice).unwrap()
    }

    #[test]
    fn a_member_has_its_flags_its_volume_and_doors_on_this_machine_only() {
        let plan = plan(PortChoice::Topology, Some(1 << 20));
        let run = Run::new(Holder::here("4f2a", Path::new("/labs"), AfterKill::Remove));
        let body = plan.containers[1].body(&run, "d");
        let flags = body.cmd.unwrap();
        for wanted in [
            "--name=etcd-2",
            "--initial-advertise-peer-urls=http://etcd-2:2380",
            "--quota-backend-bytes=1048576",
        ] {
            assert!(flags.iter().any(|flag| flag == wanted), "{wanted} is not in {flags:?}");
        }
        assert!(body.env.unwrap().contains(&"METRICS_LAB_ID=4f2a".to_owned()));
        let host = body.host_config.unwrap();
        let mount = &host.mounts.unwrap()[0];
        assert_eq!(
            (mount.source.clone(), mount.target.as_deref()),
            (plan.containers[1].volume(&run), Some("/var/lib/etcd"))
        );
        let bindings = host.port_bindings.unwrap();
        let here = |inside: &str| bindings[inside].as_ref().unwrap()[0].clone();
        assert_eq!(
            (here("2379/tcp").host_port.as_deref(), here("11180/tcp").host_port.as_deref()),
            (Some("22379"), Some("21180"))
        );
        assert!(bindings.values().flatten().flatten().all(|one| one.host_ip.as_deref() == Some("127.0.0.1")));
        assert_eq!(bindings.len(), 2, "a peer port is no door of this host");
        let node = plan.containers[1].node("0123456789abcdef").unwrap();
        assert_eq!(
            (node.peer.as_str(), node.container.as_deref()),
            ("http://etcd-2:2380", Some("0123456789ab"))
        );
    }

    #[test]
    fn the_proxies_come_before_the_members_that_go_through_them() {
        let topology = Topology::named(TopologyName::EtcdBridge).unwrap();
        let plan = Plan::new(&topology, "lab:v1", None, PortChoice::Topology).unwrap();
        let names: Vec<&str> = plan.containers.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["links", "etcd-1", "etcd-2", "etcd-3"]);
        let links = &plan.containers[0];
        assert_eq!((links.url("control").as_deref(), links.node("1")), (Some("http://127.0.0.1:8474"), None));
        assert_eq!(links.entrypoint, ["link-proxy"]);
        assert_eq!(plan.containers[3].environment["HTTP_PROXY"], "http://links:8103");
    }

    #[test]
    fn clusters_are_the_same_but_for_ports_when_all_else_is() {
        let own = plan(PortChoice::Topology, None).digest("sha256:1");
        assert_eq!(own, plan(PortChoice::Auto, None).digest("sha256:1"));
        assert_ne!(own, plan(PortChoice::Topology, None).digest("sha256:2"));
        assert_ne!(own, plan(PortChoice::Topology, Some(1 << 20)).digest("sha256:1"));
    }
}
