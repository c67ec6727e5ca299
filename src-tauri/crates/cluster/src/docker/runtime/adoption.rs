//! Going on with the cluster of a lab that was killed, where its person chose so.

use bollard::models::ContainerSummary;

use super::plan::Plan;
use crate::ClusterError;
use crate::PortChoice;
use crate::docker::Engine;
use crate::docker::labels::{self, AfterKill, Holder, PLAN, Run};
use crate::docker::leftovers::{self, Things};

/// A cluster that was taken over: what it is, and the id of each container in the order of the plan.
pub(super) struct Adopted {
    pub run: Run,
    pub plan: Plan,
    pub ids: Vec<String>,
}

/// Takes over a cluster that a killed lab left for that, if it is the one planned and this start wants the same done
/// with its own; everything else that labs of the same home left is removed.
///
/// # Errors
/// When the engine doesn't answer, or doesn't remove something.
pub(super) async fn adopt(
    engine: &Engine,
    holder: &Holder,
    plan: &Plan,
    digest: &str,
    choice: PortChoice,
) -> Result<Option<Adopted>, ClusterError> {
    let mut adopted = None;
    for (things, was) in leftovers::of_home(engine, &holder.home).await? {
        // This lab has no cluster while it starts one: an earlier one could not be removed when it was stopped.
        let own = (was.pid, &was.lab_id) == (holder.pid, &holder.lab_id);
        if was.is_alive() && !own {
            continue;
        }
        // Both must have chosen so: who doesn't, such as one who plays a scenario, counts on fresh data.
        let chosen = [was.after_kill, holder.after_kill] == [AfterKill::Adopt; 2];
        let fits =
            (adopted.is_none() && chosen && !own).then(|| fitting(&things, plan, digest, choice)).flatten();
        // Also what is to be removed: another start may be about to take it over.
        match (leftovers::claim(engine, &things, holder).await?, fits) {
            (Some(run), Some((plan, ids))) => adopted = Some(Adopted { run, plan, ids }),
            (Some(run), None) => leftovers::remove_run(engine, &run.name).await?,
            (None, _) => {}
        }
    }
    Ok(adopted)
}

/// The plan with the ports that these containers have, and their ids; `None` when they aren't what is planned.
fn fitting(things: &Things, plan: &Plan, digest: &str, choice: PortChoice) -> Option<(Plan, Vec<String>)> {
    let mut fitted = plan.clone();
    let mut ids = Vec::new();
    for planned in &mut fitted.containers {
        let of_name = |one: &&ContainerSummary| {
            one.labels.as_ref().is_some_and(|labels| {
                labels.get(PLAN).is_some_and(|of| of == digest)
                    && labels::is(planned.role, labels)
                    && labels::member(labels) == Some(&planned.name)
            })
        };
        let container = things.containers.iter().find(of_name)?;
        // Of one that has ended the engine tells no ports; its labels do.
        let labels = container.labels.as_ref()?;
        for port in &mut planned.ports {
            port.here = labels::port(labels, port.what)?;
        }
        ids.push(container.id.clone()?);
    }
    (choice == PortChoice::Auto || fitted == *plan).then_some((fitted, ids))
}
