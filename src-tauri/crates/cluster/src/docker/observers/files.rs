//! The folders that Compose mounts into Prometheus' and Grafana's containers. The lab gives copies instead: its engine
//! may run where this host's paths lead nowhere.

use std::borrow::Cow;
use std::io;

use rust_embed::Embed;

#[derive(Embed)]
#[folder = "../../../prometheus"]
struct Prometheus;

#[derive(Embed)]
#[folder = "../../../grafana"]
struct Grafana;

/// The files below a folder that a Compose file names, such as `../grafana/dashboards`, each with its path in it. None
/// when it is no folder of ours.
pub(super) fn below(source: &str) -> Vec<(String, Cow<'static, [u8]>)> {
    let path = source.strip_prefix("../").unwrap_or(source);
    let (tree, folder) = path.split_once('/').unwrap_or((path, ""));
    match tree {
        "prometheus" => in_folder::<Prometheus>(folder),
        "grafana" => in_folder::<Grafana>(folder),
        _ => Vec::new(),
    }
}

fn in_folder<T: Embed>(folder: &str) -> Vec<(String, Cow<'static, [u8]>)> {
    let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let file = |path: Cow<'static, str>| {
        let name = path.strip_prefix(&start)?.to_owned();
        Some((name, T::get(&path)?.data))
    };
    T::iter().filter_map(file).collect()
}

/// A tar archive, as the engine takes it at the root of a container, with the files of each folder where it belongs:
/// `(source, target)`, such as `("../prometheus", "/etc/prometheus")`.
pub(super) fn archive(folders: &[(String, String)]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (source, target) in folders {
        for (name, content) in below(source) {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            // Its reader there is another user.
            header.set_mode(0o644);
            let path = format!("{}/{name}", target.trim_start_matches('/'));
            archive.append_data(&mut header, path, content.as_ref())?;
        }
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_gets_the_files_of_a_folder_where_compose_would_mount_them() {
        let folders = [
            ("../prometheus".to_owned(), "/etc/prometheus".to_owned()),
            ("../grafana/dashboards".to_owned(), "/var/lib/grafana/dashboards".to_owned()),
        ];
        let bytes = archive(&folders).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let paths: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        for wanted in [
            "etc/prometheus/prometheus.yml",
            "etc/prometheus/rules/members.yml",
            "var/lib/grafana/dashboards/puts.json",
        ] {
            assert!(paths.iter().any(|path| path == wanted), "{wanted} is not in {paths:?}");
        }
        assert!(!paths.iter().any(|path| path.contains("provisioning")), "{paths:?}");
        assert_eq!(below("../elsewhere"), []);
    }
}
