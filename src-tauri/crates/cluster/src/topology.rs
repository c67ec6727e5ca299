//! The cluster as `compose/*.yaml` describes it: members, flags, environment, and the addresses they have
//! inside Compose's network and on this host. One model for every runtime; knows none of them.

mod peer_proxy;

use std::collections::BTreeMap;
use std::str::FromStr;

use docker_compose_types::{Command, Compose, Environment, Extension, Ports, PublishedPort, Service};
use serde::Deserialize;
use serde_norway::Value;

pub use peer_proxy::PeerProxy;

/// Why a topology file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    /// It is not a Compose file.
    #[error("not a Compose file: {0}")]
    Yaml(#[from] serde_norway::Error),
    /// A service lacks something the lab needs.
    #[error("service {service}: {reason}")]
    Service {
        /// Name of the service.
        service: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no member in it.
    #[error("no service runs etcd")]
    NoMembers,
}

/// An address of a member: the same door seen from inside Compose's network and from this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Port inside the member's container.
    pub container_port: u16,
    /// Port on 127.0.0.1 of this host.
    pub host_port: u16,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Service and etcd member name.
    pub name: String,
    /// Image it runs from, in Docker.
    pub image: String,
    /// Flags as written, with addresses as seen inside Compose's network.
    pub flags: Vec<String>,
    /// Environment as written.
    pub environment: BTreeMap<String, String>,
    /// Client address.
    pub client: Endpoint,
    /// Peer address; published on no port in Docker, its host port is for native members.
    pub peer: Endpoint,
    /// gofail's address.
    pub gofail: Endpoint,
}

/// One of the lab's own topologies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopologyName {
    /// Members speak with each other directly: `compose/etcd.yaml`.
    Etcd,
    /// Members speak with each other through proxies: `compose/etcd-bridge.yaml`.
    EtcdBridge,
}

/// A cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// In the order of the file.
    pub members: Vec<Member>,
    /// What members reach their peers through; absent where they speak with each other directly.
    pub peer_proxy: Option<PeerProxy>,
    /// Heartbeat interval, milliseconds.
    pub heartbeat_ms: u32,
    /// Election time-out, milliseconds.
    pub election_ms: u32,
}

/// The lab's topology files, as they were when this program was built.
const ETCD: &str = include_str!("../../../../compose/etcd.yaml");
const ETCD_BRIDGE: &str = include_str!("../../../../compose/etcd-bridge.yaml");

/// What Compose has no place for stands under this key of a service, or of the file.
const EXTENSION: &str = "x-lab";

/// The [`EXTENSION`] of a service.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ServiceExtension {
    native_peer_port: u16,
}

/// The [`EXTENSION`] of a file.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FileExtension {
    /// The service that is no member but the proxy between them.
    peer_proxy: String,
}

/// Compose's `extends` with a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Extends {
    file: String,
    service: String,
}

impl Topology {
    /// The cluster whose members speak with each other directly.
    ///
    /// # Errors
    /// As [`Self::named`].
    pub fn etcd() -> Result<Self, TopologyError> {
        Self::named(TopologyName::Etcd)
    }

    /// One of the lab's own.
    ///
    /// # Errors
    /// When the file is not what it should be; a test keeps that from happening.
    pub fn named(name: TopologyName) -> Result<Self, TopologyError> {
        Self::parse(match name {
            TopologyName::Etcd => ETCD,
            TopologyName::EtcdBridge => ETCD_BRIDGE,
        })
    }

    /// Reads a Compose file, whose services may extend those of `etcd.yaml`.
    ///
    /// # Errors
    /// When it is not YAML, not Compose, or a member lacks a flag or a port the lab needs.
    pub fn parse(text: &str) -> Result<Self, TopologyError> {
        let mut file = merged(text)?;
        extend(&mut file)?;
        let extension: Option<FileExtension> =
            file.get(EXTENSION).cloned().map(serde_norway::from_value).transpose()?;
        let mut services = serde_norway::from_value::<Compose>(file)?.services.0;
        let proxy = extension.map(|extension| {
            // Taken out: all others are members.
            let service = services.shift_remove(&extension.peer_proxy).flatten();
            (extension.peer_proxy, service)
        });
        let members: Vec<Member> = services
            .into_iter()
            .filter_map(|(name, service)| service.map(|service| (name, service)))
            .map(|(name, service)| {
                Member::read(&name, service)
                    .map_err(|reason| TopologyError::Service { service: name, reason })
            })
            .collect::<Result<_, _>>()?;
        let first = members.first().ok_or(TopologyError::NoMembers)?;
        let (heartbeat_ms, election_ms) = timings(first)
            .map_err(|reason| TopologyError::Service { service: first.name.clone(), reason })?;
        let peer_proxy = proxy.map(|(name, service)| {
            let read = service.ok_or("there is no such service".to_owned());
            read.and_then(|service| PeerProxy::read(&name, service, &members))
                .map_err(|reason| TopologyError::Service { service: name, reason })
        });
        Ok(Self { heartbeat_ms, election_ms, members, peer_proxy: peer_proxy.transpose()? })
    }

