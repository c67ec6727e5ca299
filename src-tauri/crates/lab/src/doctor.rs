//! What a machine lacks for the lab, and what mends it.

use lab_cluster::Topology;
use lab_cluster::native::{Binaries, Program, ports_taken};

use crate::api::DoctorLine;
use crate::{home, problems};

/// Looks at everything that a start needs. May take a moment: it asks the system who listens where.
pub fn examine(binaries: &Binaries, topology: &Topology) -> Vec<DoctorLine> {
    let mut lines = Vec::new();
    let mut versions = binaries.versions();
    let default = topology.etcd_version().to_owned();
    if !versions.contains(&default) {
        versions.push(default);
    }
    for version in &versions {
        for (program, what) in [(Program::Etcd, "etcd"), (Program::Etcdctl, "etcdctl")] {
            let what = format!("{what} {version} with failpoints");
            lines.push(match binaries.find(program, version) {
                Ok(path) => good(what, path.display().to_string()),
                Err(error) => {
                    let problem = problems::cluster(error);
                    bad(what, problem.sentence, problem.next)
                }
            });
        }
    }
    lines.push(folder());
    let taken = ports_taken(topology);
    if taken.is_empty() {
        lines.push(good("ports of the members".into(), "all free".into()));
    }
    for port in taken {
        let mend = "end that program, or use `etcd-labctl up --ports auto`";
        lines.push(DoctorLine {
            optional: true,
            ..bad(format!("port {}", port.port), port.to_string(), mend.into())
        });
    }
    lines.push(open_files());
    lines
}

fn folder() -> DoctorLine {
    let what = String::from("the lab's folder");
    let base = match home::base() {
        Ok(base) => base,
        Err(problem) => return bad(what, problem.sentence, problem.next),
    };
    let writable = std::fs::create_dir_all(&base).and_then(|()| tempfile::tempfile_in(&base));
    match writable {
        Ok(_) => good(what, format!("{} can be written", base.display())),
        Err(error) => {
            let problem = problems::folder(&base, &error);
            bad(what, problem.sentence, "choose another with ETCD_LAB_HOME".into())
        }
    }
}

/// A thousand connections and the members' own files.
const WANTED_FILES: u64 = 4_096;

fn open_files() -> DoctorLine {
    let what = String::from("open files");
    match rlimit::Resource::NOFILE.get() {
        Ok((_, hard)) if hard >= WANTED_FILES => good(what, format!("up to {hard}")),
        Ok((_, hard)) => DoctorLine {
            optional: true,
            ..bad(
                what,
                format!("at most {hard}"),
                format!("`ulimit -Hn {WANTED_FILES}`, for 1000 connections"),
            )
        },
        Err(error) => DoctorLine { optional: true, ..bad(what, format!("unknown: {error}"), String::new()) },
    }
}

fn good(what: String, found: String) -> DoctorLine {
    DoctorLine { ok: true, optional: false, what, found, mend: String::new() }
}

fn bad(what: String, found: String, mend: String) -> DoctorLine {
    DoctorLine { ok: false, optional: false, what, found, mend }
}
