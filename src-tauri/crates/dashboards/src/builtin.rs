//! The six dashboards of the lab, from the files that Grafana is given too.

use std::sync::LazyLock;

use crate::model::Dashboard;
use crate::read::read;

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        [$((concat!($name, ".json"), include_str!(concat!("../../../../grafana/dashboards/", $name, ".json")))),+]
    };
}

/// Name and text of each file in `grafana/dashboards`, in the order in which a person meets them.
pub const BUILTIN_FILES: [(&str, &str); 6] =
    embedded!["puts", "ranges", "peers", "compaction", "defrag", "etcd"];

/// The six dashboards, in the order of [`BUILTIN_FILES`].
pub fn builtin() -> &'static [Dashboard] {
    static DASHBOARDS: LazyLock<Vec<Dashboard>> = LazyLock::new(|| {
        // The tests read every one of them; a file that couldn't be read would not be built in.
        BUILTIN_FILES.iter().filter_map(|(_, text)| read(text).ok()).collect()
    });
    &DASHBOARDS
}
