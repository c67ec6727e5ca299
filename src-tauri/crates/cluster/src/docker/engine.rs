//! The connection to a Docker engine, or to another that speaks its API. Says which engine answers, and why none does;
//! what is done with one is its neighbours' business.

mod address;

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bollard::models::SystemVersion;
use bollard::{API_DEFAULT_VERSION, Docker};

use address::Address;

/// The least version of Docker's API that is spoken here: that of Docker 20.10, the oldest engine this was tried with.
pub const LEAST_API: &str = "1.41";

/// How long an engine may take to say its version. A healthy one takes milliseconds, one behind ssh a few seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long the engine may take until it begins to answer a request, seconds. An image of some 70 MB is written or
/// read before it does.
const REQUEST_WITHIN_S: u64 = 300;

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
        let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".into());
        Self::at(&Address::parse(&host, None)?).await
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
        let newest = said.api_version.clone().unwrap_or_default();
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
        Address::Ssh { authority } => Docker::connect_with_ssh(authority, REQUEST_WITHIN_S, version, None),
    }
}

/// What an error on the way to an engine means for a person.
fn told(address: &Address, error: &bollard::errors::Error) -> EngineError {
    let endpoint = address.to_string();
    let local = matches!(address, Address::Unix(_));
    let causes = || std::iter::successors(Some(error as &dyn StdError), |&error| error.source());
    let kind = causes().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    let reason = causes().last().map(ToString::to_string).unwrap_or_default();
    match (kind, error) {
        (_, bollard::errors::Error::SocketNotFoundError(_)) => {
            EngineError::NotRunning { endpoint, reason: "there is no such socket".into() }
        }
        (Some(io::ErrorKind::PermissionDenied), _) if local => EngineError::NotPermitted { endpoint },
        (Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound), _) if local => {
            EngineError::NotRunning { endpoint, reason }
        }
        _ => EngineError::Unreachable { endpoint, reason },
    }
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
