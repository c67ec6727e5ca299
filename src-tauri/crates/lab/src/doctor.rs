//! What a machine lacks for the lab, and what mends it.

use lab_cluster::Topology;
use lab_cluster::native::{Binaries, Program, ports_taken};

use crate::api::{DockerView, DoctorLine, ImageView, Problem};
use crate::{docker, home, problems};

/// Looks at everything that a start needs, natively and in Docker.
///
/// # Errors
/// When this program is ending.
pub async fn examine(binaries: &Binaries, topology: &Topology) -> Result<Vec<DoctorLine>, Problem> {
    // It asks the system who listens where, which may take a moment.
    let (its_binaries, its_topology) = (binaries.clone(), topology.clone());
    let machine = tokio::task::spawn_blocking(move || examine_machine(&its_binaries, &its_topology));
    let (machine, docker) = tokio::join!(machine, docker::view(binaries, topology));
    let mut lines = machine.map_err(|_| problems::lab_ended())?;
    lines.extend(examine_docker(&docker));
    Ok(lines)
}

fn examine_machine(binaries: &Binaries, topology: &Topology) -> Vec<DoctorLine> {
    let mut lines = Vec::new();
    let mut versions = binaries.versions();
    let default = topology.etcd_version().to_owned();
    if !versions.contains(&default) {
        versions.push(default);
    }
    for version in &versions {
        let programs = [
            (Program::Etcd, format!("etcd {version} with failpoints")),
            (Program::Etcdctl, format!("etcdctl {version}")),
        ];
        for (program, what) in programs {
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

/// What a start in Docker needs. All of it is optional: the lab runs members without it.
fn examine_docker(docker: &DockerView) -> Vec<DoctorLine> {
    let what = String::from("Docker engine");
    let engine = match (&docker.engine, &docker.problem) {
        (Some(engine), _) => good(
            what,
            format!(
                "{} {} at {}, API {}, {}",
                engine.product, engine.version, engine.endpoint, engine.api_version, engine.platform
            ),
        ),
        (None, Some(problem)) => {
            let mend = problem.next.clone();
            DoctorLine { optional: true, ..bad(what, problem.sentence.clone(), mend) }
        }
        (None, None) => DoctorLine { optional: true, ..bad(what, "unknown".into(), String::new()) },
    };
    std::iter::once(engine).chain(docker.images.iter().map(image)).collect()
}

fn image(image: &ImageView) -> DoctorLine {
    let what = format!("image {}", image.reference);
    let build = format!("`etcd-labctl image build --etcd {}`", image.etcd_version);
    let (found, mend) = match (&image.present, image.buildable) {
        (Some(present), _) if present.current != Some(false) => {
            let unit = lab_dashboards::Unit::from_grafana("decbytes");
            let size = lab_dashboards::format_value(&unit, present.size_bytes as f64, None);
            return good(what, format!("there, {size}"));
        }
        (Some(_), true) => ("it holds other programs than this lab has", build),
        (Some(_), false) => ("it holds other programs than this lab has", String::new()),
        (None, true) => ("not built yet", format!("{build}; a start in Docker builds it, too")),
        (None, false) => (
            "absent, and the programs for it are too",
            "`make etcd`, or `etcd-labctl image load FILE` where another machine has saved it".into(),
        ),
    };
    DoctorLine { optional: true, ..bad(what, found.into(), mend) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{EngineView, PresentImage};

    #[test]
    fn without_docker_nothing_is_missing_and_what_mends_it_is_said() {
        let problem = Problem::new("docker-missing", "There is none.", "Install one.");
        let view = DockerView { engine: None, problem: Some(problem), images: Vec::new() };
        let [line] = examine_docker(&view).try_into().unwrap();
        assert!(!line.ok && line.optional && line.mend == "Install one.", "{line:?}");
    }

    #[test]
    fn an_image_is_as_it_should_be_or_the_command_is_named_that_builds_it() {
        let present = |current| Some(PresentImage { id: "sha256:1".into(), size_bytes: 71_000_000, current });
        let line = |present, buildable| {
            let reference = "etcd-metrics-lab/etcd:v3.5.9".into();
            image(&ImageView { etcd_version: "3.5.9".into(), reference, present, buildable })
        };
        let there = line(present(Some(true)), true);
        assert!(there.ok && there.found == "there, 71 MB", "{there:?}");
        assert!(line(present(None), false).ok, "loaded from a file, and nothing to compare it with");
        for (line, mend) in [
            (line(present(Some(false)), true), "image build --etcd 3.5.9"),
            (line(None, true), "image build --etcd 3.5.9"),
            (line(None, false), "image load"),
        ] {
            assert!(!line.ok && line.optional && line.mend.contains(mend), "{line:?}");
        }
    }

    #[test]
    fn an_engine_is_told_with_where_it_is_and_what_it_speaks() {
        let engine = EngineView {
            endpoint: "unix:///var/run/docker.sock".into(),
            product: "Docker Engine".into(),
            version: "20.10.24".into(),
            api_version: "1.41".into(),
            platform: "linux/amd64".into(),
        };
        let view = DockerView { engine: Some(engine), problem: None, images: Vec::new() };
        let [line] = examine_docker(&view).try_into().unwrap();
        assert_eq!(
            line.found,
            "Docker Engine 20.10.24 at unix:///var/run/docker.sock, API 1.41, linux/amd64"
        );
    }
}
