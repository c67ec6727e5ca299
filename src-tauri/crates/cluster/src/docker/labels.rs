//! What the lab's things in Docker bear, so that each is known by what it says of itself: whose it is, which cluster it
//! belongs to, and which program answers for it. What doesn't bear these labels is not touched.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::process::{Pid, test_kill_process};

/// Id of the lab that made it.
pub(super) const ID: &str = "metrics-lab.id";
/// The cluster that it belongs to. A lab that is stopped and started makes another, and must not meet the remover of
/// the one before.
pub(super) const RUN: &str = "metrics-lab.run";
/// Folder of all labs of the person that it belongs to.
const HOME: &str = "metrics-lab.home";
/// Name of the machine on which the program runs that answers for it.
const HOST: &str = "metrics-lab.host";
/// Process id of that program.
const HOST_PID: &str = "metrics-lab.host-pid";
/// When that program was started, as its system counts: process ids are given out again.
const HOST_BORN: &str = "metrics-lab.host-born";
/// What becomes of it when that program is killed.
const AFTER_KILL: &str = "metrics-lab.after-kill";
/// What it is for: see [`Role`].
const ROLE: &str = "metrics-lab.role";
/// The member that it is, or belongs to.
const MEMBER: &str = "metrics-lab.member";
/// With what it is for added, a port of this host that leads to it.
const PORT: &str = "metrics-lab.port";
/// Digest of all that makes a cluster the same as another.
pub(super) const PLAN: &str = "metrics-lab.plan";

/// What becomes of the containers when the program that holds the lab is killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterKill {
    /// They are removed within seconds.
    #[default]
    Remove,
    /// They run on, and the next start of the same cluster with this choice goes on with them.
    Adopt,
}

impl fmt::Display for AfterKill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Remove => "remove",
            Self::Adopt => "adopt",
        })
    }
}

impl FromStr for AfterKill {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Remove, Self::Adopt].into_iter().find(|one| one.to_string() == text).ok_or(())
    }
}

/// What a thing of the lab's is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is a member.
    Member,
    /// It is a member's data.
    Data,
    /// Everything of the cluster is in it.
    Network,
    /// The proxies between members.
    Links,
    /// It watches the cluster: Prometheus or Grafana.
    Observer,
    /// It only says who answers for a cluster that was taken over.
    Holder,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Member => "member",
            Self::Data => "data",
            Self::Network => "network",
            Self::Links => "links",
            Self::Observer => "observer",
            Self::Holder => "holder",
        })
    }
}

/// The program that answers for a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// Id of its lab.
    pub lab_id: String,
    /// Folder of all labs of that person.
    pub home: PathBuf,
    /// Name of its machine.
    pub host: String,
    /// Its process id.
    pub pid: u32,
    /// When it was started; empty where the system doesn't tell.
    pub born: String,
    /// What is to become of the cluster when it is killed.
    pub after_kill: AfterKill,
}

impl Holder {
    /// This program, for a lab of the person whose labs are in `home`.
    pub fn here(lab_id: &str, home: &Path, after_kill: AfterKill) -> Self {
        let pid = std::process::id();
        Self {
            lab_id: lab_id.to_owned(),
            home: home.to_owned(),
            host: this_host(),
            pid,
            born: seen(pid).map(|seen| seen.born).unwrap_or_default(),
            after_kill,
        }
    }

    /// Who answers for what bears these labels.
    pub fn of(labels: &HashMap<String, String>) -> Option<Self> {
        let text = |key: &str| labels.get(key).cloned();
        Some(Self {
            lab_id: text(ID)?,
            home: text(HOME)?.into(),
            host: text(HOST)?,
            pid: text(HOST_PID)?.parse().ok()?,
            born: text(HOST_BORN)?,
            after_kill: text(AFTER_KILL)?.parse().ok()?,
        })
    }

    /// Whether it is of this machine, and of the person whose labs are in `home`.
    pub fn is_of(&self, home: &Path) -> bool {
        self.home == home && self.host == this_host()
    }

    /// Whether the program still runs. To be asked only of one on this machine.
    pub fn is_alive(&self) -> bool {
        match seen(self.pid) {
            // Who has ended and is not yet fetched by its parent has its entry, and does nothing any more.
            Some(seen) => !seen.ended && (self.born.is_empty() || seen.born == self.born),
            None => {
                let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
                // Who may not be signalled is there.
                pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
            }
        }
    }

