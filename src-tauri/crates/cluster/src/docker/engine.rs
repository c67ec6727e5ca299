//! The connection to a Docker engine, or to another that speaks its API. Says which engine answers, and why none does;
//! what is done with one is its neighbours' business.

mod address;
mod ssh;
mod surroundings;

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bollard::models::SystemVersion;
use bollard::{API_DEFAULT_VERSION, Docker};

use address::Address;
use surroundings::{Surroundings, Whereabouts};

/// The least version of Docker's API that is spoken here: that of Docker 20.10, the oldest engine this was tried with.
pub const LEAST_API: &str = "1.41";

/// How long an engine may take to say its version. A healthy one takes milliseconds, one behind ssh a few seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long the engine may take until it begins to answer a request, seconds. An image of some 70 MB is written or
/// read before it does.
const REQUEST_WITHIN_S: u64 = 300;

/// What is said of an engine whose socket isn't there.
const NO_SOCKET: &str = "there is no such socket";

/// Why no engine can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// None is named, and none is where engines listen.
    #[error("there is no Docker engine: nothing listens at {}", .tried.join(", "))]
    Missing {
        /// Where it was looked for.
        tried: Vec<String>,
    },
    /// There is one, but it doesn't run.
    #[error("the Docker engine at {endpoint} doesn't run: {reason}")]
    NotRunning {
        /// Its address.
        endpoint: String,
        /// What the system says.
        reason: String,
    },
    /// This person may not speak with it.
    #[error("permission denied at {endpoint}")]
    NotPermitted {
        /// Its address.
        endpoint: String,
    },
    /// It speaks only an API older than [`LEAST_API`].
    #[error("the engine at {endpoint} speaks API {api_version}, at least {LEAST_API} is needed")]
    TooOld {
        /// Its address.
        endpoint: String,
        /// Its version, such as `18.09.1`.
        version: String,
        /// The newest API that it speaks, such as `1.39`.
        api_version: String,
    },
    /// Something is wrong on the way to it, or it doesn't answer as an engine does.
    #[error("the engine at {endpoint} can't be reached: {reason}")]
    Unreachable {
        /// Its address.
        endpoint: String,
        /// What went wrong.
        reason: String,
    },
    /// The address that was given is not one, or the docker context that was named is not there.
    #[error("{address} can't be used as the address of an engine: {reason}")]
    BadAddress {
        /// What was given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What an engine says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineInfo {
    /// Where it listens, such as `unix:///var/run/docker.sock`.
    pub endpoint: String,
    /// Who made it, such as `Docker Engine` or `Podman Engine`.
    pub product: String,
    /// Its version, such as `20.10.24`.
    pub version: String,
    /// API version that is spoken with it, such as `1.41`.
    pub api_version: String,
    /// What its containers run on, such as `linux`.
    pub os: String,
    /// Their processor, as Go names it: `amd64`, `arm64`.
    pub arch: String,
}

/// An engine that answered. Cheap to clone; clones share one connection pool.
#[derive(Clone, Debug)]
pub struct Engine {
    client: Docker,
    info: Arc<EngineInfo>,
}

impl Engine {
    /// Finds the engine that docker's own programs would use from here, and asks it for its version.
    ///
    /// # Errors
    /// When there is none, or it can't be used; the error says which of the two, and why.
    pub async fn connect() -> Result<Self, EngineError> {
        let surroundings = Surroundings::here();
        match surroundings.whereabouts()? {
            Whereabouts::Named(address) => Self::at(&address).await,
            Whereabouts::Usual(places) => Self::first_of(&places, surroundings.has_engine()).await,
        }
    }

    /// The first engine that answers at one of the sockets. When none does, the one that was nearest to it says why.
    async fn first_of(places: &[PathBuf], installed: bool) -> Result<Self, EngineError> {
        let mut nearest = None;
        for place in places.iter().filter(|place| place.exists()) {
            match Self::at(&Address::Unix(place.clone())).await {
                Ok(engine) => return Ok(engine),
                Err(error) if matches!(nearest, None | Some(EngineError::NotRunning { .. })) => {
                    nearest = Some(error);
                }
                Err(_) => {}
            }
        }
        let tried = places.iter().map(|place| Address::Unix(place.clone()).to_string());
        Err(nearest.unwrap_or_else(|| match (installed, tried.clone().next()) {
            (true, Some(endpoint)) => EngineError::NotRunning { endpoint, reason: NO_SOCKET.into() },
            _ => EngineError::Missing { tried: tried.collect() },
        }))
    }

    /// The engine at an address.
    async fn at(address: &Address) -> Result<Self, EngineError> {
        let endpoint = address.to_string();
        let failed = |error: bollard::errors::Error| told(address, &error);
        let client = client(address).map_err(failed)?;
        let silent = |_| EngineError::Unreachable {
            endpoint: endpoint.clone(),
            reason: format!("it said nothing for {} s", ANSWER_WITHIN.as_secs()),
        };
        let said =
            tokio::time::timeout(ANSWER_WITHIN, client.version()).await.map_err(silent)?.map_err(failed)?;
        let newest = said.api_version.clone().ok_or_else(|| EngineError::Unreachable {
            endpoint: endpoint.clone(),
            reason: "what answers is no engine: it tells no API version".into(),
        })?;
        if api_number(&newest) < api_number(LEAST_API) {
            let version = said.version.unwrap_or_default();
            return Err(EngineError::TooOld { endpoint, version, api_version: newest });
        }
        let negotiated = tokio::time::timeout(ANSWER_WITHIN, client.negotiate_version()).await;
        let client = negotiated.map_err(silent)?.map_err(failed)?;
        let info = EngineInfo {
            product: product(&said),
            version: said.version.unwrap_or_default(),
            api_version: client.client_version().to_string(),
            os: said.os.unwrap_or_default(),
            arch: said.arch.unwrap_or_default(),
            endpoint,
        };
        Ok(Self { client, info: Arc::new(info) })
    }