    /// The etcd version of the first member's image, such as `3.5.9`: what is run unless another is asked for.
    pub fn etcd_version(&self) -> &str {
        let tag =
            self.members.first().and_then(|member| member.image.rsplit_once(':')).map_or("", |(_, tag)| tag);
        tag.trim_start_matches('v')
    }

    /// The member of that name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

/// A file with its anchors put in place.
pub(crate) fn merged(text: &str) -> Result<Value, TopologyError> {
    let mut value: Value = serde_norway::from_str(text)?;
    value.apply_merge()?;
    Ok(value)
}

/// Puts what services extend in place, as Compose does where a service adds to mappings only.
fn extend(file: &mut Value) -> Result<(), TopologyError> {
    let Some(services) = file.get_mut("services").and_then(Value::as_mapping_mut) else { return Ok(()) };
    let base = merged(ETCD)?;
    for (name, service) in services {
        let Some(extends) = service.as_mapping_mut().and_then(|service| service.remove("extends")) else {
            continue;
        };
        let wrong = |reason: String| TopologyError::Service {
            service: name.as_str().unwrap_or_default().to_owned(),
            reason: format!("extends: {reason}"),
        };
        let extends: Extends = serde_norway::from_value(extends).map_err(|error| wrong(error.to_string()))?;
        if extends.file != "etcd.yaml" {
            return Err(wrong(format!("only services of etcd.yaml can be, not of {}", extends.file)));
        }
        let extended = base.get("services").and_then(|services| services.get(&extends.service)).cloned();
        let mut extended =
            extended.ok_or_else(|| wrong(format!("etcd.yaml has no service {}", extends.service)))?;
        lay_over(&mut extended, std::mem::take(service));
        *service = extended;
    }
    Ok(())
}

/// Mappings are joined key by key; anything else takes the place of what was there.
fn lay_over(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Mapping(under), Value::Mapping(over)) => {
            for (key, over) in over {
                lay_over(under.entry(key).or_insert(Value::Null), over);
            }
        }
        (under, over) => *under = over,
    }
}

fn timings(member: &Member) -> Result<(u32, u32), String> {
    Ok((number_flag(member, "heartbeat-interval")?, number_flag(member, "election-timeout")?))
}

fn number_flag(member: &Member, flag: &str) -> Result<u32, String> {
    let value = member.flag(flag).ok_or_else(|| format!("--{flag} is missing"))?;
    value.parse().map_err(|_| format!("--{flag}={value} is not a number of milliseconds"))
}

impl Member {
    fn read(name: &str, service: Service) -> Result<Self, String> {
        let flags = flags(service.command)?;
        let environment = variables(service.environment);
        let key = Extension::from_str(EXTENSION).map_err(|error| error.to_string())?;
        let extension =
            service.extensions.get(&key).cloned().ok_or("x-lab with native-peer-port is missing")?;
        let extension: ServiceExtension =
            serde_norway::from_value(extension).map_err(|error| format!("x-lab: {error}"))?;
        let published = published(&service.ports)?;
        let door = |what: &str, container_port: u16| door(&published, what, container_port);
        let member = Self {
            name: name.into(),
            image: service.image.ok_or("image is missing")?,
            client: Endpoint { container_port: 0, host_port: 0 },
            peer: Endpoint { container_port: 0, host_port: extension.native_peer_port },
            gofail: Endpoint { container_port: 0, host_port: 0 },
            flags,
            environment,
        };
        if member.flag("name") != Some(name) {
            return Err(format!("--name must be the service's name, {name}"));
        }
        let url_port = |flag: &str| {
            let url = member.flag(flag).ok_or_else(|| format!("--{flag} is missing"))?;
            port_of(url).ok_or_else(|| format!("--{flag}={url} has no port"))
        };
        let gofail = member.environment.get("GOFAIL_HTTP").ok_or("GOFAIL_HTTP is missing")?;
        let gofail = port_of(gofail).ok_or_else(|| format!("GOFAIL_HTTP={gofail} has no port"))?;
        Ok(Self {
            client: door("client", url_port("listen-client-urls")?)?,
            peer: Endpoint { container_port: url_port("listen-peer-urls")?, ..member.peer },
            gofail: door("gofail", gofail)?,
            ..member
        })
    }

