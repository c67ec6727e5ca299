//! Prometheus and Grafana beside a cluster in Docker: the services of `compose/metrics.yaml` as containers in the
//! cluster's network, where the members' names lead to the members. They bear the cluster's labels, so they go when it
//! goes, however that ends. Refuses to know what they show, and natively run members: no container reaches 127.0.0.1 of
//! its host.

mod files;
mod service;

use std::collections::HashMap;
use std::time::Duration;

use bollard::body_full;
use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, NetworkingConfig, PortBinding, RestartPolicy,
    RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use bytes::Bytes;
use futures::future::{join_all, try_join_all};
use futures::{StreamExt, future};
use tokio::time::{Instant, sleep};

use super::image::{self, ImageError, ImageProgress};
use super::labels::{self, RUN, Role};
use super::runtime::{DONE_WITHIN, Place, is_here, taken};
use super::{Engine, refusal};
use crate::ports::{Door, FreePorts, taken_for_good};
use crate::{ClusterError, Endpoint, PortChoice, ready};
use service::Service;

/// How long they may take until they answer. Grafana makes its database at its first start.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// Between two questions to one that isn't ready.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// How many of the last lines are told of one that ended.
const LAST_LINES: &str = "20";
/// How often free ports are chosen anew when somebody was faster.
const PORT_TRIES: u32 = 3;

/// Why Prometheus and Grafana don't run.
#[derive(Debug, thiserror::Error)]
pub enum ObserversError {
    /// An image can't be had.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The engine doesn't do its part, or a port is taken.
    #[error(transparent)]
    Engine(#[from] ClusterError),
    /// One ended while it was waited for.
    #[error("{service} ended while starting ({how})")]
    Ended {
        /// Which.
        service: String,
        /// Such as "exit code 1".
        how: String,
        /// The end of its log, oldest line first.
        log: Vec<String>,
    },
    /// One did not answer in time.
    #[error("{service} was not ready after {waited_s} s")]
    NotReady {
        /// Which.
        service: String,
        /// How long it was waited for, seconds.
        waited_s: u64,
        /// The end of its log, oldest line first.
        log: Vec<String>,
    },
}

/// What is done now.
#[derive(Clone, Debug, PartialEq)]
pub enum ObserversProgress {
    /// An image that the engine doesn't have is fetched.
    Pulling {
        /// The image.
        reference: String,
        /// How far that is.
        progress: ImageProgress,
    },
    /// A container is made and started.
    Starting {
        /// Which service.
        service: String,
    },
    /// They are given time until they answer.
    Waiting {
        /// Those that don't answer yet.
        services: Vec<String>,
    },
}

/// Hears what is done.
pub type OnObserversProgress<'a> = dyn Fn(ObserversProgress) + Send + Sync + 'a;

/// Prometheus and Grafana that answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observers {
    /// `http://127.0.0.1:9090`.
    pub prometheus_url: String,
    /// `http://127.0.0.1:3000`.
    pub grafana_url: String,
    /// Who logs in to Grafana.
    pub user: String,
    /// With which password.
    pub password: String,
}

/// Starts both beside the cluster, in place of any that are there, and waits until they answer. After an error none of
/// them is left. Who drops the future half-way calls [`stop`] afterwards.
///
/// # Errors
/// See [`ObserversError`].
pub async fn start(
    place: &Place,
    ports: PortChoice,
    progress: &OnObserversProgress<'_>,
) -> Result<Observers, ObserversError> {
    stop(place).await?;
    let services = service::services().map_err(ClusterError::from)?;
    for service in &services {
        have_image(&place.engine, &service.image, progress).await?;
    }
    let mut tries = 0;
    let started = loop {
        tries += 1;
        match start_all(place, &services, ports, progress).await {
            Err(ObserversError::Engine(ClusterError::PortsTaken(_)))
                if ports == PortChoice::Auto && tries < PORT_TRIES =>
            {
                stop(place).await?;
            }
            result => break result,
        }
    };
    if started.is_err() {
        // Why they can't be removed either is told when the cluster is.
        let _ = stop(place).await;
    }
    started
}

