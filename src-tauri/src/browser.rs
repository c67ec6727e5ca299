//! Opens in the person's browser what the lab runs for one: the pages of Prometheus and Grafana. The page names which
//! of the two and no address; where they are is asked of the lab, and nothing but this machine is opened.

use lab::api::{Command, ObserversView, Reply};
use serde::Deserialize;
use tauri::Url;

use crate::bridge::Bridge;

/// A page that may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Page {
    /// Prometheus' own.
    Prometheus,
    /// Grafana's.
    Grafana,
}

/// Opens it; says whether it runs and a browser could be started.
pub async fn open(bridge: &Bridge, page: Page) -> bool {
    let Reply::Snapshot { snapshot } = bridge.send(Command::Snapshot).await else {
        return false;
    };
    let Some(url) = address(&snapshot.observers, page) else {
        return false;
    };
    match open::that_detached(url.as_str()) {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, %url, "no browser can be opened");
            false
        }
    }
}

/// Where the page is while it runs, if that is on this machine.
fn address(observers: &ObserversView, page: Page) -> Option<Url> {
    let ObserversView::On { prometheus_url, grafana_url, .. } = observers else {
        return None;
    };
    let url = Url::parse(match page {
        Page::Prometheus => prometheus_url,
        Page::Grafana => grafana_url,
    });
    url.ok().filter(|url| url.scheme() == "http" && url.host_str() == Some("127.0.0.1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(prometheus: &str, grafana: &str) -> ObserversView {
        ObserversView::On {
            prometheus_url: prometheus.into(),
            grafana_url: grafana.into(),
            user: "admin".into(),
            password: "foobar".into(),
        }
    }

    fn opened(observers: &ObserversView, page: Page) -> Option<String> {
        address(observers, page).map(String::from)
    }

    #[test]
    fn each_page_is_where_the_lab_says() {
        let observers = on("http://127.0.0.1:9090", "http://127.0.0.1:3000");
        assert_eq!(opened(&observers, Page::Prometheus).as_deref(), Some("http://127.0.0.1:9090/"));
        assert_eq!(opened(&observers, Page::Grafana).as_deref(), Some("http://127.0.0.1:3000/"));
    }

    #[test]
    fn nothing_is_opened_while_they_do_not_run() {
        assert_eq!(opened(&ObserversView::Off, Page::Grafana), None);
    }

    #[test]
    fn nothing_but_this_machine_is_opened() {
        for elsewhere in [
            "http://example.org/",
            "file:///etc/passwd",
            "https://127.0.0.1/",
            "http://127.0.0.1.example.org/",
            "x",
        ] {
            assert_eq!(opened(&on(elsewhere, elsewhere), Page::Grafana), None, "{elsewhere}");
        }
    }
}
