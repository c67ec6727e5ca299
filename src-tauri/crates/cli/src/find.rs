//! Finding the lab that a command is meant for: the app's or another terminal's.

use lab::api::Problem;
use lab::home::{self, Found};
use lab::{Asker, Events, control, problems};
use lab_cluster::{Member, Node, Topology};

/// Which lab.
#[derive(clap::Args, Debug, Default)]
pub struct Which {
    /// Id of the lab, where several run.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
}

/// The one lab meant.
///
/// # Errors
/// When none runs, or several do and none was named.
pub fn lab(which: &Which) -> Result<Found, Problem> {
    let mut alive: Vec<Found> = home::find(&home::base()?).into_iter().filter(|found| found.alive).collect();
    if let Some(id) = &which.id {
        alive.retain(|found| &found.record.id == id);
    }
    match alive.len() {
        1 => Ok(alive.remove(0)),
        0 if which.id.is_some() => Err(Problem::new(
            "no-such-lab",
            format!("No lab with id {} runs.", which.id.as_deref().unwrap_or_default()),
            "`etcd-labctl status` without --id shows the one that runs.",
        )),
        0 => Err(Problem::new("no-lab", "No lab runs.", "Start one: `etcd-labctl up`, or the app.")),
        // An app that only stands open is not what is meant when some other lab has a cluster.
        _ => {
            let with_cluster: Vec<Found> =
                alive.iter().filter(|found| !found.record.nodes.is_empty()).cloned().collect();
            if let [one] = with_cluster.as_slice() {
                return Ok(one.clone());
            }
            let ids: Vec<&str> = alive.iter().map(|found| found.record.id.as_str()).collect();
            Err(Problem::new(
                "several-labs",
                format!("{} labs run: {}.", ids.len(), ids.join(", ")),
                "Name one with --id.",
            ))
        }
    }
}

/// Speaks with the one lab meant.
///
/// # Errors
/// As [`lab`], and when it does not answer.
pub async fn connect(which: &Which) -> Result<(Asker, Events), Problem> {
    control::connect(&lab(which)?.socket()).await
}

/// As [`connect`], for who only asks.
///
/// # Errors
/// As [`connect`].
pub async fn asker(which: &Which) -> Result<Asker, Problem> {
    connect(which).await.map(|(asker, _events)| asker)
}

/// Client addresses to use where a person gives none: those of the one cluster that runs here, or else the ones that
/// the topology has.
///
/// # Errors
/// When several clusters run.
pub fn endpoints() -> Result<Vec<String>, Problem> {
    let found = home::base().map(|base| home::find(&base)).unwrap_or_default();
    let running: Vec<Found> =
        found.into_iter().filter(|found| found.alive && !found.record.nodes.is_empty()).collect();
    match running.as_slice() {
        [] => {
            let topology = Topology::etcd().map_err(|error| problems::cluster(error.into()))?;
            let of_member = |member: &Member| format!("127.0.0.1:{}", member.client.host_port);
            Ok(topology.members.iter().map(of_member).collect())
        }
        [one] => {
            let address = |node: &Node| node.client.trim_start_matches("http://").to_owned();
            Ok(one.record.nodes.iter().map(address).collect())
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|found| found.record.id.as_str()).collect();
            Err(Problem::new(
                "several-labs",
                format!("{} labs run: {}.", ids.len(), ids.join(", ")),
                "Name the members of one with --endpoints.",
            ))
        }
    }
}
