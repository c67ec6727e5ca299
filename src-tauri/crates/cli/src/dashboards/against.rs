//! A real Prometheus as judge: it answers every query, and the lab's evaluator, given the same samples, answers it
//! alike. The samples are taken from that Prometheus, so that nothing but the evaluation can differ.

use std::collections::{BTreeMap, BTreeSet};

use lab::api::Problem;
use lab_dashboards::{LOOKBACK_MS, Reads, reads};
use lab_metrics::{Labels, METRIC_NAME, MemoryStore, Sample, Storage, StoreConfig, stale_marker};
use lab_promql::{Engine, Semantics, parse};
use serde_json::Value as Json;

use super::answer::{Series, differences, ours, points, theirs};

/// Length of time that is asked for.
pub const WINDOW_MS: i64 = 300_000;
/// Between two points.
pub const STEP_MS: i64 = 1_000;
/// Scrapes of the last seconds may still be under way, and would be in one answer and not in the other.
const SETTLED_MS: i64 = 5_000;

/// A Prometheus that answers, and the times it is asked for.
pub struct Against {
    base: String,
    client: reqwest::Client,
    engine: Engine,
    start_ms: i64,
    end_ms: i64,
    /// What it has samples of.
    metrics: BTreeSet<String>,
}

/// What came of a query.
pub enum Verdict {
    /// Both sides gave these many points.
    Alike(usize),
    /// It answered, but by its own times; what it reads can't be asked for.
    NotCompared(usize),
    /// Something is wrong.
    Wrong(String),
}

impl Against {
    /// Finds out whose rules it follows, what time it has, and which metrics.
    ///
    /// # Errors
    /// When nothing answers at `url` as a Prometheus does.
    pub async fn connect(url: &str) -> Result<Self, Problem> {
        let problem = |detail: String| {
            let next = "Check the address, such as http://127.0.0.1:9090, and that it runs.";
            Problem::new("no-prometheus", format!("No Prometheus answers at {url}."), next).detail(detail)
        };
        let client =
            reqwest::Client::builder().no_proxy().build().map_err(|error| problem(error.to_string()))?;
        let base = url.trim_end_matches('/').to_owned();
        let mut against = Self {
            base,
            client,
            engine: Engine::new(Semantics::V3),
            start_ms: 0,
            end_ms: 0,
            metrics: BTreeSet::new(),
        };
        let built = against.ask("status/buildinfo", None).await.map_err(problem)?;
        if built["version"].as_str().is_some_and(|version| version.starts_with("2.")) {
            against.engine = Engine::new(Semantics::V2_42);
        }
        let time = against.ask("query", Some(&[("query", "time()")])).await.map_err(problem)?;
        let now_s = time["result"][1].as_str().and_then(|text| text.parse::<f64>().ok());
        let now_s = now_s.ok_or_else(|| problem(format!("its time is {time}")))?;
        against.end_ms = (now_s * 1000.0) as i64 - SETTLED_MS;
        against.start_ms = against.end_ms - WINDOW_MS;
        let metrics = against.ask(&format!("label/{METRIC_NAME}/values"), None).await.map_err(problem)?;
        let metrics = metrics.as_array().into_iter().flatten().filter_map(Json::as_str);
        against.metrics = metrics.map(str::to_owned).collect();
        Ok(against)
    }

    /// Asks `query`, its variables filled in, of both sides.
    pub async fn judge(&self, query: &str) -> Verdict {
        self.verdict(query).await.unwrap_or_else(Verdict::Wrong)
    }

