//! Where a member listens, as a person writes it.

use std::str::FromStr;

/// Host and port of a member's client listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What HTTP/2 calls the authority: `host:port`.
    pub authority: String,
}

/// Not an address to put a load on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("`{0}` wants TLS, which isn't supported yet")]
    Tls(String),
    #[error("`{0}` is no `host:port`")]
    Malformed(String),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let malformed = || AddressError::Malformed(text.to_owned());
        if text.starts_with("https://") {
            return Err(AddressError::Tls(text.to_owned()));
        }
        let authority = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
        let parsed: http::uri::Authority = authority.parse().map_err(|_| malformed())?;
        let port = parsed.port_u16().filter(|port| *port != 0).ok_or_else(malformed)?;
        let host = parsed.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || authority.contains('@') {
            return Err(malformed());
        }
        Ok(Self { host: host.to_owned(), port, authority: authority.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        for (text, host, port) in [
            ("127.0.0.1:2379", "127.0.0.1", 2379),
            ("http://etcd-1:2379", "etcd-1", 2379),
            ("http://[::1]:22379/", "::1", 22379),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port), "{text}");
        }
        for text in
            ["", "127.0.0.1", "h:0", "h:99999", ":2379", "http://", "h:1/path", "user@h:1", "ftp://h:1"]
        {
            assert_eq!(text.parse::<Address>(), Err(AddressError::Malformed(text.into())), "{text}");
        }
        assert_eq!("https://h:1".parse::<Address>(), Err(AddressError::Tls("https://h:1".into())));
    }
}
