//! What a person is told when something of Docker's is in the way. Every code begins with `docker-`; where the lab could
//! do without Docker, the next step says so.

use std::io;
use std::path::Path;

use lab_cluster::ClusterError;
use lab_cluster::docker::image::ImageError;
use lab_cluster::docker::observers::ObserversError;
use lab_cluster::docker::{EngineError, LEAST_API};

use super::Problem;
use crate::api::{ImageWork, ImageWorkKind};

/// What goes without an engine.
const OR_NATIVE: &str = "or start without Docker: `--runtime native`, or Native in the window.";

/// No engine can be used.
pub fn engine(error: &EngineError) -> Problem {
    let problem = match error {
        EngineError::Missing { .. } => Problem::new(
            "docker-missing",
            "There is no Docker engine on this machine.",
            format!(
                "Install one (on Debian and Ubuntu `sudo apt-get install docker.io`, elsewhere Docker Desktop), {OR_NATIVE}"
            ),
        ),
        EngineError::NotRunning { endpoint, .. } => Problem::new(
            "docker-not-running",
            format!("The Docker engine at {endpoint} does not run."),
            format!("Start it (`sudo systemctl start docker`, or open Docker Desktop), {OR_NATIVE}"),
        ),
        EngineError::NotPermitted { endpoint } => Problem::new(
            "docker-not-permitted",
            format!("You may not use the Docker engine at {endpoint}."),
            format!("Run `sudo usermod -aG docker $USER`, log out and in again and start anew, {OR_NATIVE}"),
        ),
        EngineError::TooOld { endpoint, version, api_version } => Problem::new(
            "docker-too-old",
            format!(
                "The Docker engine at {endpoint} is too old: version {version} speaks API {api_version}, and {LEAST_API} \
                 is the oldest that the lab speaks."
            ),
            format!("Install Docker 20.10 or newer, {OR_NATIVE}"),
        ),
        EngineError::Unreachable { endpoint, .. } => Problem::new(
            "docker-unreachable",
            format!("The Docker engine at {endpoint} can't be reached."),
            format!("See whether `docker version` reaches it, {OR_NATIVE}"),
        ),
        EngineError::BadAddress { address, .. } => Problem::new(
            "docker-bad-address",
            format!("{address} can't be used as the address of a Docker engine."),
            format!(
                "Correct DOCKER_HOST or choose another context (`docker context use default`), {OR_NATIVE}"
            ),
        ),
    };
    problem.detail(error)
}

/// Code of [`engine_lost`].
const ENGINE_LOST: &str = "docker-engine-lost";

/// The engine went while members ran.
pub fn engine_lost(endpoint: &str) -> Problem {
    Problem::new(
        ENGINE_LOST,
        format!("The Docker engine at {endpoint} has stopped, and all members with it."),
        "Start it again (`sudo systemctl start docker`, or open Docker Desktop): once it answers, the lab goes on with the \
         members and their data.",
    )
}

/// Whether that is what happened.
pub fn is_engine_lost(problem: &Problem) -> bool {
    problem.code == ENGINE_LOST
}

/// An image that the engine doesn't have, and why it can't be built.
pub fn image_absent(reference: &str, error: ImageError) -> Problem {
    let why = match &error {
        ImageError::Program(ClusterError::BinaryMissing { name, .. }) => {
            format!("the program {name} that belongs into it is not there")
        }
        ImageError::Program(ClusterError::BinaryUnusable { reason, .. }) => reason.clone(),
        other => other.to_string(),
    };
    Problem::new(
        "docker-image-absent",
        format!("The image {reference} is not in the engine and can't be built: {why}."),
        format!(
            "In a checkout, run `make image`; or read it from a file that another machine has saved (`etcd-labctl image \
             load FILE`), {OR_NATIVE}"
        ),
    )
    .detail(error)
}

/// None of the lab's images is there.
pub fn no_images() -> Problem {
    Problem::new(
        "docker-image-absent",
        "The engine has none of the lab's images.",
        "Build one first: `etcd-labctl image build`.",
    )
}

/// What went wrong with an image, or with the file it is carried in.
pub fn image(subject: &str, error: ImageError) -> Problem {
    let detail = error.to_string();
    let problem = match error {
        ImageError::Program(_) => return image_absent(subject, error),
        ImageError::File { path, source } => image_file(&path, &source),
        ImageError::Absent(reference) => Problem::new(
            "docker-image-absent",
            format!("The engine has no image {reference}."),
            "Build it first: `etcd-labctl image build`.",
        ),
        ImageError::EngineDiskFull(_) => disk_full(),
        ImageError::EngineLost(_) => Problem::new(
            "docker-unreachable",
            format!("The Docker engine went away while it worked on {subject}."),
            format!("Start it (`sudo systemctl start docker`, or open Docker Desktop), {OR_NATIVE}"),
        ),
        ImageError::NotFetched { reference, .. } => Problem::new(
            "docker-image-unreachable",
            format!("{reference} is not in the engine and could not be fetched."),
            format!(
                "Connect this machine to the network, or carry the image here: `docker save {reference} -o FILE` where it \
                 is, `docker load -i FILE` here."
            ),
        ),
        ImageError::NotAnArchive { path, .. } => Problem::new(
            "docker-no-archive",
            format!("{} holds no images.", path.display()),
            "Name a file that `etcd-labctl image save` or `docker save` wrote.",
        ),
        ImageError::Refused(_) => Problem::new(
            "docker-image-failed",
            format!("The engine could not do that with {subject}."),
            "The detail is what it says.",
        ),
    };
    problem.detail(detail)
}

