//! Images on a real engine. Packing doesn't look into programs, so most of these pack small stand-ins that only look
//! like programs; one packs those of the lab, which `make image` builds, and runs them.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

mod engine;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use lab_cluster::Topology;
use lab_cluster::docker::Engine;
use lab_cluster::docker::image::{self, ImageError, ImageProgress, Parts, Platform};
use lab_cluster::native::Binaries;

use engine::engine;

fn unheard(_: ImageProgress) {}

/// An image of this test's own, which goes with it.
struct Image {
    reference: String,
}

impl Image {
    /// Names differ from run to run, so that what an interrupted run left is in nobody's way.
    fn named(test: &str) -> Self {
        Self { reference: format!("etcd-metrics-lab/test-{test}-{}:v3.5.9", std::process::id()) }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        docker(&["image", "rm", "--force", &self.reference]);
    }
}

fn docker(arguments: &[&str]) -> Output {
    Command::new("docker").args(arguments).output().unwrap()
}

/// Files that begin as programs for `machine` (ELF's `e_machine`) do; `more` tells one test's from another's.
fn stand_ins(folder: &Path, machine: u8, more: &str) -> Binaries {
    let mut head = vec![0x7f, b'E', b'L', b'F'];
    head.resize(20, 0);
    head[18] = machine;
    for name in ["etcd-3.5.9", "etcdctl-3.5.9", "benchmark-3.5.9", "bridge-3.5.9", "link-proxy"] {
        let path = folder.join(format!("etcd-lab-{name}"));
        let mut program = head.clone();
        program.extend_from_slice(more.as_bytes());
        // Larger than one chunk of a transfer.
        program.resize(300 * 1024, 7);
        std::fs::write(&path, program).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    Binaries::in_folders(vec![folder.to_owned()])
}

const X86_64: u8 = 0x3e;
const AARCH64: u8 = 0xb7;

/// Builds an image of stand-ins for the engine's own processor.
async fn build(engine: &Engine, image: &Image, folder: &Path) -> Parts {
    let platform = Platform::of(engine.info()).unwrap();
    let machine = if platform == Platform::Amd64 { X86_64 } else { AARCH64 };
    let parts = Parts::find(&stand_ins(folder, machine, &image.reference), "3.5.9", platform).unwrap();
    image::build(engine, &parts, &image.reference, &unheard).await.unwrap();
    parts
}

#[tokio::test]
async fn a_built_image_is_current_until_a_program_changes() {
    let Some(engine) = engine().await else { return };
    let (dir, image) = (tempfile::tempdir().unwrap(), Image::named("current"));
    assert_eq!(image::look(&engine, &image.reference).await.unwrap(), None);

    let parts = build(&engine, &image, dir.path()).await;
    let built = image::look(&engine, &image.reference).await.unwrap().unwrap();
    assert_eq!(built.inputs, Some(parts.inputs().await.unwrap()));
    assert_eq!(built.platform, parts.platform().to_string());
    assert!(built.size_bytes > 5 * 300 * 1024, "{} bytes", built.size_bytes);

    let steps = Mutex::new(Vec::new());
    let progress = |step: ImageProgress| steps.lock().unwrap().push(step);
    image::build(&engine, &parts, &image.reference, &progress).await.unwrap();
    let again = image::look(&engine, &image.reference).await.unwrap().unwrap();
    assert_eq!(again.id, built.id, "the same programs made another image");
    let steps = steps.into_inner().unwrap();
    assert!(steps.iter().any(|step| step.step.starts_with("COPY bin/")), "{steps:?}");
    assert!(steps.iter().filter_map(|step| step.done).is_sorted(), "{steps:?}");

    std::fs::write(dir.path().join("etcd-lab-bridge-3.5.9"), "another").unwrap();
    assert_ne!(Some(parts.inputs().await.unwrap()), built.inputs);
    image::build(&engine, &parts, &image.reference, &unheard).await.unwrap();
    let anew = image::look(&engine, &image.reference).await.unwrap().unwrap();
    assert_ne!(anew.id, built.id);
    assert_eq!(
        image::look(&engine, &built.id).await.unwrap(),
        None,
        "the older image was left without a name"
    );
}

#[tokio::test]
async fn an_image_that_the_lab_did_not_make_loses_its_name_and_no_more() {
    let Some(engine) = engine().await else { return };
    let (dir, image) = (tempfile::tempdir().unwrap(), Image::named("others"));
    let archive = dir.path().join("tree.tar");
    let (tree, archive) = (dir.path().to_str().unwrap(), archive.to_str().unwrap());
    std::fs::write(dir.path().join("file"), &image.reference).unwrap();
    assert!(Command::new("tar").args(["-C", tree, "-cf", archive, "file"]).status().unwrap().success());
    assert!(docker(&["import", archive, &image.reference]).status.success());
    let before = image::look(&engine, &image.reference).await.unwrap().unwrap();

    build(&engine, &image, dir.path()).await;
    let after = image::look(&engine, &before.id).await.unwrap();
    docker(&["image", "rm", &before.id]);
    assert_eq!(after, Some(before));
}

#[tokio::test]
async fn an_image_says_what_it_is() {
    let Some(engine) = engine().await else { return };
    let (dir, image) = (tempfile::tempdir().unwrap(), Image::named("labels"));
    build(&engine, &image, dir.path()).await;
    let inspected = docker(&["image", "inspect", &image.reference]);
    let inspected: serde_json::Value = serde_json::from_slice(&inspected.stdout).unwrap();
    let config = &inspected[0]["Config"];
    assert_eq!(config["Labels"]["org.opencontainers.image.version"], "3.5.9");
    assert_eq!(config["Labels"]["org.opencontainers.image.licenses"], "Apache-2.0");
    assert!(config["Labels"]["org.opencontainers.image.source"].is_string(), "{config}");
    assert_eq!(config["StopSignal"], "SIGTERM");
    assert_eq!(config["Env"], serde_json::json!(["PATH=/usr/local/bin"]));
    assert!(config["Volumes"].is_null() && config["Entrypoint"].is_null(), "{config}");
}

#[tokio::test]
async fn an_image_for_another_processor_says_so() {
    let Some(engine) = engine().await else { return };
    let (dir, image) = (tempfile::tempdir().unwrap(), Image::named("foreign"));
    let (foreign, machine) = match Platform::of(engine.info()).unwrap() {
        Platform::Amd64 => (Platform::Arm64, AARCH64),
        Platform::Arm64 => (Platform::Amd64, X86_64),
    };
    let binaries = stand_ins(dir.path(), machine, &image.reference);
    let refused = Parts::find(&binaries, "3.5.9", Platform::of(engine.info()).unwrap()).unwrap_err();
    assert!(matches!(refused, ImageError::Program(_)), "{refused}");

    let parts = Parts::find(&binaries, "3.5.9", foreign).unwrap();
    image::build(&engine, &parts, &image.reference, &unheard).await.unwrap();
    let built = image::look(&engine, &image.reference).await.unwrap().unwrap();
    assert_eq!(built.platform, foreign.to_string());
}

#[tokio::test]
async fn what_was_saved_is_loaded_whole() {
    let Some(engine) = engine().await else { return };
    let (dir, image) = (tempfile::tempdir().unwrap(), Image::named("archive"));
    build(&engine, &image, dir.path()).await;
    let built = image::look(&engine, &image.reference).await.unwrap().unwrap();
    let file = dir.path().join("images.tar");
    image::save(&engine, std::slice::from_ref(&image.reference), &file, &unheard).await.unwrap();
    assert_eq!(files_of(dir.path()), std::slice::from_ref(&file), "more than the file was left");

    assert!(docker(&["image", "rm", &built.id]).status.success());
    assert_eq!(image::look(&engine, &image.reference).await.unwrap(), None);
    let last = Mutex::new(None);
    let progress = |step: ImageProgress| *last.lock().unwrap() = step.done;
    let loaded = image::load(&engine, &file, &progress).await.unwrap();
    assert_eq!(loaded, std::slice::from_ref(&image.reference));
    assert_eq!(image::look(&engine, &image.reference).await.unwrap(), Some(built));
    let last = last.into_inner().unwrap();
    assert!(last.is_some_and(|done| done > 0.9), "the last that was told: {last:?}");
}

/// Files that end in `.tar` or that a save has not finished.
fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    entries.filter(|path| name(path).ends_with(".tar") || name(path).starts_with('.')).collect()
}

