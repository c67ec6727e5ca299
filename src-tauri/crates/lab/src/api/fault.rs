//! Faults that are in effect: failpoints inside members, delays and cuts on the links between them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A failpoint that is set at a member, by the lab or by anyone else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct FailpointView {
    /// Member.
    pub member: String,
    /// Failpoint, such as `walBeforeFdatasync`.
    pub failpoint: String,
    /// Its term, such as `sleep(100)`.
    pub term: String,
    /// How often it was reached since it was set; absent when the member doesn't count.
    pub hits: Option<u64>,
}

/// A failpoint that a member has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct MemberFailpoint {
    /// Member.
    pub member: String,
    /// Failpoint.
    pub failpoint: String,
    /// Its term; absent while it is not set.
    pub term: Option<String>,
    /// How often it was reached since it was set, if it is set and the member counts.
    pub hits: Option<u64>,
}

/// What is done to the bytes that go one way over a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[ts(export_to = "lab.ts")]
pub struct LinkShape {
    /// Milliseconds each chunk is held.
    pub delay_ms: u32,
    /// Milliseconds by which the delay varies, up or down, evenly.
    pub jitter_ms: u32,
    /// Bytes a second at most; no limit when absent.
    pub bandwidth_bytes_s: Option<u64>,
    /// Nothing passes; connections are broken and no new one is let through.
    pub cut: bool,
}

impl LinkShape {
    /// The delay as people read it, `100 ms` or `100 ± 10 ms`; `None` while bytes aren't held.
    #[must_use]
    pub fn delay(&self) -> Option<String> {
        (self.delay_ms > 0).then(|| match self.jitter_ms {
            0 => format!("{} ms", self.delay_ms),
            jitter => format!("{} ± {jitter} ms", self.delay_ms),
        })
    }
}

/// The bytes that one member sends to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct LinkView {
    /// Member that sends.
    pub from: String,
    /// Member that receives.
    pub to: String,
    /// What is done to them.
    pub shape: LinkShape,
    /// Bytes passed in the last second.
    pub rate_bytes_s: f64,
    /// How long chunks that left in the last second were held, mean, milliseconds; absent when none did.
    pub held_ms: Option<f64>,
    /// Connections that carry it now.
    pub connections: u32,
}

/// Every fault in effect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "lab.ts")]
pub struct FaultsView {
    /// Failpoints that are set, by member and name.
    pub failpoints: Vec<FailpointView>,
    /// All links, shaped or not; absent when the cluster's members speak with each other directly.
    pub links: Option<Vec<LinkView>>,
}
