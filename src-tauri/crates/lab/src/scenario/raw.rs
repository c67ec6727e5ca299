//! The shape of `scenario.yaml`, with the line of everything that can be wrong in itself. What it means is said in
//! `src-tauri/scenarios/README.md`, and by the types it becomes (`model`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::model::LoadFigure;
use crate::api::{Profile, TopologyName};

/// A text and where it stands.
pub type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    pub id: Text,
    pub title: String,
    pub about: String,
    pub minutes: Minutes,
    #[serde(default)]
    pub topology: TopologyName,
    pub quota: Option<Text>,
    /// Read before, and filled in.
    #[serde(rename = "values")]
    _values: Option<IgnoredAny>,
    pub steps: Vec<Spanned<StepFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minutes {
    pub quick: u32,
    pub talk: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFile {
    pub id: Text,
    pub topic: Option<String>,
    #[serde(default)]
    pub stage: Vec<Spanned<ActionFile>>,
    #[serde(default)]
    pub bind: BTreeMap<String, Text>,
    #[serde(default)]
    pub requires: Vec<Spanned<ConditionFile>>,
    pub predict: Option<Spanned<PredictFile>>,
    #[serde(rename = "do")]
    pub actions: Option<Vec<Spanned<ActionFile>>>,
    pub solve: Option<Vec<Spanned<ActionFile>>>,
    #[serde(default)]
    pub watch: WatchFile,
    pub check: Spanned<CheckFile>,
    #[serde(default)]
    pub remember: BTreeMap<String, Spanned<RememberFile>>,
    #[serde(default)]
    pub cleanup: Vec<Spanned<ActionFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictFile {
    pub question: Text,
    #[serde(default)]
    pub choices: Vec<Spanned<ChoiceFile>>,
    pub level: Option<Spanned<LevelFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceFile {
    pub text: Text,
    pub right: bool,
    pub reply: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelFile {
    pub panel: Spanned<PanelFile>,
    pub min: f64,
    pub max: f64,
    pub scale: Scale,
    pub unit: Text,
    pub factor: f64,
    pub actual: Spanned<ActualFile>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scale {
    Linear,
    Log,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WatchFile {
    pub panels: Vec<Spanned<PanelFile>>,
    pub diagram: Option<Text>,
    pub arrows: Vec<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelFile {
    pub dashboard: String,
    pub panel: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ActionFile {
    Load(LoadFile),
    StopLoad(Text),
    WaitLoad(WaitLoadFile),
    Failpoint(FailpointFile),
    ClearFailpoint(ClearFailpointFile),
    Link(LinkFile),
    HealLinks(Nothing),
    Compact(Nothing),
    Delete(DeleteFile),
    Defragment(DefragmentFile),
    Disarm(Nothing),
    Until(Spanned<CheckFile>),
    Remember(Box<RememberNowFile>),
}

/// `{}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoadFile {
    pub name: Text,
    pub kind: Spanned<LoadKind>,
    pub clients: u32,
    pub conns: u32,
    pub total: u64,
    pub rate: Option<u32>,
    pub key_size: Option<u32>,
    pub val_size: Option<u32>,
    pub key_space_size: Option<u64>,
    pub sequential_keys: Option<bool>,
    pub compact_interval_s: Option<u32>,
    pub compact_index_delta: Option<u64>,
    pub key: Option<String>,
    pub range_end: Option<String>,
    pub serializable: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LoadKind {
    Put,
    Range,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitLoadFile {
    pub name: Text,
    pub within: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailpointFile {
    pub members: Vec<Text>,
    pub name: Text,
    pub term: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearFailpointFile {
    pub members: Vec<Text>,
    pub name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkFile {
    pub from: Vec<Text>,
    pub to: Vec<Text>,
    #[serde(default)]
    pub delay_ms: u32,
    #[serde(default)]
    pub jitter_ms: u32,
    pub bandwidth: Option<Text>,
    #[serde(default)]
    pub cut: bool,
    #[serde(default)]
    pub both: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteFile {
    pub prefix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefragmentFile {
    pub members: Vec<Text>,
    #[serde(default)]
    pub background: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckFile {
    pub within: u32,
    #[serde(default)]
    pub hold: u32,
    pub all: Vec<Spanned<ConditionFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureFile {
    pub name: Text,
    pub of: LoadFigure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorsFile {
    pub name: Text,
    pub code: Option<Text>,
    pub message: Option<String>,
}

/// What is measured, as it is written.
pub enum MeasureFile<'a> {
    Query(&'a Text),
    Load(&'a FigureFile),
    Errors(&'a ErrorsFile),
    Alarm(&'a Text),
    LeaderIs(&'a Text),
    LeaderChanges,
    Hits(&'a Text),
    Held,
    Cut,
}

/// A structure with one key more for each thing that can be measured. (Serde could put them in by itself with
/// `flatten`, but then lines are lost and unknown keys are let through.)
macro_rules! with_measure {
    ($name:ident { $($field:ident: $type:ty,)* }) => {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name {
            $(pub $field: $type,)*
            query: Option<Text>,
            load: Option<FigureFile>,
            errors: Option<ErrorsFile>,
            alarm: Option<Text>,
            leader_is: Option<Text>,
            leader_changes: Option<Nothing>,
            hits: Option<Text>,
            held: Option<Nothing>,
            cut: Option<Nothing>,
        }

        impl $name {
            /// What is to be measured, if it says just one thing.
            pub fn measure(&self) -> Option<MeasureFile<'_>> {
                let mut all = [
                    self.query.as_ref().map(MeasureFile::Query),
                    self.load.as_ref().map(MeasureFile::Load),
                    self.errors.as_ref().map(MeasureFile::Errors),
                    self.alarm.as_ref().map(MeasureFile::Alarm),
                    self.leader_is.as_ref().map(MeasureFile::LeaderIs),
                    self.leader_changes.as_ref().map(|_| MeasureFile::LeaderChanges),
                    self.hits.as_ref().map(MeasureFile::Hits),
                    self.held.as_ref().map(|_| MeasureFile::Held),
                    self.cut.as_ref().map(|_| MeasureFile::Cut),
                ]
                .into_iter()
                .flatten();
                let first = all.next();
                if all.next().is_none() { first } else { None }
            }
        }
    };
}

with_measure!(ConditionFile {
    only: Option<Profile>,
    that: Text,
    unit: Option<Text>,
    each: Option<Text>,
    some: Option<Text>,
    sum: Option<Text>,
    count: Option<Spanned<u32>>,
    met: Text,
    missed: Text,
});

with_measure!(RememberFile { unit: Option<Text>, });

with_measure!(RememberNowFile {
    name: Text,
    over: u32,
    unit: Option<Text>,
});

with_measure!(ActualFile {});
