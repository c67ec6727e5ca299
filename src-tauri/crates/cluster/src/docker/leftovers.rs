//! What labs have in an engine: finding it by its labels, answering for what a dead lab left, and removing it.
//! `etcd-labctl down`, a start that finds what a killed lab left, a stop, and the watcher all remove by this.
//!
//! Labels can't be changed, so who answers for a dead lab's cluster from now on, to go on with it or to remove it, says so
//! by a volume that holds nothing: the engine makes one of a name only once, so of two that try at the same time one
//! succeeds.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::errors::Error as ApiError;
use bollard::models::{ContainerSummary, Network, Volume, VolumeCreateRequest};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder,
};
use futures::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use super::labels::{self, AfterKill, Holder, RUN, Role, Run};
use super::runtime::DONE_WITHIN;
use super::{Engine, refusal};
use crate::ClusterError;

/// How long removing is tried until it is given up.
const REMOVE_WITHIN: Duration = Duration::from_secs(30);
/// Between two rounds: the engine refuses a volume whose container it is still taking down.
const TRY_EVERY: Duration = Duration::from_millis(100);
/// How long one question to the engine may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A cluster in an engine whose lab is dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Id of the lab.
    pub lab_id: String,
    /// Process id that its program had.
    pub pid: u32,
    /// Whether it was left for the next start to go on with.
    pub after_kill: AfterKill,
    /// How many containers there are.
    pub containers: usize,
    /// How many volumes.
    pub volumes: usize,
    /// How many networks.
    pub networks: usize,
    /// Which cluster it is.
    run: String,
    /// Folder of all labs of that person.
    home: PathBuf,
}

/// All things of one cluster.
#[derive(Debug, Default)]
pub(super) struct Things {
    /// Which cluster.
    pub run: String,
    pub containers: Vec<ContainerSummary>,
    pub volumes: Vec<Volume>,
    pub networks: Vec<Network>,
}

impl Things {
    /// Who answers for them: who took them over last, if anybody did, else who made them.
    pub fn holder(&self) -> Option<Holder> {
        let taken_over = self.generation().and_then(|(_, volume)| Holder::of(&volume.labels));
        taken_over.or_else(|| self.labels().find_map(Holder::of))
    }

    /// How often they were taken over, and the mark of the last time.
    pub fn generation(&self) -> Option<(u32, &Volume)> {
        let marks = self.volumes.iter().filter(|volume| labels::is(Role::Holder, &volume.labels));
        marks
            .filter_map(|volume| Some((volume.name.rsplit_once('-')?.1.parse().ok()?, volume)))
            .max_by_key(|(number, _)| *number)
    }

    fn labels(&self) -> impl Iterator<Item = &HashMap<String, String>> {
        let of_containers = self.containers.iter().filter_map(|one| one.labels.as_ref());
        let of_networks = self.networks.iter().filter_map(|one| one.labels.as_ref());
        of_containers.chain(of_networks).chain(self.volumes.iter().map(|one| &one.labels))
    }

    fn is_empty(&self) -> bool {
        self.containers.is_empty() && self.volumes.is_empty() && self.networks.is_empty()
    }
}

/// What labs of the person whose labs are in `home` left behind: those whose program, on this machine, runs no more.
///
/// # Errors
/// When the engine doesn't answer.
pub async fn find(engine: &Engine, home: &Path) -> Result<Vec<Leftover>, ClusterError> {
    let mut found = of_home(engine, home).await?;
    found.retain(|(_, holder)| !holder.is_alive());
    Ok(found.iter().map(|(things, holder)| leftover(things, holder)).collect())
}

/// Removes one, unless a start has taken it over meanwhile. `Ok` when nothing of it is left, or that is so.
///
/// # Errors
/// When the engine doesn't answer, or doesn't remove something.
pub async fn remove(engine: &Engine, leftover: &Leftover) -> Result<(), ClusterError> {
    let things = list(engine, Some(&leftover.run)).await?;
    if things.is_empty() || things.holder().is_some_and(|holder| holder.is_alive()) {
        return Ok(());
    }
    let here = Holder::here(&leftover.lab_id, &leftover.home, AfterKill::Remove);
    match claim(engine, &things, &here).await? {
        Some(run) => remove_run(engine, &run.name).await,
        None => Ok(()),
    }
}

/// Says that `holder` answers for the cluster from now on; `None` when another was faster.
pub(super) async fn claim(
    engine: &Engine,
    things: &Things,
    holder: &Holder,
) -> Result<Option<Run>, ClusterError> {
    let run = Run { name: things.run.clone(), holder: holder.clone() };
    let number = things.generation().map_or(1, |(number, _)| number + 1);
    let wanted: HashMap<String, String> = run.labels(Role::Holder);
    let mark = VolumeCreateRequest {
        name: Some(run.name_of(&format!("holder-{number}"))),
        labels: Some(wanted.clone()),
        ..VolumeCreateRequest::default()
    };
    let made = engine.client().create_volume(mark);
    let made = refusal::ask(engine, DONE_WITHIN, "take over the cluster of a killed lab", made).await?;
    Ok((made.labels == wanted).then_some(run))
}

