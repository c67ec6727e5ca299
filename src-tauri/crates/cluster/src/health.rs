//! Asking a member whether it is well, the way a load balancer would: `GET /health`.

use std::time::Duration;

use serde::Deserialize;

/// What a member says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// It answers a read that needs no quorum.
    pub healthy: bool,
    /// It answers a read that needs one, so it knows a leader.
    pub has_leader: bool,
}

/// etcd's answer (`server/etcdserver/api/etcdhttp/health.go`).
#[derive(Deserialize)]
struct Answer {
    health: String,
}

/// Asks the member at `client` (`http://127.0.0.1:2379`). A full database is no reason not to be ready, so
/// the NOSPACE alarm is left out of the judgement.
pub async fn ask(http: &reqwest::Client, client: &str) -> Health {
    let alone = good(http, format!("{client}/health?serializable=true&exclude=NOSPACE")).await;
    if !alone {
        return Health::default();
    }
    let quorum = good(http, format!("{client}/health?exclude=NOSPACE")).await;
    Health { healthy: true, has_leader: quorum }
}

async fn good(http: &reqwest::Client, url: String) -> bool {
    let Ok(response) = http.get(url).timeout(Duration::from_secs(2)).send().await else { return false };
    response.json::<Answer>().await.is_ok_and(|answer| answer.health == "true")
}
