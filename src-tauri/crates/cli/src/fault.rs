//! `etcd-labctl fault`: failpoints of the running lab's members.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use lab::Asker;
use lab::api::{Command, MemberFailpoint, Problem, Reply};
use lab_faults::Term;

use crate::bench::duration;
use crate::find::Which;
use crate::{find, say};

/// What to do.
#[derive(clap::Args)]
pub struct FaultArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// List the members' failpoints, and what is set.
    List(ListArgs),
    /// Set a failpoint.
    Set(SetArgs),
    /// Clear failpoints.
    Clear(ClearArgs),
    /// Say how often those that are set were reached.
    Count(CountArgs),
}

#[derive(clap::Args)]
struct ListArgs {
    /// Print one JSON array: member, failpoint, term, hits.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

#[derive(clap::Args)]
struct SetArgs {
    /// Member such as `etcd-1`, several with commas between, or `all`.
    #[arg(value_name = "NODE")]
    members: Members,
    /// Failpoint, such as `walBeforeFdatasync`.
    failpoint: String,
    /// What it does: `sleep(100)`, `40.0%return(true)`, `3*sleep(1000)->off`.
    term: Term,
    /// Clear it by itself after this time, such as `30s`.
    #[arg(long = "for", value_name = "TIME", value_parser = whole_seconds)]
    for_s: Option<u32>,
    #[command(flatten)]
    which: Which,
}

#[derive(clap::Args)]
struct ClearArgs {
    /// Member, several with commas between, or `all`.
    #[arg(value_name = "NODE", required_unless_present = "all")]
    members: Option<Members>,
    /// Failpoint; all that are set where none is given.
    failpoint: Option<String>,
    /// Every failpoint of every member.
    #[arg(long, conflicts_with = "members")]
    all: bool,
    #[command(flatten)]
    which: Which,
}

#[derive(clap::Args)]
struct CountArgs {
    /// Print one JSON array: member, failpoint, term, hits.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

/// Members as a person names them: no names stand for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members(pub Vec<String>);

impl std::str::FromStr for Members {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(Vec::new()));
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        if names.iter().any(|name| name.is_empty() || name == "all") {
            return Err("not `all`, nor names such as `etcd-1,etcd-2`".into());
        }
        Ok(Self(names))
    }
}

impl std::fmt::Display for Members {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { f.write_str("all members") } else { f.write_str(&self.0.join(" and ")) }
    }
}

fn whole_seconds(text: &str) -> Result<u32, String> {
    let time: Duration = duration(text)?;
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    match u32::try_from(seconds) {
        Ok(0) => Err("must be longer than nothing".into()),
        Ok(seconds) => Ok(seconds),
        Err(_) => Err("too long".into()),
    }
}

/// Carries out the command.
pub async fn run(args: &FaultArgs) -> Result<ExitCode, Problem> {
    match &args.what {
        What::List(args) => {
            let all = failpoints(&find::asker(&args.which).await?).await?;
            if args.json { json(&all) } else { list(&all) }
        }
        What::Count(args) => {
            let mut set = failpoints(&find::asker(&args.which).await?).await?;
            set.retain(|failpoint| failpoint.term.is_some());
            if args.json { json(&set) } else { count(&set) }
        }
        What::Set(args) => {
            let (members, term) = (args.members.0.clone(), args.term.to_string());
            let failpoint = args.failpoint.clone();
            let command = Command::SetFailpoint { members, failpoint, term, for_s: args.for_s };
            find::asker(&args.which).await?.ask(command).await?;
            let until = args.for_s.map(|seconds| format!(", for {seconds} s")).unwrap_or_default();
            say::line(format_args!("{} {} on {}{until}.", args.failpoint, args.term, args.members));
        }
        What::Clear(args) => {
            let members = args.members.clone().unwrap_or(Members(Vec::new()));
            let command =
                Command::ClearFailpoints { members: members.0.clone(), failpoint: args.failpoint.clone() };
            find::asker(&args.which).await?.ask(command).await?;
            let what = args.failpoint.as_deref().unwrap_or("Every failpoint");
            say::line(format_args!("{what} is cleared on {members}."));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn failpoints(asker: &Asker) -> Result<Vec<MemberFailpoint>, Problem> {
    match asker.ask(Command::Failpoints).await? {
        Reply::Failpoints { failpoints } => Ok(failpoints),
        other => Err(lab::problems::other_language(format_args!("{other:?}"))),
    }
}

fn json(failpoints: &[MemberFailpoint]) {
    say::line(serde_json::json!(failpoints));
}

/// A row a failpoint, a column a member.
fn list(all: &[MemberFailpoint]) {
    let members: BTreeSet<&str> = all.iter().map(|one| one.member.as_str()).collect();
    let names: BTreeSet<&str> = all.iter().map(|one| one.failpoint.as_str()).collect();
    let mut rows =
        vec![std::iter::once("failpoint").chain(members.iter().copied()).map(String::from).collect()];
    for name in names {
        let cell = |member: &&str| {
            let here = all.iter().find(|one| one.failpoint == name && one.member == **member);
            match here.map(|one| &one.term) {
                Some(Some(term)) => term.clone(),
                Some(None) => "–".into(),
                None => "has none".into(),
            }
        };
        rows.push(std::iter::once(name.to_owned()).chain(members.iter().map(cell)).collect::<Vec<_>>());
    }
    say::table(&rows);
}

fn count(set: &[MemberFailpoint]) {
    if set.is_empty() {
        say::line("No failpoint is set.");
        return;
    }
    let mut rows = vec![["failpoint", "member", "term", "hits"].map(String::from).to_vec()];
    for one in set {
        rows.push(vec![
            one.failpoint.clone(),
            one.member.clone(),
            one.term.clone().unwrap_or_default(),
            one.hits.map_or_else(|| "not counted".into(), |hits| hits.to_string()),
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
        _args: FaultArgs,
    }

    #[test]
    fn members_are_all_or_named() {
        let members = |text: &str| text.parse::<Members>();
        assert_eq!(members("all"), Ok(Members(vec![])));
        assert_eq!(members("etcd-1,etcd-3"), Ok(Members(vec!["etcd-1".into(), "etcd-3".into()])));
        for wrong in ["", "etcd-1,", "all,etcd-1"] {
            assert!(members(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_place() {
        for (words, said) in [
            ("set all f sleep(10s)", "character 9"),
            ("set all f 40%return(true)", "40.0%"),
            ("set all f sleep(1) --for 0s", "longer than nothing"),
            ("set all f sleep(1) --for soon", "not a time"),
            ("clear", "NODE"),
            ("clear etcd-1 --all", "cannot be used"),
        ] {
            let words = ["fault"].into_iter().chain(words.split(' '));
            let error =
                Labctl::try_parse_from(words).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(said), "{said}: {error}");
        }
    }
}