    /// The value of `--flag=value`.
    pub fn flag(&self, flag: &str) -> Option<&str> {
        values(&self.flags, flag).next()
    }
}

/// A service's environment.
pub(crate) fn variables(environment: Environment) -> BTreeMap<String, String> {
    match environment {
        Environment::List(lines) => lines
            .into_iter()
            .filter_map(|line| line.split_once('=').map(|(key, value)| (key.into(), value.into())))
            .collect(),
        Environment::KvPair(pairs) => {
            pairs.into_iter().filter_map(|(key, value)| value.map(|value| (key, value.to_string()))).collect()
        }
    }
}

/// A service's command, which is all flags: what they are given to is its entry point.
pub(crate) fn flags(command: Option<Command>) -> Result<Vec<String>, String> {
    match command {
        Some(Command::Args(flags)) => Ok(flags),
        Some(Command::Simple(_)) => Err("command must be a list of flags".into()),
        None => Err("command is missing".into()),
    }
}

/// Each value of `--flag=value`.
fn values<'a>(flags: &'a [String], flag: &str) -> impl Iterator<Item = &'a str> {
    flags.iter().filter_map(move |arg| arg.strip_prefix("--")?.strip_prefix(flag)?.strip_prefix('='))
}

/// A port of a container with the one on this host.
fn door(published: &BTreeMap<u16, u16>, what: &str, container_port: u16) -> Result<Endpoint, String> {
    let host_port = published.get(&container_port).copied();
    host_port
        .map(|host_port| Endpoint { container_port, host_port })
        .ok_or_else(|| format!("{what} port {container_port} is not published"))
}

/// Container port → host port, of ports published on 127.0.0.1. The lab refuses any other address: what it
/// starts is reachable from this machine only.
pub(crate) fn published(ports: &Ports) -> Result<BTreeMap<u16, u16>, String> {
    let mut published = BTreeMap::new();
    match ports {
        Ports::Short(lines) => {
            for line in lines {
                let mut parts = line.rsplit(':');
                let (container, host, address) = (parts.next(), parts.next(), parts.next());
                let number = |part: Option<&str>| part.and_then(|part| part.parse::<u16>().ok());
                match (number(container), number(host), address) {
                    (Some(container), Some(host), Some("127.0.0.1")) => published.insert(container, host),
                    _ => return Err(format!("port {line} is not of the form 127.0.0.1:HOST:CONTAINER")),
                };
            }
        }
        Ports::Long(list) => {
            for port in list {
                let host = match &port.published {
                    Some(PublishedPort::Single(host)) => *host,
                    _ => return Err(format!("port {} is not published on one port", port.target)),
                };
                if port.host_ip.as_deref() != Some("127.0.0.1") {
                    return Err(format!("port {} is not published on 127.0.0.1", port.target));
                }
                published.insert(port.target, host);
            }
        }
    }
    Ok(published)
}