#[tokio::test]
async fn an_image_that_was_carried_to_its_processor_gets_its_proper_name() {
    let Some(engine) = engine().await else { return };
    let (dir, image) = (tempfile::tempdir().unwrap(), Image::named("carried"));
    build(&engine, &image, dir.path()).await;
    // As a machine with another processor would have named it.
    let carried = image::foreign_reference(&image.reference, Platform::of(engine.info()).unwrap());
    assert!(docker(&["tag", &image.reference, &carried]).status.success());
    let file = dir.path().join("images.tar");
    image::save(&engine, std::slice::from_ref(&carried), &file, &unheard).await.unwrap();
    for name in [&carried, &image.reference] {
        assert!(docker(&["image", "rm", name]).status.success());
    }

    let loaded = image::load(&engine, &file, &unheard).await.unwrap();
    assert_eq!(loaded, std::slice::from_ref(&image.reference));
    assert!(image::look(&engine, &image.reference).await.unwrap().is_some());
    assert_eq!(image::look(&engine, &carried).await.unwrap(), None);
}

#[tokio::test]
async fn a_file_that_holds_no_image_is_refused() {
    let Some(engine) = engine().await else { return };
    let (dir, image) = (tempfile::tempdir().unwrap(), Image::named("broken"));
    build(&engine, &image, dir.path()).await;
    let at = |name: &str| dir.path().join(name);
    image::save(&engine, std::slice::from_ref(&image.reference), &at("whole"), &unheard).await.unwrap();

    std::fs::write(at("text"), "no archive").unwrap();
    std::fs::write(at("empty"), "").unwrap();
    let whole = std::fs::read(at("whole")).unwrap();
    std::fs::write(at("half"), &whole[..whole.len() / 2]).unwrap();
    assert!(
        Command::new("tar").arg("-cf").args([at("other"), at("text")]).output().unwrap().status.success()
    );
    for name in ["text", "empty", "half", "other"] {
        let refused = image::load(&engine, &at(name), &unheard).await.unwrap_err();
        assert!(matches!(refused, ImageError::NotAnArchive { .. }), "{name}: {refused:?}");
    }
    for name in ["none", "."] {
        let refused = image::load(&engine, &at(name), &unheard).await.unwrap_err();
        assert!(matches!(refused, ImageError::File { .. }), "{name}: {refused:?}");
    }
}