/// Removes both. `Ok` when none of them is left.
///
/// # Errors
/// When the engine doesn't answer, or doesn't remove one.
pub async fn stop(place: &Place) -> Result<(), ClusterError> {
    let (engine, client) = (&place.engine, place.engine.client());
    let options = ListContainersOptionsBuilder::new().all(true);
    let options = options.filters(&labels::bearing(RUN, Some(&place.run.name))).build();
    let doing = "remove Prometheus and Grafana";
    let found = refusal::ask(engine, DONE_WITHIN, doing, client.list_containers(Some(options))).await?;
    let ours = found
        .into_iter()
        .filter(|one| one.labels.as_ref().is_some_and(|labels| labels::is(Role::Observer, labels)));
    let removed = ours.filter_map(|one| one.id).map(|id| async move {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match client.remove_container(&id, Some(options)).await {
            Err(error) if refusal::is_absent(&error) => Ok(()),
            result => result,
        }
    });
    refusal::ask(engine, DONE_WITHIN, doing, try_join_all(removed)).await?;
    Ok(())
}

/// Fetches an image unless the engine has it.
async fn have_image(
    engine: &Engine,
    reference: &str,
    progress: &OnObserversProgress<'_>,
) -> Result<(), ImageError> {
    if image::look(engine, reference).await?.is_some() {
        return Ok(());
    }
    image::pull(engine, reference, &|how_far| {
        progress(ObserversProgress::Pulling { reference: reference.to_owned(), progress: how_far });
    })
    .await
}

async fn start_all(
    place: &Place,
    services: &[Service],
    choice: PortChoice,
    progress: &OnObserversProgress<'_>,
) -> Result<Observers, ObserversError> {
    let mut free = FreePorts::default();
    let mut doors = Vec::new();
    for service in services {
        let port = match choice {
            PortChoice::Topology => service.port.host_port,
            PortChoice::Auto => free.next().map_err(ClusterError::NoFreePorts)?,
        };
        doors.push(Door { of: service.name.clone(), what: "web", port });
    }
    drop(free);
    if is_here(&place.engine.info().endpoint) {
        let taken = taken_for_good(&doors).await;
        if !taken.is_empty() {
            return Err(ClusterError::PortsTaken(taken).into());
        }
    }
    let mut started = Vec::new();
    for (service, door) in services.iter().zip(doors) {
        progress(ObserversProgress::Starting { service: service.name.clone() });
        started.push(Started::make(place, service, door).await?);
    }
    wait_until_ready(&started, progress).await?;
    let url = |name: &str| {
        let found = started.iter().find(|one| one.service.name == name);
        found.map(|one| one.url.clone()).unwrap_or_default()
    };
    let setting = |key: &str| {
        services.iter().find_map(|service| service.environment.get(key)).cloned().unwrap_or_default()
    };
    Ok(Observers {
        prometheus_url: url("prometheus"),
        grafana_url: url("grafana"),
        user: setting("GF_SECURITY_ADMIN_USER"),
        password: setting("GF_SECURITY_ADMIN_PASSWORD"),
    })
}

/// A container that was started.
struct Started<'a> {
    engine: &'a Engine,
    service: &'a Service,
    id: String,
    url: String,
}

/// What is known of one that was asked.
enum Answer {
    Ready,
    NotYet,
    Ended(String),
}

impl<'a> Started<'a> {
    /// Makes a container, gives it its files and starts it.
    async fn make(place: &'a Place, service: &'a Service, door: Door) -> Result<Self, ClusterError> {
        let (engine, client) = (&place.engine, place.engine.client());
        let name = &service.name;
        let doing = format!("make {name}");
        let options = CreateContainerOptionsBuilder::new().name(&place.run.name_of(name)).build();
        let made = client.create_container(Some(options), body(place, service, door.port));
        let id = refusal::ask(engine, DONE_WITHIN, &doing, made).await?.id;

        let files = files::archive(&service.folders).map(Bytes::from).map_err(|error| {
            ClusterError::EngineRefused { doing: doing.clone(), reason: error.to_string() }
        })?;
        let options = UploadToContainerOptionsBuilder::new().path("/").build();
        let given = client.upload_to_container(&id, Some(options), body_full(files));
        refusal::ask(engine, DONE_WITHIN, &doing, given).await?;

        let url = format!("http://127.0.0.1:{}", door.port);
        // A port may be somebody's by now, which only the engine's own words tell.
        let mut in_the_way = false;
        let doing = format!("start {name}");
        let started = refusal::ask(engine, DONE_WITHIN, &doing, async {
            let result = client.start_container(&id, None).await;
            in_the_way = result.as_ref().is_err_and(|error| refusal::taken_port(error) == Some(door.port));
            result
        });
        match started.await {
            Err(_) if in_the_way => Err(ClusterError::PortsTaken(vec![taken(door)])),
            Err(error) => Err(error),
            Ok(()) => Ok(Self { engine, service, id, url }),
        }
    }

