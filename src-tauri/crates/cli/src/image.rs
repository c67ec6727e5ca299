//! `etcd-labctl image`: the images that members run from in Docker. Speaks with the engine itself; no lab has to run.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use lab::api::{DockerView, ImageView, ImageWork, Problem};
use lab::docker::{self, Images};
use lab::{Config, problems};
use lab_cluster::docker::Engine;
use lab_cluster::docker::image::{self, Platform};
use serde::Serialize;

use crate::say;
use crate::signals::Signals;

/// A line is told each time that so much more is done.
const TELL_EACH: f64 = 0.1;

/// Exit code of a command that was told to end before it was done.
const INTERRUPTED: u8 = 130;

/// What to do.
#[derive(clap::Args)]
pub struct ImageArgs {
    #[command(subcommand)]
    what: What,
    /// One JSON object an image.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum What {
    /// Build images from the lab's programs; at once when they are what would be built.
    Build(BuildArgs),
    /// Write images to one file, for a place without network.
    Save(SaveArgs),
    /// Read images from such a file.
    Load(LoadArgs),
    /// Say which images the engine has.
    List,
}

/// Which images.
#[derive(clap::Args)]
struct WhichImages {
    /// etcd's version; all of the lab's when not given.
    #[arg(long, value_name = "VERSION")]
    etcd: Vec<String>,
    /// What they run on, when not on this engine: `linux/amd64`, `linux/arm64`.
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
}

#[derive(clap::Args)]
struct BuildArgs {
    #[command(flatten)]
    which: WhichImages,
    /// Build also what is current.
    #[arg(long)]
    anew: bool,
}

#[derive(clap::Args)]
struct SaveArgs {
    /// The file, an archive as `docker save` makes it.
    file: PathBuf,
    #[command(flatten)]
    which: WhichImages,
}

#[derive(clap::Args)]
struct LoadArgs {
    /// The file.
    file: PathBuf,
}

/// An image, and what became of it; with `--json`, one line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    reference: String,
    id: String,
    size_bytes: u64,
    platform: String,
    /// Whether it is of this command's making; absent where nothing was to be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    built: Option<bool>,
}

impl Line {
    async fn of(engine: &Engine, reference: String, built: Option<bool>) -> Result<Self, Problem> {
        let there = image::look(engine, &reference).await;
        let there = there.and_then(|there| there.ok_or_else(|| image::ImageError::Absent(reference.clone())));
        let there = there.map_err(|error| problems::image(&reference, error))?;
        let image::PresentImage { id, size_bytes, platform, .. } = there;
        Ok(Self { reference, id, size_bytes, platform, built })
    }

    fn tell(&self, json: bool) {
        if json {
            say::line(serde_json::json!(self));
            return;
        }
        let Self { reference, size_bytes, platform, built, .. } = self;
        let what = match built {
            Some(true) => " was built",
            Some(false) => " is there as it would be built",
            None => "",
        };
        say::line(format_args!("{reference}{what}: {}, {platform}", megabytes(*size_bytes)));
    }
}

/// Carries out the command.
pub async fn run(args: &ImageArgs) -> Result<ExitCode, Problem> {
    let mut signals = Signals::new()?;
    tokio::select! {
        done = carry_out(args) => done,
        // What was under way is dropped with all that it had begun: the engine stops building, half a file goes.
        () = signals.next() => Ok(ExitCode::from(INTERRUPTED)),
    }
}

async fn carry_out(args: &ImageArgs) -> Result<ExitCode, Problem> {
    let config = Config::standard("terminal")?;
    let topology = config.topologies.usual();
    if let What::List = args.what {
        return list(docker::view(&config.binaries, topology).await, args.json);
    }
    let engine = docker::engine().await?;
    let images = |which: &WhichImages| {
        let images = Images::new(&engine, &config.binaries, topology);
        which.platform.into_iter().fold(images, Images::on)
    };
    let progress = Progress::default();
    let told = |work: ImageWork| progress.tell(&work);
    match &args.what {
        What::Build(BuildArgs { which, anew }) => {
            let images = images(which);
            let versions = if which.etcd.is_empty() { images.versions() } else { which.etcd.clone() };
            for version in versions {
                let built = if *anew {
                    images.build(&version, &told).await.map(|()| true)
                } else {
                    images.ensure(&version, &told).await
                };
                Line::of(&engine, images.reference(&version), Some(built?)).await?.tell(args.json);
            }
        }
        What::Save(SaveArgs { file, which }) => {
            images(which).save(&which.etcd, file, &told).await?;
            let bytes = file.metadata().map_or(0, |data| data.len());
            if args.json {
                say::line(serde_json::json!({ "file": file, "sizeBytes": bytes }));
            } else {
                say::line(format_args!("{}: {}", file.display(), megabytes(bytes)));
            }
        }
        What::Load(LoadArgs { file }) => {
            let images = Images::new(&engine, &config.binaries, topology);
            for reference in images.load(file, &told).await? {
                Line::of(&engine, reference, None).await?.tell(args.json);
            }
        }
        What::List => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn list(view: DockerView, json: bool) -> Result<ExitCode, Problem> {
    if let Some(problem) = view.problem {
        return Err(problem);
    }
    if json {
        for image in &view.images {
            say::line(serde_json::json!(image));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let state = |image: &ImageView| match &image.present {
        Some(there) => {
            let which = match there.current {
                Some(true) => "current",
                Some(false) => "of older programs",
                None => "no programs here to compare",
            };
            vec![image.reference.clone(), megabytes(there.size_bytes), which.into()]
        }
        None if image.buildable => vec![image.reference.clone(), "absent".into(), "can be built".into()],
        None => vec![image.reference.clone(), "absent".into(), "its programs are not here".into()],
    };
    say::table(&view.images.iter().map(state).collect::<Vec<_>>());
    Ok(ExitCode::SUCCESS)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Tells progress on standard error, where it is in nobody's way: each step once, and how much of it is done.
#[derive(Default)]
struct Progress(Mutex<Option<(ImageWork, f64)>>);

impl Progress {
    fn tell(&self, work: &ImageWork) {
        let done = work.done.unwrap_or(0.0);
        let mut last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let same =
            |(before, _): &&(ImageWork, f64)| before.step == work.step && before.subject == work.subject;
        let news = |told: f64| done >= told + TELL_EACH || (done >= 1.0 && told < 1.0);
        if last.as_ref().filter(same).is_some_and(|(_, told)| !news(*told)) {
            return;
        }
        let percent = work.done.map_or(String::new(), |done| format!(" ({:.0} %)", done * 100.0));
        say::aside(format_args!("{}: {}{percent}", work.subject, work.step));
        *last = Some((work.clone(), done));
    }
}
