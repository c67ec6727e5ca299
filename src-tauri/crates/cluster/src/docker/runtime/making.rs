//! Making a cluster afresh, or going on with one that a killed lab left for that.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bollard::errors::Error as ApiError;
use bollard::models::{ContainerStateStatusEnum as Status, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::CreateContainerOptionsBuilder;
use tokio::time::timeout;

use super::adoption::{self, Adopted};
use super::cluster::{Cluster, Inner};
use super::plan::{Plan, Planned};
use super::{DONE_WITHIN, is_here, lookout, taken};
use crate::docker::labels::{AfterKill, Holder, Role, Run};
use crate::docker::watch::Watcher;
use crate::docker::{image, leftovers, refusal};
use crate::log::put_aside;
use crate::ports::{self, Door};
use crate::{ClusterError, PortChoice};

/// How often free ports are chosen anew when somebody was faster.
const PORT_TRIES: u32 = 3;

impl Inner {
    /// As [`Self::make`], for a runtime that may be dropped meanwhile.
    pub(super) async fn make_unless_dropped(self: Arc<Self>) -> Result<(), ClusterError> {
        let made = Arc::clone(&self).make().await;
        if self.dropped.load(Ordering::Acquire) {
            self.let_go();
        }
        made
    }

    /// Makes the cluster, or takes over one, until all its containers are started. What was made by then stays after an
    /// error.
    async fn make(self: Arc<Self>) -> Result<(), ClusterError> {
        let (config, engine) = (&self.config, &self.config.engine);
        let reference = image::reference(&config.topology, &config.version);
        let image_id = match timeout(DONE_WITHIN, engine.client().inspect_image(&reference)).await {
            Ok(Ok(image)) => image.id.unwrap_or_default(),
            Ok(Err(error)) if refusal::is_absent(&error) => {
                return Err(ClusterError::ImageAbsent { reference });
            }
            Ok(Err(error)) => return Err(refusal::told(engine, "look for the members' image", &error)),
            Err(_) => return Err(refusal::silent(engine, DONE_WITHIN)),
        };
        let home = leftovers::whole(config.folder.parent().unwrap_or(&config.folder));
        let holder = Holder::here(&config.lab_id, &home, config.after_kill);
        let plan = Plan::new(&config.topology, &reference, config.quota_bytes, config.ports)
            .map_err(ClusterError::NoFreePorts)?;
        let digest = plan.digest(&image_id);
        self.prepare_logs(&plan)?;
        match adoption::adopt(engine, &holder, &plan, &digest, config.ports).await? {
            Some(Adopted { run, plan, ids }) => {
                self.enter(run, digest).await?;
                self.go_on(&plan, ids).await
            }
            None => {
                self.enter(Run::new(holder), digest).await?;
                self.make_afresh(plan).await
            }
        }
    }

    /// Logs of the run before go aside.
    fn prepare_logs(&self, plan: &Plan) -> Result<(), ClusterError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ClusterError::Folder { path, source }
        };
        let folder = self.config.folder.join("logs");
        std::fs::create_dir_all(&folder).map_err(failed(&folder))?;
        for planned in &plan.containers {
            let log = self.log_path(&planned.name);
            put_aside(&log).map_err(failed(&log))?;
        }
        Ok(())
    }

    /// Before the first thing of a cluster is made: who removes it, and who looks after it.
    async fn enter(self: &Arc<Self>, run: Run, digest: String) -> Result<(), ClusterError> {
        let name = run.name.clone();
        // First of all: whatever goes wrong from here on, one that was taken over is removed.
        *self.cluster() = Some(Cluster { run, digest, watcher: None, lookout: None });
        let watcher = match self.config.after_kill {
            AfterKill::Adopt => None,
            AfterKill::Remove => {
                let log = self.log_path("watcher");
                Some(Watcher::start(&self.config.watcher, &self.config.engine, &name, &log).await?)
            }
        };
        self.set_lost(false);
        let lookout = tokio::spawn(lookout::keep(Arc::clone(self), name)).abort_handle();
        match self.cluster().as_mut() {
            Some(cluster) => (cluster.watcher, cluster.lookout) = (watcher, Some(lookout)),
            // The runtime was dropped meanwhile, and its watcher is by this.
            None => lookout.abort(),
        }
        self.unless_called_off()
    }

    async fn make_afresh(&self, mut plan: Plan) -> Result<(), ClusterError> {
        let (run, _) = self.identity()?;
        let client = self.config.engine.client();
        let mut tries = 0;
        loop {
            tries += 1;
            let network = NetworkCreateRequest {
                name: run.network(),
                driver: Some("bridge".into()),
                labels: Some(run.labels(Role::Network)),
                ..NetworkCreateRequest::default()
            };
            let made = async {
                self.free(&plan.doors()).await?;
                self.unless_called_off()?;
                self.ask("make a network", client.create_network(network)).await?;
                for planned in &plan.containers {
                    self.unless_called_off()?;
                    let id = self.create(planned).await?;
                    self.launch(planned, &id, 0).await?;
                }
                Ok(())
            }
            .await;
            match made {
                // Somebody was faster. What is there is of no use: a container keeps the ports it was made with.
                Err(ClusterError::PortsTaken(_))
                    if self.config.ports == PortChoice::Auto && tries < PORT_TRIES =>
                {
                    self.expect_ends();
                    self.forget_launched();
                    leftovers::remove_run(&self.config.engine, &run.name).await?;
                    plan.choose_free_ports().map_err(ClusterError::NoFreePorts)?;
                }
                made => return made,
            }
        }
    }

    /// Goes on with containers that are there, whatever they are doing.
    async fn go_on(&self, plan: &Plan, ids: Vec<String>) -> Result<(), ClusterError> {
        for (planned, id) in plan.containers.iter().zip(ids) {
            self.unless_called_off()?;
            let doing = format!("go on with {}", planned.name);
            let client = self.config.engine.client();
            let found = self.ask(&doing, client.inspect_container(&id, None)).await?;
            match found.state.and_then(|state| state.status) {
                Some(Status::RUNNING) => self.note_launched(planned, &id, 0),
                Some(Status::PAUSED) => {
                    self.ask(&doing, client.unpause_container(&id)).await?;
                    self.note_launched(planned, &id, 0);
                }
                _ => self.launch(planned, &id, 0).await?,
            }
        }
        Ok(())
    }

    /// Sees to it that nobody listens on these ports of this host. Of an engine elsewhere only that engine can tell.
    async fn free(&self, doors: &[Door]) -> Result<(), ClusterError> {
        if !is_here(&self.config.engine.info().endpoint) {
            return Ok(());
        }
        let taken = ports::taken_for_good(doors).await;
        if taken.is_empty() { Ok(()) } else { Err(ClusterError::PortsTaken(taken)) }
    }

    /// Makes a container and the volume for its data; returns its id.
    pub(super) async fn create(&self, planned: &Planned) -> Result<String, ClusterError> {
        let (run, digest) = self.identity()?;
        let client = self.config.engine.client();
        let doing = format!("make {}", planned.name);
        if let Some(volume) = planned.volume(&run) {
            let volume = VolumeCreateRequest {
                name: Some(volume),
                labels: Some(run.labels_of_member(Role::Data, &planned.name)),
                ..VolumeCreateRequest::default()
            };
            self.ask(&doing, client.create_volume(volume)).await?;
        }
        let options = CreateContainerOptionsBuilder::new().name(&run.name_of(&planned.name)).build();
        let body = planned.body(&run, &digest);
        Ok(self.ask(&doing, client.create_container(Some(options), body)).await?.id)
    }

    /// Starts a container, of whose output so many bytes are in its log already.
    pub(super) async fn launch(&self, planned: &Planned, id: &str, in_log: u64) -> Result<(), ClusterError> {
        let started = timeout(DONE_WITHIN, self.config.engine.client().start_container(id, None)).await;
        let engine = &self.config.engine;
        match started {
            Ok(Ok(())) => {}
            // It runs already.
            Ok(Err(ApiError::DockerResponseServerError { status_code: 304, .. })) => {}
            Ok(Err(error)) => {
                let door = refusal::taken_port(&error)
                    .and_then(|port| planned.doors().find(|door| door.port == port));
                return Err(door.map_or_else(
                    || refusal::told(engine, &format!("start {}", planned.name), &error),
                    |door| ClusterError::PortsTaken(vec![taken(door)]),
                ));
            }
            Err(_) => return Err(refusal::silent(engine, DONE_WITHIN)),
        }
        self.note_launched(planned, id, in_log);
        Ok(())
    }
}