    async fn verdict(&self, query: &str) -> Result<Verdict, String> {
        let their = self.range(query).await?;
        let Some(reads) = reads(query) else { return Ok(Verdict::NotCompared(points(&their))) };
        if let Some(unknown) = reads.metrics.difference(&self.metrics).next().filter(|_| their.is_empty()) {
            return Err(format!("nothing answers it, since there is no metric {unknown}"));
        }
        let store = self.samples(&reads).await?;
        let parsed = parse(query).map_err(|error| error.to_string())?;
        let answer = self.engine.range(&store, &parsed, self.start_ms, self.end_ms, STEP_MS);
        let our = ours(answer.map_err(|error| format!("the lab can't evaluate it: {error}"))?.value);
        let differing = differences(&our.unwrap_or_default(), &their);
        let Some(first) = differing.lines().next() else { return Ok(Verdict::Alike(points(&their))) };
        let count = differing.lines().count();
        Err(format!(
            "Prometheus answers it otherwise at {count} points, of which the first is {}",
            first.trim()
        ))
    }

    /// The samples that a query reads, with a staleness marker where a series was over: none comes with the samples,
    /// but where the selector gives nothing although there is a sample that is young enough, there was one.
    async fn samples(&self, reads: &Reads) -> Result<MemoryStore, String> {
        let mut all: BTreeMap<BTreeMap<String, String>, BTreeMap<i64, f64>> = BTreeMap::new();
        for selector in &reads.selectors {
            let back_ms = reads.back_ms.saturating_add(WINDOW_MS);
            let raw = self.instant(&format!("{selector}[{back_ms}ms]")).await?;
            let seen = self.range(selector).await?;
            for (labels, mut samples) in raw {
                let none = BTreeMap::new();
                let seen = seen.get(&labels).unwrap_or(&none);
                let over: Vec<i64> = (self.start_ms..=self.end_ms)
                    .step_by(STEP_MS as usize)
                    .filter(|t_ms| !seen.contains_key(t_ms))
                    .filter_map(|t_ms| {
                        samples.range(..=t_ms).next_back().map(|(last_ms, _)| (t_ms, *last_ms))
                    })
                    .filter(|(t_ms, last_ms)| t_ms - last_ms < LOOKBACK_MS)
                    .map(|(_, last_ms)| last_ms + 1)
                    .collect();
                samples.extend(over.into_iter().map(|t_ms| (t_ms, stale_marker())));
                all.entry(labels).or_default().extend(samples);
            }
        }
        let store = MemoryStore::new(StoreConfig { retention: None, ..StoreConfig::default() });
        for (labels, samples) in all {
            let id = store.resolve(&Labels::from_pairs(labels)).map_err(|error| error.to_string())?;
            let samples = samples.into_iter().map(|(t_ms, value)| (id, Sample { t_ms, value }));
            store.append(&samples.collect::<Vec<_>>());
        }
        Ok(store)
    }

    async fn instant(&self, query: &str) -> Result<Series, String> {
        self.series("query", &[("query", query), ("time", &seconds(self.end_ms))]).await
    }

    async fn range(&self, query: &str) -> Result<Series, String> {
        let (start, end, step) = (seconds(self.start_ms), seconds(self.end_ms), seconds(STEP_MS));
        self.series("query_range", &[("query", query), ("start", &start), ("end", &end), ("step", &step)])
            .await
    }

    async fn series(&self, path: &str, form: &[(&str, &str)]) -> Result<Series, String> {
        let data = self.ask(path, Some(form)).await?;
        theirs(&data).ok_or_else(|| format!("it answers with a {}, which has no line", data["resultType"]))
    }

    /// The `data` of its answer, or in its words why there is none.
    async fn ask(&self, path: &str, form: Option<&[(&str, &str)]>) -> Result<Json, String> {
        let url = format!("{}/api/v1/{path}", self.base);
        let request = match form {
            Some(form) => self.client.post(url).form(form),
            None => self.client.get(url),
        };
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let mut answer: Json =
            answer.json().await.map_err(|_| format!("it answers {status} without JSON"))?;
        match answer["error"].as_str() {
            Some(error) => Err(format!("Prometheus refuses it: {error}")),
            None => Ok(answer["data"].take()),
        }
    }
}

fn seconds(t_ms: i64) -> String {
    format!("{}.{:03}", t_ms / 1000, t_ms % 1000)
}
