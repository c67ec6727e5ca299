//! The way to another machine's engine through ssh, as docker's own programs go it: `docker system dial-stdio` there,
//! whose input and output are a connection to its engine. One ssh a request, which ends with it; what the person has
//! set for the host in ssh's own files holds.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use bollard::errors::Error as ApiError;
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

/// How long ssh gets to say why it ended.
const REASON_WITHIN: Duration = Duration::from_secs(2);

/// The engine of `[user@]host[:port]`; nothing is asked of it yet.
pub fn client(authority: &str, request_within_s: u64) -> Result<Docker, ApiError> {
    let destination = format!("ssh://{authority}");
    let transport = move |request: BollardRequest| {
        let destination = destination.clone();
        async move { send(&destination, request).await }
    };
    // The host's name stands in the requests only; any will do.
    Docker::connect_with_custom_transport(
        transport,
        Some("http://engine"),
        request_within_s,
        API_DEFAULT_VERSION,
    )
}

async fn send(destination: &str, mut request: BollardRequest) -> Result<Response<Incoming>, ApiError> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).parse();
    *request.uri_mut() = path?;
    request.headers_mut().insert(HOST, HeaderValue::from_static("engine"));

    let mut ssh = dial(destination)?;
    let (Some(input), Some(output)) = (ssh.stdin.take(), ssh.stdout.take()) else {
        return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(tokio::io::join(output, input))).await?;
    let connection = tokio::spawn(connection.with_upgrades());
    match sender.send_request(request).await {
        Ok(response) => {
            // It lasts as long as what is said over it.
            tokio::spawn(async move {
                let _ = connection.await;
                drop(ssh);
            });
            Ok(response)
        }
        Err(error) => Err(reason(ssh).await.map_or(error.into(), |said| io::Error::other(said).into())),
    }
}

/// Nobody may be there to be asked for a password, or would know what for.
fn dial(destination: &str) -> io::Result<Child> {
    let mut ssh = Command::new("ssh");
    ssh.args(["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "--", destination]);
    ssh.args(["docker", "system", "dial-stdio"]).kill_on_drop(true);
    ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    ssh.spawn().map_err(|error| io::Error::new(error.kind(), format!("ssh can't be started: {error}")))
}

/// The last that ssh, or docker over there, said before it ended.
async fn reason(mut ssh: Child) -> Option<String> {
    let mut said = String::new();
    let mut told = ssh.stderr.take()?;
    // What was said so far counts, whether that was all or not.
    let _ = tokio::time::timeout(REASON_WITHIN, told.read_to_string(&mut said)).await;
    said.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_ssh_says_is_the_reason() {
        // No name can end in .invalid.
        let refused =
            client("nobody@engine.invalid:2222", 20).unwrap().version().await.unwrap_err().to_string();
        let known = ["engine.invalid", "ssh can't be started"];
        assert!(known.iter().any(|word| refused.contains(word)), "{refused}");
    }
}