    async fn ask(&self, http: &reqwest::Client) -> Result<Answer, ClusterError> {
        let doing = format!("look at {}", self.service.name);
        let looked = self.engine.client().inspect_container(&self.id, None);
        let state = refusal::ask(self.engine, DONE_WITHIN, &doing, looked).await?.state.unwrap_or_default();
        if state.running == Some(false) {
            let code = state.exit_code.unwrap_or_default();
            return Ok(Answer::Ended(format!("exit code {code}")));
        }
        let question = http.get(format!("{}{}", self.url, self.service.ready));
        let answered = question.timeout(Duration::from_secs(2)).send().await;
        let well = answered.is_ok_and(|answer| answer.status().is_success());
        Ok(if well { Answer::Ready } else { Answer::NotYet })
    }

    /// The end of its log, as far as the engine still tells.
    async fn last_lines(&self) -> Vec<String> {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(LAST_LINES).build();
        let told = self.engine.client().logs(&self.id, Some(options));
        let chunks =
            told.take_while(|chunk| future::ready(chunk.is_ok())).filter_map(|chunk| async { chunk.ok() });
        let text: String = chunks.map(|chunk| chunk.to_string()).collect().await;
        text.lines().map(str::to_owned).collect()
    }
}

async fn wait_until_ready(
    started: &[Started<'_>],
    progress: &OnObserversProgress<'_>,
) -> Result<(), ObserversError> {
    let http = ready::http();
    let deadline = Instant::now() + READY_WITHIN;
    let mut waited_for: Vec<&Started> = started.iter().collect();
    let mut told = 0;
    loop {
        if told != waited_for.len() {
            told = waited_for.len();
            let services = waited_for.iter().map(|one| one.service.name.clone()).collect();
            progress(ObserversProgress::Waiting { services });
        }
        let answers = join_all(waited_for.iter().map(|one| one.ask(&http))).await;
        let mut missing = Vec::new();
        for (one, answer) in waited_for.into_iter().zip(answers) {
            match answer? {
                Answer::Ready => {}
                Answer::NotYet => missing.push(one),
                Answer::Ended(how) => {
                    let (service, log) = (one.service.name.clone(), one.last_lines().await);
                    return Err(ObserversError::Ended { service, how, log });
                }
            }
        }
        let Some(first) = missing.first() else { return Ok(()) };
        if Instant::now() > deadline {
            let (service, log) = (first.service.name.clone(), first.last_lines().await);
            return Err(ObserversError::NotReady { service, waited_s: READY_WITHIN.as_secs(), log });
        }
        waited_for = missing;
        sleep(ASK_EVERY).await;
    }
}

/// What the engine is asked to make.
fn body(place: &Place, service: &Service, host_port: u16) -> ContainerCreateBody {
    let Endpoint { container_port, .. } = service.port;
    let inside = format!("{container_port}/tcp");
    let here = PortBinding { host_ip: Some("127.0.0.1".into()), host_port: Some(host_port.to_string()) };
    let mut labels = place.run.labels(Role::Observer);
    labels.extend([labels::of_port("web", host_port)]);
    let by_name = EndpointSettings { aliases: Some(vec![service.name.clone()]), ..Default::default() };
    ContainerCreateBody {
        hostname: Some(service.name.clone()),
        image: Some(service.image.clone()),
        cmd: (!service.flags.is_empty()).then(|| service.flags.clone()),
        env: Some(service.environment.iter().map(|(key, value)| format!("{key}={value}")).collect()),
        labels: Some(labels),
        exposed_ports: Some(vec![inside.clone()]),
        host_config: Some(HostConfig {
            tmpfs: Some(service.in_memory.clone()),
            network_mode: Some(place.run.network()),
            port_bindings: Some(HashMap::from([(inside, Some(vec![here]))])),
            restart_policy: Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::NO),
                maximum_retry_count: None,
            }),
            ..HostConfig::default()
        }),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(place.run.network(), by_name)])),
        }),
        ..ContainerCreateBody::default()
    }
}
