//! Where the engine is to be looked for, by what the environment and docker's own configuration say. Looks at files and
//! variables and speaks with nobody.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::EngineError;
use super::address::Address;

/// Programs that run an engine: where one is installed and nothing listens, it is to be started.
const ENGINES: [&str; 3] = ["dockerd", "colima", "podman"];

/// Where programs are on a Mac, besides the PATH, which is short for an app that was started by a click.
const MORE_FOLDERS: [&str; 2] = ["/usr/local/bin", "/opt/homebrew/bin"];

/// What is around this program.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    variables: HashMap<OsString, OsString>,
}

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// The person named an engine.
    Named(Address),
    /// Nobody did: wherever engines usually listen, in this order.
    Usual(Vec<PathBuf>),
}

/// docker's `config.json`, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    current_context: String,
}

/// A context's `meta.json`, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Context {
    endpoints: HashMap<String, ContextEndpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContextEndpoint {
    #[serde(default)]
    host: String,
    #[serde(default, rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

impl Surroundings {
    /// Those of this process.
    pub fn here() -> Self {
        Self { variables: std::env::vars_os().collect() }
    }

    /// Where to look, as docker's own programs decide it: `DOCKER_HOST` before `DOCKER_CONTEXT` before the context
    /// that was chosen by `docker context use`.
    ///
    /// # Errors
    /// When what was named is not an address, or not a context that there is.
    pub fn whereabouts(&self) -> Result<Whereabouts, EngineError> {
        if let Some(host) = self.text("DOCKER_HOST") {
            let verified = self.text("DOCKER_TLS_VERIFY").is_some();
            let certificates = self.path("DOCKER_CERT_PATH").or_else(|| self.configuration());
            return Address::parse(&host, certificates.filter(|_| verified).as_deref())
                .map(Whereabouts::Named);
        }
        let context = match self.text("DOCKER_CONTEXT") {
            Some(context) => context,
            None => self.current_context()?,
        };
        match context.as_str() {
            "" | "default" => Ok(Whereabouts::Usual(self.usual_places())),
            context => self.of_context(context),
        }
    }

    /// Whether an engine is installed here, as far as can be seen; it may listen nowhere for all that.
    pub fn has_engine(&self) -> bool {
        let path = self.variables.get(OsStr::new("PATH")).cloned().unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(MORE_FOLDERS.map(PathBuf::from));
        folders.flat_map(|folder| ENGINES.map(|engine| folder.join(engine))).any(|engine| engine.is_file())
            || Path::new("/Applications/Docker.app").is_dir()
    }

    /// The context chosen by `docker context use`; empty when none was.
    fn current_context(&self) -> Result<String, EngineError> {
        let Some(path) = self.configuration().map(|folder| folder.join("config.json")) else {
            return Ok(String::new());
        };
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(|config: Config| config.current_context)
                .map_err(|error| unusable(path.display(), error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(unusable(path.display(), error)),
        }
    }

    /// docker keeps a context in folders that are named by the digest of its name.
    fn of_context(&self, name: &str) -> Result<Whereabouts, EngineError> {
        let named = format!("the docker context {name}");
        let digest: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
        let contexts = self.configuration().unwrap_or_default().join("contexts");
        let meta = contexts.join("meta").join(&digest).join("meta.json");
        let read = fs::read(meta).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => unusable(&named, "there is none of that name"),
            _ => unusable(&named, error),
        })?;
        let mut context: Context = serde_json::from_slice(&read).map_err(|error| unusable(&named, error))?;
        let endpoint = context.endpoints.remove("docker");
        match endpoint.filter(|endpoint| !endpoint.host.is_empty()) {
            None => Ok(Whereabouts::Usual(self.usual_places())),
            Some(endpoint) if endpoint.skip_tls_verify => {
                Err(unusable(&named, "it wants certificates left unchecked, which is not done here"))
            }
            Some(endpoint) => {
                let certificates = contexts.join("tls").join(&digest).join("docker");
                let certificates = Some(certificates).filter(|folder| folder.is_dir());
                Address::parse(&endpoint.host, certificates.as_deref()).map(Whereabouts::Named)
            }
        }
    }

    /// docker's own folder.
    fn configuration(&self) -> Option<PathBuf> {
        self.path("DOCKER_CONFIG").or_else(|| Some(self.path("HOME")?.join(".docker")))
    }

    /// Docker's engine for the whole machine, rootless, Docker Desktop's, Colima's, Podman's. The last three were
    /// not tried.
    fn usual_places(&self) -> Vec<PathBuf> {
        let below = |folder: Option<PathBuf>, places: &[&str]| -> Vec<PathBuf> {
            folder.iter().flat_map(|folder| places.iter().map(|place| folder.join(place))).collect()
        };
        let (home, runtime) = (self.path("HOME"), self.path("XDG_RUNTIME_DIR"));
        let settings = self.path("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
        let at_home =
            [".docker/run/docker.sock", ".docker/desktop/docker.sock", ".colima/default/docker.sock"];
        let podman_on_mac = ".local/share/containers/podman/machine/podman.sock";
        [
            vec!["/var/run/docker.sock".into()],
            below(runtime.clone(), &["docker.sock"]),
            below(home.clone(), &at_home),
            below(settings, &["colima/default/docker.sock"]),
            below(runtime, &["podman/podman.sock"]),
            vec!["/run/podman/podman.sock".into()],
            below(home, &[podman_on_mac]),
        ]
        .concat()
    }

    fn text(&self, name: &str) -> Option<String> {
        let value = self.variables.get(OsStr::new(name))?;
        Some(value.to_string_lossy().into_owned()).filter(|text| !text.is_empty())
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        let value = self.variables.get(OsStr::new(name))?;
        (!value.is_empty()).then(|| value.into())
    }
}

fn unusable(what: impl ToString, reason: impl ToString) -> EngineError {
    EngineError::BadAddress { address: what.to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A home folder with files; `~` in texts is that folder.
    struct Home(tempfile::TempDir);

    impl Home {
        fn new(files: &[(&str, &str)]) -> Self {
            let home = Self(tempfile::tempdir().unwrap());
            for (name, text) in files {
                let path = home.0.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, home.put(text)).unwrap();
            }
            home
        }

        fn put(&self, text: &str) -> String {
            text.replace('~', &self.0.path().display().to_string())
        }

        fn look(&self, variables: &[(&str, &str)]) -> Result<Whereabouts, EngineError> {
            let all = [("HOME", "~")].iter().chain(variables);
            let variables = all.map(|(name, value)| ((*name).into(), self.put(value).into())).collect();
            Surroundings { variables }.whereabouts()
        }
    }

    /// Where docker keeps what it knows of the context `far`; its name's digest was made by `sha256sum`.
    const META: &str =
        ".docker/contexts/meta/512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868/meta.json";
    const CERTIFICATE: &str =
        ".docker/contexts/tls/512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868/docker/ca.pem";

    #[test]
    fn the_engine_that_docker_would_use_is_named() {
        let host = r#"{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://far:2376","SkipTLSVerify":false}}}"#;
        let chosen = (".docker/config.json", r#"{"auths":{},"currentContext":"far"}"#);
        let plain = [chosen, (META, host)];
        let secured = [chosen, (META, host), (CERTIFICATE, "")];
        let over_ssh = [(META, r#"{"Endpoints":{"docker":{"Host":"ssh://me@far"}}}"#)];

        let unix = |path: &str| Address::Unix(path.into());
        let tcp = |authority: &str| Address::Tcp { authority: authority.into() };
        let tls = |authority: &str, folder: &str| Address::Tls {
            authority: authority.into(),
            certificates: folder.into(),
        };
        let secured_folder = format!("~/{}", CERTIFICATE.trim_end_matches("/ca.pem"));
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], Address);
        let cases: [Case; 8] = [
            (&[], &[("DOCKER_HOST", "unix:///tmp/x.sock")], unix("/tmp/x.sock")),
            (&plain, &[("DOCKER_HOST", "tcp://near:1")], tcp("near:1")),
            (
                &[],
                &[("DOCKER_HOST", "tcp://near"), ("DOCKER_TLS_VERIFY", "1")],
                tls("near:2376", "~/.docker"),
            ),
            (
                &[],
                &[("DOCKER_HOST", "tcp://near"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/certs")],
                tls("near:2376", "/certs"),
            ),
            (&[], &[("DOCKER_HOST", "tcp://near"), ("DOCKER_CERT_PATH", "/certs")], tcp("near:2375")),
            (&plain, &[("DOCKER_HOST", "")], tcp("far:2376")),
            (&secured, &[], tls("far:2376", &secured_folder)),
            (&over_ssh, &[("DOCKER_CONTEXT", "far")], Address::Ssh { authority: "me@far".into() }),
        ];
        for (files, variables, wanted) in cases {
            let home = Home::new(files);
            let wanted = match wanted {
                Address::Tls { authority, certificates } => {
                    let certificates = home.put(&certificates.display().to_string()).into();
                    Address::Tls { authority, certificates }
                }
                other => other,
            };
            assert_eq!(home.look(variables), Ok(Whereabouts::Named(wanted)), "{variables:?}");
        }
    }

    #[test]
    fn without_a_name_the_usual_places_are_gone_through() {
        let chosen_default = [(".docker/config.json", r#"{"currentContext":"default"}"#)];
        let other = [(".docker/config.json", r#"{"currentContext":"far"}"#)];
        for (files, variables) in [
            (&[][..], &[][..]),
            (&chosen_default, &[]),
            (&other, &[("DOCKER_CONTEXT", "default")]),
            (&other, &[("DOCKER_CONFIG", "~/elsewhere")]),
        ] {
            let home = Home::new(files);
            let runtime = [("XDG_RUNTIME_DIR", "/run/user/7")];
            let Whereabouts::Usual(places) = home.look(&[variables, &runtime].concat()).unwrap() else {
                panic!("{variables:?} name an engine");
            };
            let wanted = [
                "/var/run/docker.sock",
                "/run/user/7/docker.sock",
                "~/.docker/run/docker.sock",
                "~/.docker/desktop/docker.sock",
                "~/.colima/default/docker.sock",
                "~/.config/colima/default/docker.sock",
                "/run/user/7/podman/podman.sock",
                "/run/podman/podman.sock",
                "~/.local/share/containers/podman/machine/podman.sock",
            ];
            assert_eq!(places, wanted.map(|place| PathBuf::from(home.put(place))), "{variables:?}");
        }
    }

    #[test]
    fn what_names_no_engine_is_refused_with_a_reason() {
        let broken = [(".docker/config.json", "{")];
        let host = r#"{"Endpoints":{"docker":{"Host":"tcp://far","SkipTLSVerify":true}}}"#;
        let unchecked = [(META, host)];
        let cases = [
            (&[][..], ("DOCKER_HOST", "near"), "near can't be used", "no scheme"),
            (&[], ("DOCKER_CONTEXT", "far"), "the docker context far", "there is none of that name"),
            (&broken, ("DOCKER_CONTEXT", ""), ".docker/config.json", "EOF"),
            (&unchecked, ("DOCKER_CONTEXT", "far"), "the docker context far", "certificates left unchecked"),
        ];
        for (files, variable, named, wanted) in cases {
            let refused = Home::new(files).look(&[variable]).unwrap_err().to_string();
            assert!(refused.contains(named) && refused.contains(wanted), "{variable:?}: {refused}");
        }
    }
}
