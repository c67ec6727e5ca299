//! The proxy between members that are containers: a service beside them, with a port for what each of them sends.
//! Members that are processes have the same proxy in the lab's own program, and this service stays away.

use std::collections::BTreeMap;

use docker_compose_types::{Entrypoint, Service};

use super::{Endpoint, Member, door, flags, port_of, published, values};

/// The service that is the proxy; it runs from the members' image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerProxy {
    /// Service, and its name in the members' network.
    pub service: String,
    /// Flags as written, for [`Self::PROGRAM`].
    pub flags: Vec<String>,
    /// Where links are shaped and told (HTTP).
    pub control: Endpoint,
}

impl PeerProxy {
    /// The program that the service runs, as the image names it.
    pub const PROGRAM: &str = "link-proxy";

    /// Reads the service, and sees to it that each member sends to its own port.
    pub(super) fn read(name: &str, service: Service, members: &[Member]) -> Result<Self, String> {
        match service.entrypoint {
            Some(Entrypoint::List(program)) if program == [Self::PROGRAM] => {}
            _ => return Err(format!("entrypoint must be [{}]", Self::PROGRAM)),
        }
        let flags = flags(service.command)?;
        let control = values(&flags, "control").next().ok_or("--control is missing")?;
        let control = port_of(control).ok_or_else(|| format!("--control={control} has no port"))?;
        let control = door(&published(&service.ports)?, "control", control)?;
        let mut ports = BTreeMap::new();
        for value in values(&flags, "member") {
            let pair =
                value.split_once('=').and_then(|(member, port)| Some((member, port.parse::<u16>().ok()?)));
            let (member, port) =
                pair.ok_or_else(|| format!("--member={value} is not of the form NAME=PORT"))?;
            if !members.iter().any(|known| known.name == member) {
                return Err(format!("--member={value} names no member"));
            }
            ports.insert(member, port);
        }
        for member in members {
            let port =
                ports.get(member.name.as_str()).ok_or(format!("--member={}=PORT is missing", member.name))?;
            let url = format!("http://{name}:{port}");
            if member.environment.get("HTTP_PROXY") != Some(&url) {
                return Err(format!("{} must have HTTP_PROXY={url}", member.name));
            }
        }
        Ok(Self { service: name.into(), flags, control })
    }
}