    fn labels(&self) -> [(&'static str, String); 6] {
        [
            (ID, self.lab_id.clone()),
            (HOME, self.home.display().to_string()),
            (HOST, self.host.clone()),
            (HOST_PID, self.pid.to_string()),
            (HOST_BORN, self.born.clone()),
            (AFTER_KILL, self.after_kill.to_string()),
        ]
    }
}

/// One cluster in Docker: how its things are called and what they bear.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// Names it among all clusters of all labs.
    pub name: String,
    /// Who answers for it.
    pub holder: Holder,
}

impl Run {
    /// A cluster that isn't there yet.
    pub fn new(holder: Holder) -> Self {
        let name = format!("{}-{:04x}", holder.lab_id, rand::random::<u16>());
        Self { name, holder }
    }

    /// The name of one of its things.
    pub fn name_of(&self, thing: &str) -> String {
        format!("metrics-lab-{}-{thing}", self.name)
    }

    /// The name of its network.
    pub fn network(&self) -> String {
        format!("metrics-lab-{}", self.name)
    }

    /// What one of its things bears.
    pub fn labels(&self, role: Role) -> HashMap<String, String> {
        let of_holder = self.holder.labels().map(|(key, value)| (key.to_owned(), value));
        let own = [(RUN.to_owned(), self.name.clone()), (ROLE.to_owned(), role.to_string())];
        of_holder.into_iter().chain(own).collect()
    }

    /// What one of a member's things bears.
    pub fn labels_of_member(&self, role: Role, member: &str) -> HashMap<String, String> {
        let mut labels = self.labels(role);
        labels.insert(MEMBER.to_owned(), member.to_owned());
        labels
    }
}

/// What these labels say it is for.
pub(super) fn is(role: Role, labels: &HashMap<String, String>) -> bool {
    labels.get(ROLE).is_some_and(|text| *text == role.to_string())
}

/// The member that these labels name.
pub(super) fn member(labels: &HashMap<String, String>) -> Option<&str> {
    labels.get(MEMBER).map(String::as_str)
}

/// The label of a port of this host, and its value.
pub(super) fn of_port(what: &str, port: u16) -> (String, String) {
    (format!("{PORT}.{what}"), port.to_string())
}

/// The port of this host that these labels name for `what`.
pub(super) fn port(labels: &HashMap<String, String>, what: &str) -> Option<u16> {
    labels.get(&of_port(what, 0).0)?.parse().ok()
}

/// What the engine is to list: all that bears this label, with this value where one is given.
pub(super) fn bearing(label: &str, value: Option<&str>) -> HashMap<&'static str, Vec<String>> {
    let wanted = value.map_or_else(|| label.to_owned(), |value| format!("{label}={value}"));
    HashMap::from([("label", vec![wanted])])
}

fn this_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// A process, as Linux shows it.
struct Seen {
    ended: bool,
    /// When it was started, in ticks since the system was.
    born: String,
}

/// Fields 3 and 22 of `/proc/PID/stat` (proc(5)). The name before may hold anything but ends with the last `)`.
fn seen(pid: u32) -> Option<Seen> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    Some(Seen { ended, born: fields.nth(18)?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bears_labels_tells_who_answers_for_it() {
        let holder = Holder::here("4f2a", Path::new("/home/p/labs"), AfterKill::Adopt);
        let run = Run::new(holder.clone());
        let labels = run.labels_of_member(Role::Data, "etcd-2");
        assert_eq!(Holder::of(&labels), Some(holder.clone()));
        assert_eq!((member(&labels), is(Role::Data, &labels)), (Some("etcd-2"), true));
        assert!(holder.is_of(Path::new("/home/p/labs")) && !holder.is_of(Path::new("/home/q/labs")));
        assert_eq!(Holder::of(&HashMap::from([(ID.to_owned(), "4f2a".to_owned())])), None);
    }

    #[test]
    fn a_process_id_that_was_given_out_again_is_not_taken_for_the_holder() {
        let here = Holder::here("4f2a", Path::new("/"), AfterKill::Remove);
        assert!(here.is_alive());
        if cfg!(target_os = "linux") {
            assert!(!Holder { born: "1".into(), ..here.clone() }.is_alive());
        }
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert!(!Holder { pid: child.id(), ..here }.is_alive());
    }
}
