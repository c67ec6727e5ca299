//! Prometheus and Grafana as `compose/metrics.yaml` describes them, which is where their versions, ports and settings are
//! written. Knows no engine.

use std::collections::{BTreeMap, HashMap};

use docker_compose_types::{Compose, HealthcheckTest, Service as Described, Tmpfs, Volumes};

use super::files;
use crate::topology::{flags, merged, published, variables};
use crate::{Endpoint, TopologyError};

/// The file, as it was when this program was built.
const METRICS: &str = include_str!("../../../../../../compose/metrics.yaml");

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// Its name, by which others of the cluster's network reach it.
    pub name: String,
    /// Its image, with the version.
    pub image: String,
    /// What its image's own program is given; the image's own when empty.
    pub flags: Vec<String>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Folders of this repository, and where it looks for each.
    pub folders: Vec<(String, String)>,
    /// Where it keeps what goes with it in memory, with the options of the mount.
    pub in_memory: HashMap<String, String>,
    /// Where it is reached.
    pub port: Endpoint,
    /// The path that answers well when it is ready.
    pub ready: String,
}

/// All services of the file, in its order.
pub(super) fn services() -> Result<Vec<Service>, TopologyError> {
    parse(METRICS)
}

fn parse(text: &str) -> Result<Vec<Service>, TopologyError> {
    let compose: Compose = serde_norway::from_value(merged(text)?)?;
    let described = compose.services.0.into_iter().filter_map(|(name, service)| Some((name, service?)));
    described
        .map(|(name, service)| {
            Service::read(&name, service)
                .map_err(|reason| TopologyError::Service { service: name.clone(), reason })
        })
        .collect()
}

impl Service {
    fn read(name: &str, service: Described) -> Result<Self, String> {
        let mut ports = published(&service.ports)?.into_iter();
        let (Some((container_port, host_port)), None) = (ports.next(), ports.next()) else {
            return Err("exactly one port must be published".into());
        };
        let test = service.healthcheck.and_then(|check| check.test);
        let Some(HealthcheckTest::Multiple(test)) = test else {
            return Err("healthcheck with a list as its test is missing".into());
        };
        let url = test.last().map(String::as_str).unwrap_or_default();
        let ready = url
            .split_once(&format!("://127.0.0.1:{container_port}/"))
            .map(|(_, path)| format!("/{path}"))
            .ok_or_else(|| format!("healthcheck must end with a URL of port {container_port}, not {url}"))?;
        let in_memory = match service.tmpfs {
            None => Vec::new(),
            Some(Tmpfs::Simple(one)) => vec![one],
            Some(Tmpfs::List(all)) => all,
        };
        Ok(Self {
            name: name.to_owned(),
            image: service.image.ok_or("image is missing")?,
            flags: if service.command.is_some() { flags(service.command)? } else { Vec::new() },
            environment: variables(service.environment),
            folders: service.volumes.iter().map(folder).collect::<Result<_, _>>()?,
            in_memory: in_memory.iter().map(|mount| cut(mount)).collect(),
            port: Endpoint { container_port, host_port },
            ready,
        })
    }
}

/// A folder of ours and where it is mounted.
fn folder(volume: &Volumes) -> Result<(String, String), String> {
    let Volumes::Simple(line) = volume else {
        return Err("a volume must be of the form FOLDER:PATH:ro".into());
    };
    let mut parts = line.split(':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(source), Some(target), Some("ro"), None) if !files::below(source).is_empty() => {
            Ok((source.to_owned(), target.to_owned()))
        }
        _ => Err(format!("volume {line} is not a folder of the lab's, as FOLDER:PATH:ro")),
    }
}

/// The path and the options of a mount in memory.
fn cut(mount: &str) -> (String, String) {
    let (path, options) = mount.split_once(':').unwrap_or((mount, ""));
    (path.to_owned(), options.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_are_pinned_and_on_the_ports_people_know() {
        let services = services().unwrap();
        let known: Vec<_> =
            services.iter().map(|one| (one.name.as_str(), one.port.host_port, one.ready.as_str())).collect();
        assert_eq!(known, [("prometheus", 9090, "/-/ready"), ("grafana", 3000, "/api/health")]);
        for service in &services {
            let tag = service.image.rsplit_once(':').unwrap().1;
            let numbers = tag.trim_start_matches('v').split('.').filter(|part| part.parse::<u32>().is_ok());
            assert_eq!(numbers.count(), 3, "{} is no exact version", service.image);
        }
        let grafana = &services[1].environment;
        assert_eq!(
            (&*grafana["GF_SECURITY_ADMIN_USER"], &*grafana["GF_SECURITY_ADMIN_PASSWORD"]),
            ("admin", "foobar")
        );
    }

    #[test]
    fn prometheus_keeps_its_samples_in_memory_and_finds_its_configuration() {
        let prometheus = services().unwrap().remove(0);
        assert!(prometheus.flags.contains(&"--storage.tsdb.path=/prometheus".to_owned()), "{prometheus:?}");
        assert_eq!(prometheus.in_memory["/prometheus"], "uid=65534,gid=65534,size=1g");
        assert_eq!(prometheus.folders, [("../prometheus".to_owned(), "/etc/prometheus".to_owned())]);
    }

    #[test]
    fn what_is_wrong_with_the_file_is_said() {
        let cases = [
            ("127.0.0.1:9090:9090", "9090:9090", "service prometheus: port 9090:9090 is not of the form"),
            (
                "9090/-/ready",
                "9091/-/ready",
                "service prometheus: healthcheck must end with a URL of port 9090",
            ),
            ("../grafana/dashboards:", "../dashboards:", "service grafana: volume ../dashboards:"),
            ("dashboards:ro", "dashboards", "is not a folder of the lab's, as FOLDER:PATH:ro"),
        ];
        for (from, to, wanted) in cases {
            let broken = METRICS.replacen(from, to, 1);
            assert_ne!(broken, METRICS, "{from} is not in the file");
            let error = parse(&broken).unwrap_err().to_string();
            assert!(error.contains(wanted), "{from} → {to}: {error}");
        }
    }
}