/// A file for images that can't be read or written.
fn image_file(path: &Path, error: &io::Error) -> Problem {
    let path = path.display();
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return Problem::new(
            "disk-full",
            format!("There is no room left for {path}; nothing of it was kept."),
            "Make room on that disk, or name a file on another; an image takes some 70 MB.",
        );
    }
    let sentence = match error.kind() {
        io::ErrorKind::NotFound => format!("{path}: there is no such file or folder."),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("{path} may not be used by you.")
        }
        io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => format!("{path} is not a file."),
        _ => format!("{path} can't be used."),
    };
    Problem::new("docker-image-file", sentence, "Correct the path, or name another file.")
}

/// What only a cluster in Docker meets.
pub(super) fn in_docker(error: ClusterError) -> Problem {
    let detail = error.to_string();
    let problem = match error {
        ClusterError::ImageAbsent { reference } => Problem::new(
            "docker-image-absent",
            format!("The engine has no image {reference}."),
            "Build it first: `etcd-labctl image build`.",
        ),
        ClusterError::EngineFull { .. } => disk_full(),
        ClusterError::EngineLost { endpoint, .. } => Problem::new(
            "docker-unreachable",
            format!("The Docker engine at {endpoint} does not answer any more."),
            format!("Start it again (`sudo systemctl start docker`, or open Docker Desktop), {OR_NATIVE}"),
        ),
        ClusterError::EngineRefused { doing, reason } => Problem::new(
            "docker-refused",
            format!("The Docker engine could not {doing}: {}.", reason.trim_end_matches('.')),
            format!("See `docker info` and `docker ps --all`, {OR_NATIVE}"),
        ),
        ClusterError::NoWatcher { .. } => Problem::new(
            "docker-no-watcher",
            "The program that removes the containers should the lab be killed can't be started, so none was made.",
            format!("End some programs and try again, {OR_NATIVE}"),
        ),
        other => super::cluster(other),
    };
    problem.detail(detail)
}

/// Prometheus and Grafana that could not be started.
pub fn observers(error: ObserversError) -> Problem {
    let detail = error.to_string();
    let (sentence, service, log) = match error {
        ObserversError::Image(error) => return image("The image of Prometheus or Grafana", error),
        ObserversError::Engine(error) => return super::cluster(error),
        ObserversError::Ended { service, how, log } => (
            format!("{service} ended while it started ({how}). Neither Prometheus nor Grafana runs."),
            service,
            log,
        ),
        ObserversError::NotReady { service, waited_s, log } => {
            let sentence =
                format!("{service} did not answer within {waited_s} s. Neither Prometheus nor Grafana runs.");
            (sentence, service, log)
        }
    };
    Problem::new("docker-observers-failed", sentence, "Its last log lines are below; switch them on again.")
        .detail(detail)
        .member(&service, log)
}

/// They are being started already.
pub fn observers_busy() -> Problem {
    Problem::new(
        "docker-observers-busy",
        "Prometheus and Grafana are being started just now.",
        "Wait until they answer, or stop them.",
    )
}

/// They were asked for beside members that are processes of this machine.
pub fn observers_need_docker() -> Problem {
    Problem::new(
        "docker-observers-native",
        "Prometheus and Grafana run beside members in Docker; from a container, members on this machine can't be reached.",
        "Start the cluster in Docker, or let a Grafana of this machine ask the lab itself: `etcd-labctl up --serve \
         127.0.0.1:9099`.",
    )
}

/// The engine's disk has no room.
pub fn disk_full() -> Problem {
    Problem::new(
        "docker-disk-full",
        "The disk of the Docker engine is full.",
        "Make room there: `docker system df` says what takes it, `docker system prune` removes what nothing uses.",
    )
}

/// An image is worked on already.
pub fn image_busy(work: &ImageWork) -> Problem {
    let doing = match work.kind {
        ImageWorkKind::Build => "built",
        ImageWorkKind::Save => "saved",
        ImageWorkKind::Load => "loaded",
        ImageWorkKind::Pull => "fetched",
    };
    Problem::new(
        "docker-image-busy",
        format!("{} is being {doing} just now.", work.subject),
        "Wait until that is done, then try again.",
    )
}

/// An option that members in Docker can't follow; `flag` is its name in the terminal.
pub fn not_in_docker(flag: &str) -> Problem {
    Problem::new(
        "docker-no-such-option",
        format!(
            "{flag} is for members that run as processes: in Docker, data lies in volumes that go with the cluster."
        ),
        "Leave it out, or start without Docker: `--runtime native`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_code_of_its_own_and_offers_to_go_without_docker() {
        let endpoint = || String::from("unix:///var/run/docker.sock");
        let errors = [
            EngineError::Missing { tried: vec![endpoint()] },
            EngineError::NotRunning { endpoint: endpoint(), reason: "refused".into() },
            EngineError::NotPermitted { endpoint: endpoint() },
            EngineError::TooOld {
                endpoint: endpoint(),
                version: "18.09.1".into(),
                api_version: "1.39".into(),
            },
            EngineError::Unreachable { endpoint: endpoint(), reason: "timed out".into() },
            EngineError::BadAddress { address: "gopher://x".into(), reason: "unknown".into() },
        ];
        let problems: Vec<Problem> = errors.iter().map(engine).collect();
        let mut codes: Vec<&str> = problems.iter().map(|problem| problem.code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), errors.len());
        for problem in &problems {
            assert!(
                problem.code.starts_with("docker-") && problem.next.contains("--runtime native"),
                "{problem}"
            );
        }
    }
}