#[tokio::test]
async fn a_save_that_can_not_be_finished_leaves_what_was_there() {
    let Some(engine) = engine().await else { return };
    let (dir, image) = (tempfile::tempdir().unwrap(), Image::named("unsaved"));
    build(&engine, &image, dir.path()).await;
    let absent = [image.reference.clone(), "etcd-metrics-lab/none:v0".into()];
    let refused = image::save(&engine, &absent, &dir.path().join("images.tar"), &unheard).await.unwrap_err();
    assert!(matches!(&refused, ImageError::Absent(name) if name == "etcd-metrics-lab/none:v0"), "{refused}");
    let nowhere = dir.path().join("none/images.tar");
    let refused = image::save(&engine, &absent[..1], &nowhere, &unheard).await.unwrap_err();
    assert!(matches!(refused, ImageError::File { .. }), "{refused}");
    assert_eq!(files_of(dir.path()), Vec::<PathBuf>::new());

    let Some(small) = SmallDisk::mount(dir.path()) else { return };
    let file = small.0.join("images.tar");
    std::fs::write(&file, "older").unwrap();
    let refused = image::save(&engine, &absent[..1], &file, &unheard).await.unwrap_err();
    let ImageError::File { source, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(files_of(&small.0), std::slice::from_ref(&file));
    assert_eq!(std::fs::read_to_string(file).unwrap(), "older");
}

/// A file system with less room than an image takes.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Option<Self> {
        let place = folder.join("small");
        std::fs::create_dir(&place).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&place).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            println!("skipped in part: only root may make a small disk to fill");
            return None;
        }
        Some(Self(place))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[tokio::test]
async fn the_labs_own_programs_run_where_nothing_else_is() {
    let Some(engine) = engine().await else { return };
    let platform = Platform::of(engine.info()).unwrap();
    let topology = Topology::etcd().unwrap();
    let versions = Binaries::standard().versions();
    assert!(versions.len() >= 2, "two versions of etcd are compared, found {versions:?}");
    for version in versions {
        let own = format!("/test-programs-{}:", std::process::id());
        let image = Image { reference: image::reference(&topology, &version).replace("/etcd:", &own) };
        let parts = Parts::find(&Binaries::standard(), &version, platform).unwrap();
        image::build(&engine, &parts, &image.reference, &unheard).await.unwrap();
        let run = |program: &str, argument: &str| {
            let output = docker(&[
                "run",
                "--rm",
                "--network=none",
                "--entrypoint",
                program,
                &image.reference,
                argument,
            ]);
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
        };
        let told = [
            (run("etcd", "--version"), format!("etcd Version: {version}")),
            (run("etcdctl", "version"), format!("etcdctl version: {version}")),
            (run("benchmark", "--help"), "benchmark [command]".into()),
            (run("bridge", "-h"), "-conn-fault-rate".into()),
            (run("link-proxy", "--help"), "link-proxy".into()),
        ];
        for (output, wanted) in told {
            assert!(output.contains(&wanted), "{version}: no {wanted:?} in {output}");
        }
    }
}
