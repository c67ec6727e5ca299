//! Grafana's JSON as far as the lab reads it. Everything is optional and nothing is refused: a field of another
//! shape than expected counts as absent, because a person's own dashboard must open whatever plugin wrote it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// `T`, or its default when the JSON has another shape.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).unwrap_or_default())
}

/// The elements that have the expected shape.
fn lenient_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(items) => {
            items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect()
        }
        _ => Vec::new(),
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Dashboard {
    #[serde(deserialize_with = "lenient")]
    pub uid: String,
    #[serde(deserialize_with = "lenient")]
    pub title: String,
    #[serde(deserialize_with = "lenient")]
    pub description: String,
    #[serde(deserialize_with = "lenient")]
    pub refresh: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub time: Time,
    #[serde(deserialize_with = "lenient")]
    pub templating: Templating,
    #[serde(deserialize_with = "lenient_list")]
    pub panels: Vec<Panel>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Time {
    #[serde(deserialize_with = "lenient")]
    pub from: String,
    #[serde(deserialize_with = "lenient")]
    pub to: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Templating {
    #[serde(deserialize_with = "lenient_list")]
    pub list: Vec<Variable>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Variable {
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    #[serde(deserialize_with = "lenient")]
    pub query: Value,
    #[serde(deserialize_with = "lenient")]
    pub multi: bool,
    #[serde(deserialize_with = "lenient")]
    pub include_all: bool,
    #[serde(deserialize_with = "lenient")]
    pub all_value: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub current: Current,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Current {
    pub value: Value,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Panel {
    #[serde(deserialize_with = "lenient")]
    pub id: Option<u32>,
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    #[serde(deserialize_with = "lenient")]
    pub title: String,
    #[serde(deserialize_with = "lenient")]
    pub description: String,
    #[serde(deserialize_with = "lenient")]
    pub grid_pos: GridPos,
    #[serde(deserialize_with = "lenient")]
    pub datasource: Value,
    #[serde(deserialize_with = "lenient_list")]
    pub targets: Vec<Target>,
    #[serde(deserialize_with = "lenient")]
    pub field_config: FieldConfig,
    #[serde(deserialize_with = "lenient")]
    pub options: Options,
    /// Panels folded into a collapsed row.
    #[serde(deserialize_with = "lenient_list")]
    pub panels: Vec<Panel>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
pub struct GridPos {
    #[serde(deserialize_with = "lenient")]
    pub x: u32,
    #[serde(deserialize_with = "lenient")]
    pub y: u32,
    #[serde(deserialize_with = "lenient")]
    pub w: u32,
    #[serde(deserialize_with = "lenient")]
    pub h: u32,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Target {
    #[serde(deserialize_with = "lenient")]
    pub ref_id: String,
    #[serde(deserialize_with = "lenient")]
    pub datasource: Value,
    #[serde(deserialize_with = "lenient")]
    pub expr: String,
    #[serde(deserialize_with = "lenient")]
    pub legend_format: String,
    #[serde(deserialize_with = "lenient")]
    pub hide: bool,
    #[serde(deserialize_with = "lenient")]
    pub instant: bool,
    #[serde(deserialize_with = "lenient")]
    pub range: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct FieldConfig {
    #[serde(deserialize_with = "lenient")]
    pub defaults: Defaults,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Defaults {
    #[serde(deserialize_with = "lenient")]
    pub unit: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub min: Option<f64>,
    #[serde(deserialize_with = "lenient")]
    pub max: Option<f64>,
    #[serde(deserialize_with = "lenient")]
    pub decimals: Option<u8>,
    #[serde(deserialize_with = "lenient")]
    pub thresholds: Thresholds,
    #[serde(deserialize_with = "lenient_list")]
    pub mappings: Vec<Mapping>,
    #[serde(deserialize_with = "lenient")]
    pub custom: Custom,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Thresholds {
    #[serde(deserialize_with = "lenient_list")]
    pub steps: Vec<Step>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Step {
    #[serde(deserialize_with = "lenient")]
    pub color: String,
    #[serde(deserialize_with = "lenient")]
    pub value: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Mapping {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    #[serde(deserialize_with = "lenient")]
    pub options: Map<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Custom {
    #[serde(deserialize_with = "lenient")]
    pub thresholds_style: ThresholdsStyle,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct ThresholdsStyle {
    #[serde(deserialize_with = "lenient")]
    pub mode: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct Options {
    #[serde(deserialize_with = "lenient")]
    pub reduce_options: ReduceOptions,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct ReduceOptions {
    #[serde(deserialize_with = "lenient")]
    pub calcs: Vec<String>,
}