/// The port at the end of `host:port` or of a URL without a path.
fn port_of(address: &str) -> Option<u16> {
    address.rsplit_once(':')?.1.trim_end_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lab_has_three_members_on_the_ports_people_know() {
        let topology = Topology::etcd().unwrap();
        let doors: Vec<_> = topology
            .members
            .iter()
            .map(|m| (m.name.as_str(), m.client.host_port, m.peer.host_port, m.gofail.host_port))
            .collect();
        assert_eq!(
            doors,
            [("etcd-1", 2379, 2380, 11180), ("etcd-2", 22379, 22380, 21180), ("etcd-3", 32379, 32380, 31180)]
        );
        assert_eq!((topology.heartbeat_ms, topology.election_ms), (250, 1250));
        assert_eq!(topology.etcd_version(), "3.5.9");
        for member in &topology.members {
            assert_eq!(member.flag("metrics"), Some("extensive"));
            assert_eq!(member.flag("initial-cluster-token"), Some("tkn"));
        }
    }

    #[test]
    fn the_bridge_is_the_same_cluster_through_proxies() {
        let (direct, mut bridge) =
            (Topology::etcd().unwrap(), Topology::named(TopologyName::EtcdBridge).unwrap());
        assert_eq!(direct.peer_proxy, None);
        let proxy = bridge.peer_proxy.take().unwrap();
        assert_eq!(
            (proxy.service.as_str(), proxy.control),
            ("links", Endpoint { container_port: 8474, host_port: 8474 })
        );
        let urls = bridge.members.iter_mut().filter_map(|member| member.environment.remove("HTTP_PROXY"));
        assert_eq!(urls.collect::<Vec<_>>(), ["http://links:8101", "http://links:8102", "http://links:8103"]);
        assert_eq!(bridge, direct);
    }

    #[test]
    fn what_an_extending_service_says_itself_counts() {
        let extend = "extends: { file: etcd.yaml, service: etcd-2 }";
        let said = format!("{extend}\n    image: lab:v3.7.3\n    stop_signal: SIGINT");
        let topology = Topology::parse(&ETCD_BRIDGE.replace(extend, &said)).unwrap();
        let member = topology.member("etcd-2").unwrap();
        assert_eq!((member.image.as_str(), member.flag("name")), ("lab:v3.7.3", Some("etcd-2")));
        let environment: Vec<_> = member.environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(environment, [("GOFAIL_HTTP", "0.0.0.0:11180"), ("HTTP_PROXY", "http://links:8102")]);
    }

    #[test]
    fn what_is_wrong_with_a_topology_is_said() {
        let direct = [
            ("--name=etcd-2", "--name=other", "service etcd-2: --name must be the service's name, etcd-2"),
            ("127.0.0.1:22379:2379", "0.0.0.0:22379:2379", "0.0.0.0:22379:2379 is not of the form"),
            ("- 127.0.0.1:31180:11180", "", "service etcd-3: gofail port 11180 is not published"),
            ("native-peer-port: 2380", "peer-port: 2380", "service etcd-1: x-lab: unknown field `peer-port`"),
            ("--heartbeat-interval=250", "--heartbeat-interval=fast", "fast is not a number"),
        ];
        let bridge = [
            ("peer-proxy: links", "peer-proxies: links", "unknown field `peer-proxies`"),
            (
                "peer-proxy: links",
                "peer-proxy: rechts",
                "service links: x-lab with native-peer-port is missing",
            ),
            (
                "entrypoint: [link-proxy]",
                "entrypoint: [bridge]",
                "service links: entrypoint must be [link-proxy]",
            ),
            ("--control=0.0.0.0:8474", "--control=0.0.0.0", "service links: --control=0.0.0.0 has no port"),
            (
                "127.0.0.1:8474:8474",
                "127.0.0.1:8474:8475",
                "service links: control port 8474 is not published",
            ),
            ("- --member=etcd-3=8103", "", "service links: --member=etcd-3=PORT is missing"),
            ("--member=etcd-3=8103", "--member=etcd-4=8103", "--member=etcd-4=8103 names no member"),
            ("--member=etcd-3=8103", "--member=etcd-3", "--member=etcd-3 is not of the form NAME=PORT"),
            ("http://links:8102", "http://links:8103", "etcd-2 must have HTTP_PROXY=http://links:8102"),
            ("file: etcd.yaml", "file: other.yaml", "service etcd-1: extends: only services of etcd.yaml"),
            ("service: etcd-3", "service: etcd-4", "extends: etcd.yaml has no service etcd-4"),
            ("service: etcd-2", "service: etcd-1", "service etcd-2: --name must be the service's name"),
            ("extends: { file: etcd.yaml, service: etcd-2 }", "extends: etcd-2", "service etcd-2: extends: "),
        ];
        let direct = direct.map(|case| (ETCD, case));
        for (good, (from, to, wanted)) in direct.into_iter().chain(bridge.map(|case| (ETCD_BRIDGE, case))) {
            let broken = good.replacen(from, to, 1);
            assert_ne!(broken, good, "{from} is not in the file");
            let error = Topology::parse(&broken).unwrap_err().to_string();
            assert!(error.contains(wanted), "{from} → {to}: {error}");
        }
    }
}
