//! `link-proxy`: the proxy between members as a program of its own, for clusters whose members are containers. There it
//! is the first process of its container, so it ends when it is told to and at once: nothing else would end it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{CommandFactory, Parser, error::ErrorKind};
use lab_faults::{Dial, LinkProxy, Links, control};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Passes what etcd members send each other, and delays, limits and cuts it when asked.
///
/// Each member has `HTTP_PROXY=http://HOST:PORT` in its environment, with the port that is given to it here, and reaches
/// its peers by the names that are given here.
///
/// Exit code: 0 when it was told to end, 1 when it can't do its work, 2 when the command was not understood.
#[derive(Parser)]
#[command(name = "link-proxy", version, max_term_width = 100)]
struct Args {
    /// A member, and the port that takes what it sends; given once a member.
    #[arg(long = "member", value_name = "NAME=PORT", value_parser = member, required_unless_present = "check")]
    members: Vec<(String, u16)>,
    /// Where links are shaped and told (HTTP). The members' ports are at the same address: in a container that is
    /// `0.0.0.0`, since members come in at the container's address and not at its 127.0.0.1.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8474")]
    control: SocketAddr,
    /// Instead of all this, ask the proxy at this URL whether it is well; exit code 0 when it is.
    #[arg(long, value_name = "URL", conflicts_with_all = ["members", "control"])]
    check: Option<String>,
}

fn member(text: &str) -> Result<(String, u16), String> {
    let (name, port) = text.split_once('=').ok_or("it has the form NAME=PORT")?;
    if name.is_empty() {
        return Err("the name is missing".into());
    }
    let port = port.parse().map_err(|_| format!("{port} is no port"))?;
    Ok((name.into(), port))
}

fn main() -> ExitCode {
    let args = Args::parse();
    let names: BTreeSet<_> = args.members.iter().map(|(name, _)| name).collect();
    if names.len() < args.members.len() {
        Args::command().error(ErrorKind::ValueValidation, "a member is given twice").exit();
    }
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let result = Runtime::new().context("no threads can be started").and_then(|runtime| {
        let result = runtime.block_on(carry_out(&args));
        // A name that is being looked up must not hold up the end.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(args: &Args) -> anyhow::Result<()> {
    if let Some(url) = &args.check {
        return Ok(Links::at(url)?.health().await?);
    }
    // Before all else: the first process of a container gets no signal that it has no handler for.
    let mut end = End::new().context("signals can't be handled")?;
    let host = args.control.ip();
    let members: Vec<_> =
        args.members.iter().map(|(name, port)| (name.clone(), SocketAddr::from((host, *port)))).collect();
    let proxy = LinkProxy::listen(&members, Dial::ByName).await.context("no listening there")?;
    let listener = TcpListener::bind(args.control)
        .await
        .with_context(|| format!("no listening on {}, for the control API", args.control))?;
    for (name, _) in &members {
        tracing::info!(member = name, url = proxy.url(name), "takes what a member sends");
    }
    tracing::info!(url = format!("http://{}", listener.local_addr()?), "links are shaped and told");
    tokio::select! {
        served = axum::serve(listener, control(proxy)) => bail!("the control API ended: {served:?}"),
        () = end.told() => Ok(()),
    }
}

/// Being told to end.
struct End {
    interrupt: Signal,
    terminate: Signal,
}

impl End {
    fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
