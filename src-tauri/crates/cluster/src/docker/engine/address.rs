//! Addresses of engines, as `DOCKER_HOST` and docker's contexts write them.

use std::fmt;
use std::path::{Path, PathBuf};

use super::EngineError;

/// Where an engine listens, and how it is spoken with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A socket in the file system.
    Unix(PathBuf),
    /// A port, in plain text.
    Tcp {
        /// `host:port`.
        authority: String,
    },
    /// A port, where both sides show certificates.
    Tls {
        /// `host:port`.
        authority: String,
        /// Folder with `ca.pem`, `cert.pem` and `key.pem`.
        certificates: PathBuf,
    },
    /// Another machine's `docker system dial-stdio`, through ssh.
    Ssh {
        /// `[user@]host[:port]`.
        authority: String,
    },
}

impl Address {
    /// Reads an address; a port is spoken with through TLS when there is a folder of certificates for it.
    ///
    /// # Errors
    /// When it is of no kind that is known here.
    pub fn parse(text: &str, certificates: Option<&Path>) -> Result<Self, EngineError> {
        let wrong = |reason: &str| EngineError::BadAddress { address: text.into(), reason: reason.into() };
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| wrong("it has no scheme such as unix:// or tcp://"))?;
        if scheme == "unix" {
            return match Path::new(rest) {
                path if path.is_absolute() => Ok(Self::Unix(path.to_owned())),
                _ => Err(wrong("the path of the socket must begin with /")),
            };
        }
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.is_empty() {
            return Err(wrong("it names no host"));
        }
        // The ports that were given to Docker, which its own programs take where none is written.
        let on_port = |port: u16| match authority.rsplit_once(':') {
            Some((_, number)) if number.parse::<u16>().is_ok() => authority.to_owned(),
            _ => format!("{authority}:{port}"),
        };
        match (scheme, certificates) {
            ("tcp" | "http", None) => Ok(Self::Tcp { authority: on_port(2375) }),
            ("tcp" | "https", Some(folder)) => {
                Ok(Self::Tls { authority: on_port(2376), certificates: folder.to_owned() })
            }
            ("https", None) => Err(wrong("no folder of certificates is named beside it (DOCKER_CERT_PATH)")),
            ("ssh", _) => Ok(Self::Ssh { authority: authority.to_owned() }),
            _ => Err(wrong("only unix, tcp, https and ssh are spoken here")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { authority } | Self::Tls { authority, .. } => write!(f, "tcp://{authority}"),
            Self::Ssh { authority } => write!(f, "ssh://{authority}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_docker_reads_them() {
        let tcp = |authority: &str| Address::Tcp { authority: authority.into() };
        let tls = |authority: &str| Address::Tls { authority: authority.into(), certificates: "/c".into() };
        let cases = [
            ("unix:///run/docker.sock", None, Address::Unix("/run/docker.sock".into())),
            ("tcp://10.0.0.7:2375", None, tcp("10.0.0.7:2375")),
            ("tcp://engine", None, tcp("engine:2375")),
            ("tcp://[::1]", None, tcp("[::1]:2375")),
            ("http://engine:80/", None, tcp("engine:80")),
            ("tcp://engine", Some("/c"), tls("engine:2376")),
            ("https://engine:7777", Some("/c"), tls("engine:7777")),
            ("ssh://me@host:22", None, Address::Ssh { authority: "me@host:22".into() }),
            ("ssh://host/var/run/docker.sock", Some("/c"), Address::Ssh { authority: "host".into() }),
        ];
        for (text, certificates, wanted) in cases {
            let read = Address::parse(text, certificates.map(Path::new));
            assert_eq!(read.ok(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        let cases = [
            ("/var/run/docker.sock", "no scheme"),
            ("unix://docker.sock", "begin with /"),
            ("tcp://", "names no host"),
            ("https://engine", "no folder of certificates"),
            ("npipe:////./pipe/docker_engine", "names no host"),
            ("fd://3", "only unix, tcp, https and ssh"),
        ];
        for (text, wanted) in cases {
            let refused = Address::parse(text, None).unwrap_err().to_string();
            assert!(refused.contains(text) && refused.contains(wanted), "{text}: {refused}");
        }
    }
}