    /// What it said of itself when it was connected to.
    pub fn info(&self) -> &EngineInfo {
        &self.info
    }

    /// Docker's API on it.
    pub(crate) fn client(&self) -> &Docker {
        &self.client
    }
}

fn client(address: &Address) -> Result<Docker, bollard::errors::Error> {
    let version = API_DEFAULT_VERSION;
    match address {
        Address::Unix(path) => Docker::connect_with_unix(&path.to_string_lossy(), REQUEST_WITHIN_S, version),
        Address::Tcp { authority } => Docker::connect_with_http(authority, REQUEST_WITHIN_S, version),
        Address::Tls { authority, certificates: folder } => Docker::connect_with_ssl(
            authority,
            &folder.join("key.pem"),
            &folder.join("cert.pem"),
            &folder.join("ca.pem"),
            REQUEST_WITHIN_S,
            version,
        ),
        Address::Ssh { authority } => ssh::client(authority, REQUEST_WITHIN_S),
    }
}

/// What an error on the way to an engine means for a person.
fn told(address: &Address, error: &bollard::errors::Error) -> EngineError {
    let endpoint = address.to_string();
    let local = matches!(address, Address::Unix(_));
    let kind = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    let reason = last_cause(error);
    match (kind, error) {
        (_, bollard::errors::Error::SocketNotFoundError(_)) => {
            EngineError::NotRunning { endpoint, reason: NO_SOCKET.into() }
        }
        (Some(io::ErrorKind::PermissionDenied), _) if local => EngineError::NotPermitted { endpoint },
        (Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound), _) if local => {
            EngineError::NotRunning { endpoint, reason }
        }
        _ => EngineError::Unreachable { endpoint, reason },
    }
}

/// The error, and what it came of.
fn causes(error: &bollard::errors::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(Some(error as &(dyn StdError + 'static)), |&error| error.source())
}

/// The innermost reason, which is what tells a person something: those around it only say that a client failed.
pub(super) fn last_cause(error: &bollard::errors::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Engines name themselves in one of two places; Debian's build of Docker's leaves the first empty.
fn product(said: &SystemVersion) -> String {
    let platform = said.platform.as_ref().map(|platform| platform.name.as_str()).unwrap_or_default();
    let component =
        said.components.iter().flatten().next().map(|part| part.name.as_str()).unwrap_or_default();
    match (platform, component) {
        ("", "" | "Engine") => "Docker Engine".into(),
        ("", component) => component.into(),
        (platform, _) => platform.into(),
    }
}

/// `1.41` as numbers, which compare as versions do; what is no version is older than any.
fn api_number(version: &str) -> (u32, u32) {
    let number = |text: Option<&str>| text.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut parts = version.split('.');
    (number(parts.next()), number(parts.next()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;

    async fn refusal(places: &[PathBuf]) -> EngineError {
        Engine::first_of(places, false).await.unwrap_err()
    }

    /// Something that answers every request on the socket with the same JSON.
    fn answer(socket: &Path, json: &'static str) {
        let listener = UnixListener::bind(socket).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", json.len());
                let _ = stream.write_all((head + json).as_bytes()).await;
            }
        });
    }

    #[tokio::test]
    async fn what_is_in_the_way_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let missing = refusal(&[at("none"), at("nor")]).await;
        let tried =
            vec![format!("unix://{}", at("none").display()), format!("unix://{}", at("nor").display())];
        assert_eq!(missing, EngineError::Missing { tried });

        let stopped = Engine::first_of(&[at("none")], true).await.unwrap_err();
        assert!(
            matches!(&stopped, EngineError::NotRunning { reason, .. } if reason == NO_SOCKET),
            "{stopped}"
        );

        // A socket that nobody listens on any more.
        drop(UnixListener::bind(at("left")).unwrap());
        let left = refusal(&[at("left")]).await;
        assert!(
            matches!(&left, EngineError::NotRunning { reason, .. } if reason.contains("refused")),
            "{left}"
        );

        answer(&at("other"), r#"{"hello":1}"#);
        answer(&at("old"), r#"{"Version":"18.09.1","ApiVersion":"1.39"}"#);
        let old = refusal(&[at("left"), at("old")]).await;
        let wanted = EngineError::TooOld {
            endpoint: format!("unix://{}", at("old").display()),
            version: "18.09.1".into(),
            api_version: "1.39".into(),
        };
        assert_eq!(old, wanted);
        let other = refusal(&[at("other")]).await;
        assert!(matches!(other, EngineError::Unreachable { .. }), "{other}");
    }

    #[test]
    fn engines_name_themselves_in_one_of_two_places() {
        let named = |json: &str| product(&serde_json::from_str(json).unwrap());
        assert_eq!(
            named(r#"{"Platform":{"Name":""},"Components":[{"Name":"Engine","Version":"20"}]}"#),
            "Docker Engine"
        );
        assert_eq!(
            named(r#"{"Platform":{"Name":"Docker Engine - Community"}}"#),
            "Docker Engine - Community"
        );
        assert_eq!(named(r#"{"Components":[{"Name":"Podman Engine","Version":"4.3.1"}]}"#), "Podman Engine");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(api_number("1.9") < api_number("1.41") && api_number("1.41") < api_number("1.100"));
        assert!(api_number("nonsense") < api_number("1.0"));
    }
}
