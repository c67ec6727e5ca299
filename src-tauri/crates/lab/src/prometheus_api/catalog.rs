//! What there is: series, label names and values, metadata.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, State};
use lab_metrics::{Labels, Matcher};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::json;

use super::PrometheusApi;
use super::params::Params;
use super::reply::{ApiError, ApiResult, success};

pub(super) async fn series(State(api): State<PrometheusApi>, params: Params) -> ApiResult {
    let selectors = params.matchers()?;
    if selectors.is_empty() {
        return Err(ApiError::bad_data("no match[] parameter provided"));
    }
    let (start_ms, end_ms) = params.range_ms()?;
    let of = |matchers: &Vec<Matcher>| api.store.series(matchers, start_ms, end_ms);
    let found: BTreeSet<Labels> = selectors.iter().flat_map(of).collect();
    let found: Vec<_> = found.iter().take(params.limit("limit")?).map(LabelMap).collect();
    success(&found)
}

pub(super) async fn label_names(State(api): State<PrometheusApi>, params: Params) -> ApiResult {
    listed(&params, |matchers, (start_ms, end_ms)| api.store.label_names(matchers, start_ms, end_ms))
}

pub(super) async fn label_values(
    State(api): State<PrometheusApi>,
    Path(name): Path<String>,
    params: Params,
) -> ApiResult {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if name.is_empty() || !letters || name.as_bytes()[0].is_ascii_digit() {
        return Err(ApiError::bad_data(format!("invalid label name: {name:?}")));
    }
    listed(&params, |matchers, (start_ms, end_ms)| api.store.label_values(&name, matchers, start_ms, end_ms))
}

/// The union of what `list` gives for each selector, or for all series when there is none.
fn listed(params: &Params, list: impl Fn(&[Matcher], (i64, i64)) -> Vec<String>) -> ApiResult {
    let range_ms = params.range_ms()?;
    let mut selectors = params.matchers()?;
    if selectors.is_empty() {
        selectors.push(Vec::new());
    }
    let found: BTreeSet<String> = selectors.iter().flat_map(|matchers| list(matchers, range_ms)).collect();
    success(&found.into_iter().take(params.limit("limit")?).collect::<Vec<_>>())
}

pub(super) async fn metadata(State(api): State<PrometheusApi>, params: Params) -> ApiResult {
    let found = api.store.metadata(params.get("metric"));
    // One entry a metric: the lab's targets agree on what a metric is.
    let entries = found.into_iter().take(params.limit("limit")?);
    let entries = entries.map(|(metric, metadata)| {
        (metric, [json!({"type": metadata.kind, "help": metadata.help, "unit": ""})])
    });
    success(&entries.collect::<BTreeMap<_, _>>())
}

/// Labels as a JSON object.
struct LabelMap<'a>(&'a Labels);

impl Serialize for LabelMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
