//! `etcd-labctl link`: delays, limits and cuts on the links between the running lab's members.

use std::process::ExitCode;
use std::time::Duration;

use lab::Asker;
use lab::api::{Command, LinkShape, LinkView, Problem, Reply};
use lab::{problems, scenario};

use crate::bench::duration;
use crate::fault::Members;
use crate::find::Which;
use crate::{find, say, status};

/// What to do.
#[derive(clap::Args)]
pub struct LinkArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// List the links, and what is done to them.
    List(ListArgs),
    /// Say what is done to the bytes from one member to another, in place of what was.
    Set(SetArgs),
    /// Cut two members off from each other, in both directions.
    Cut(PairArgs),
    /// Let everything pass again: between two members, or all.
    Heal(HealArgs),
}

#[derive(clap::Args)]
struct ListArgs {
    /// Print one JSON array, an object a link.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("shape").required(true).multiple(true))]
struct SetArgs {
    /// Member that sends, several with commas between, or `all`.
    from: Members,
    /// Member that receives, several with commas between, or `all`.
    to: Members,
    /// How long bytes are held, such as `100ms`.
    #[arg(long, group = "shape", value_name = "TIME", value_parser = millis)]
    delay: Option<u32>,
    /// By how much the delay varies, up or down.
    #[arg(long, group = "shape", value_name = "TIME", value_parser = millis)]
    jitter: Option<u32>,
    /// Bytes a second at most, such as `1MiB`.
    #[arg(long, group = "shape", value_name = "SIZE", value_parser = scenario::bytes)]
    bandwidth: Option<u64>,
    /// Nothing passes.
    #[arg(long, group = "shape")]
    cut: bool,
    #[command(flatten)]
    which: Which,
}

#[derive(clap::Args)]
struct PairArgs {
    /// Member, several with commas between, or `all`.
    #[arg(value_name = "NODE")]
    one: Members,
    /// The other.
    #[arg(value_name = "NODE")]
    other: Members,
    #[command(flatten)]
    which: Which,
}

#[derive(clap::Args)]
struct HealArgs {
    /// Member, several with commas between, or `all`; every link where none is given.
    #[arg(value_name = "NODE", requires = "other")]
    one: Option<Members>,
    /// The other.
    #[arg(value_name = "NODE")]
    other: Option<Members>,
    /// Every link.
    #[arg(long, conflicts_with = "one")]
    all: bool,
    #[command(flatten)]
    which: Which,
}

fn millis(text: &str) -> Result<u32, String> {
    let time: Duration = duration(text)?;
    if !time.subsec_nanos().is_multiple_of(1_000_000) {
        return Err("not a whole number of milliseconds".into());
    }
    u32::try_from(time.as_millis()).map_err(|_| "too long".into())
}

/// Carries out the command.
pub async fn run(args: &LinkArgs) -> Result<ExitCode, Problem> {
    match &args.what {
        What::List(args) => {
            let links = links(&find::asker(&args.which).await?).await?;
            if args.json {
                say::line(serde_json::json!(links));
            } else {
                list(&links);
            }
        }
        What::Set(args) => {
            let shape = LinkShape {
                delay_ms: args.delay.unwrap_or(0),
                jitter_ms: args.jitter.unwrap_or(0),
                bandwidth_bytes_s: args.bandwidth,
                cut: args.cut,
            };
            let asker = find::asker(&args.which).await?;
            set(&asker, &args.from, &args.to, shape).await?;
            let words = status::shape(&shape);
            let words = if words.is_empty() { "everything passes at once" } else { &words };
            say::line(format_args!("{} → {}: {words}.", args.from, args.to));
        }
        What::Cut(args) => {
            let asker = find::asker(&args.which).await?;
            both(&asker, &args.one, &args.other, LinkShape { cut: true, ..LinkShape::default() }).await?;
            say::line(format_args!("{} and {} are cut off from each other.", args.one, args.other));
        }
        What::Heal(args) => {
            let asker = find::asker(&args.which).await?;
            if let (Some(one), Some(other)) = (&args.one, &args.other) {
                both(&asker, one, other, LinkShape::default()).await?;
                say::line(format_args!("Everything passes between {one} and {other}."));
            } else {
                asker.ask(Command::HealLinks).await?;
                say::line("Everything passes on all links.");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(asker: &Asker, from: &Members, to: &Members, shape: LinkShape) -> Result<(), Problem> {
    let (from, to) = (from.0.clone(), to.0.clone());
    asker.ask(Command::SetLinks { from, to, shape }).await.map(drop)
}

async fn both(asker: &Asker, one: &Members, other: &Members, shape: LinkShape) -> Result<(), Problem> {
    set(asker, one, other, shape).await?;
    if one != other {
        set(asker, other, one, shape).await?;
    }
    Ok(())
}

async fn links(asker: &Asker) -> Result<Vec<LinkView>, Problem> {
    match asker.ask(Command::Snapshot).await? {
        Reply::Snapshot { snapshot } if snapshot.cluster.is_none() => Err(problems::not_running()),
        Reply::Snapshot { snapshot } => snapshot.faults.links.ok_or_else(problems::no_links),
        other => Err(problems::other_language(format_args!("{other:?}"))),
    }
}

fn list(links: &[LinkView]) {
    let mut rows = vec![["from", "to", "shape", "passing", "held", "connections"].map(String::from).to_vec()];
    for link in links {
        let shape = status::shape(&link.shape);
        rows.push(vec![
            link.from.clone(),
            link.to.clone(),
            if shape.is_empty() { "–".into() } else { shape },
            format!("{}/s", status::bytes(link.rate_bytes_s as u64)),
            link.held_ms.map_or_else(|| "–".into(), |ms| status::seconds(ms / 1_000.0)),
            link.connections.to_string(),
        ]);
    }
    say::table(&rows);
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Labctl {
        #[command(flatten)]
        args: LinkArgs,
    }

    fn parse(words: &str) -> Result<What, String> {
        let words = ["link"].into_iter().chain(words.split(' '));
        Labctl::try_parse_from(words).map(|labctl| labctl.args.what).map_err(|error| error.to_string())
    }

    #[test]
    fn shapes_are_read_with_their_units() {
        let line = "set all etcd-2 --delay 1.5s --jitter 10ms --bandwidth 1MiB";
        let Ok(What::Set(set)) = parse(line) else { panic!("{line}") };
        assert_eq!(
            (set.delay, set.jitter, set.bandwidth, set.cut),
            (Some(1_500), Some(10), Some(1 << 20), false)
        );
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for (words, said) in [
            ("set all etcd-2", "--delay"),
            ("set all etcd-2 --delay 100", "not a time"),
            ("set all etcd-2 --delay 100us", "whole number of milliseconds"),
            ("set all etcd-2 --bandwidth 1MB", "no size"),
            ("cut etcd-1", "NODE"),
            ("heal etcd-1", "NODE"),
        ] {
            let error = parse(words).err().unwrap_or_default();
            assert!(error.contains(said), "{said}: {error}");
        }
    }
}