fn leftover(things: &Things, holder: &Holder) -> Leftover {
    Leftover {
        lab_id: holder.lab_id.clone(),
        pid: holder.pid,
        after_kill: holder.after_kill,
        containers: things.containers.len(),
        volumes: things.volumes.len(),
        networks: things.networks.len(),
        run: things.run.clone(),
        home: holder.home.clone(),
    }
}

/// All clusters of labs of the person whose labs are in `home`, on this machine, and who answers for them.
pub(super) async fn of_home(engine: &Engine, home: &Path) -> Result<Vec<(Things, Holder)>, ClusterError> {
    let home = whole(home);
    let mut runs: BTreeMap<String, Things> = BTreeMap::new();
    let all = list(engine, None).await?;
    for one in all.containers {
        if let Some(things) = one.labels.as_ref().and_then(|labels| of_run(&mut runs, labels)) {
            things.containers.push(one);
        }
    }
    for one in all.volumes {
        if let Some(things) = of_run(&mut runs, &one.labels) {
            things.volumes.push(one);
        }
    }
    for one in all.networks {
        if let Some(things) = one.labels.as_ref().and_then(|labels| of_run(&mut runs, labels)) {
            things.networks.push(one);
        }
    }
    let held = runs.into_values().filter_map(|things| things.holder().map(|holder| (things, holder)));
    Ok(held.filter(|(_, holder)| holder.is_of(&home)).collect())
}

/// Where what bears these labels belongs.
fn of_run<'a>(
    runs: &'a mut BTreeMap<String, Things>,
    labels: &HashMap<String, String>,
) -> Option<&'a mut Things> {
    let run = labels.get(RUN)?;
    Some(runs.entry(run.clone()).or_insert_with(|| Things { run: run.clone(), ..Things::default() }))
}

/// The same folder by one name, however it is reached.
pub(super) fn whole(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

/// Removes all that belongs to a cluster. `Ok` when nothing of it is left.
///
/// # Errors
/// When the engine doesn't answer, or doesn't remove something in time.
pub(super) async fn remove_run(engine: &Engine, run: &str) -> Result<(), ClusterError> {
    let deadline = Instant::now() + REMOVE_WITHIN;
    loop {
        let things = list(engine, Some(run)).await?;
        if things.is_empty() {
            return Ok(());
        }
        let once = timeout(DONE_WITHIN, remove_once(engine, &things));
        let refused = once.await.map_err(|_| refusal::silent(engine, DONE_WITHIN))?;
        if Instant::now() > deadline {
            let doing = "remove what belongs to the cluster";
            return Err(match refused {
                Some(error) => refusal::told(engine, doing, &error),
                None => ClusterError::EngineRefused {
                    doing: doing.into(),
                    reason: format!("some of it is still there after {} s", REMOVE_WITHIN.as_secs()),
                },
            });
        }
        sleep(TRY_EVERY).await;
    }
}

/// Asks the engine to remove each of these; returns one of its refusals, if there was any.
async fn remove_once(engine: &Engine, things: &Things) -> Option<ApiError> {
    let client = engine.client();
    let with_force = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    let removed = join_all(things.containers.iter().filter_map(|one| one.id.as_deref()).map(|id| {
        let options = with_force.clone();
        async move { client.remove_container(id, Some(options)).await }
    }))
    .await;
    let mut refused = removed.into_iter().find_map(|result| result.err().filter(|error| !is_gone(error)));
    // Only what no container uses any more can go.
    for id in things.networks.iter().filter_map(|one| one.id.as_deref()) {
        refused =
            client.remove_network(id).await.err().filter(|error| !refusal::is_absent(error)).or(refused);
    }
    for volume in &things.volumes {
        let options = RemoveVolumeOptionsBuilder::new().force(true).build();
        let result = client.remove_volume(&volume.name, Some(options)).await;
        refused = result.err().filter(|error| !refusal::is_absent(error)).or(refused);
    }
    refused
}

/// Gone, or being removed by somebody else: the next look tells.
fn is_gone(error: &ApiError) -> bool {
    refusal::is_absent(error) || refusal::is_conflict(error)
}

/// All that bears a cluster's label, or the label of any.
pub(super) async fn list(engine: &Engine, run: Option<&str>) -> Result<Things, ClusterError> {
    let client = engine.client();
    let filters = labels::bearing(RUN, run);
    let containers = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let volumes = ListVolumesOptionsBuilder::new().filters(&filters).build();
    let networks = ListNetworksOptionsBuilder::new().filters(&filters).build();
    let asked = async {
        Ok(Things {
            run: run.unwrap_or_default().to_owned(),
            containers: client.list_containers(Some(containers)).await?,
            volumes: client.list_volumes(Some(volumes)).await?.volumes.unwrap_or_default(),
            networks: client.list_networks(Some(networks)).await?,
        })
    };
    refusal::ask(engine, ANSWER_WITHIN, "list what belongs to the lab", asked).await
}
