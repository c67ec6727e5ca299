//! Every dashboard query, instant and range, over the same samples on both sides.

use std::collections::{BTreeMap, BTreeSet};

use lab_metrics::{MemoryStore, Queryable, Sample, Storage, StoreConfig, is_stale};
use lab_promql::{Engine, Semantics, parse};

use crate::answer::{Series, differences, ours, points, theirs};
use crate::capture;
use crate::prometheus::{self, Prometheus};
use crate::questions::{Question, SCRAPE_MS, questions};

/// Mismatches shown before the rest is only counted.
const SHOWN: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_dashboard_query_equals_prometheus() {
    let folder = tempfile::tempdir().unwrap();
    let captured = capture::samples(&folder.path().join("cluster")).await;
    let stats = captured.stats();
    println!(
        "{} samples of {} series, {:.2} bytes a sample and {:.2} of labels",
        stats.samples,
        stats.series,
        stats.sample_bytes as f64 / stats.samples as f64,
        stats.label_bytes as f64 / stats.samples as f64,
    );
    let store = without_markers(captured.as_ref());
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    assert_eq!(prometheus::fill(&data, &store), store.stats().samples);
    let prometheus = Prometheus::start(folder.path(), "global: {}\n").await;
    let mut judge =
        Judge { engine: Engine::new(Semantics::V2_42), store, prometheus, tally: Tally::default() };

    let (first_ms, last_ms) = span(&judge.store);
    judge.holds_the_same(last_ms).await;
    // On scrapes and between them, before the first, after the last, and where the look-back has let go of all.
    let window_ms = last_ms - first_ms;
    let spread = (-1..10).map(|tenth| first_ms + window_ms * tenth / 9);
    let times = spread.chain([
        last_ms - 10_000,
        last_ms - 10_137,
        last_ms + 90_000,
        last_ms + 299_999,
        last_ms + 400_000,
    ]);
    for t_ms in times {
        for question in questions(window_ms, SCRAPE_MS) {
            judge.instant(&question, t_ms).await;
        }
    }
    // Steps finer than the scrapes and coarser, starts on scrapes and between, windows that reach beyond the samples.
    let windows = [
        (first_ms, last_ms, 1_000),
        (first_ms - 20_137, last_ms + 20_000, 5_000),
        (first_ms + 411, last_ms, 7_300),
        (last_ms - 20_000, last_ms, 250),
        (first_ms - 900_000, last_ms, 15_000),
    ];
    for window in windows {
        for question in questions(window.1 - window.0, window.2) {
            judge.range(&question, window).await;
        }
    }
    judge.tally.verdict();
}

/// The samples that the export can carry: all but staleness markers.
fn without_markers(captured: &dyn Queryable) -> MemoryStore {
    let store = MemoryStore::new(StoreConfig { retention: None, ..StoreConfig::default() });
    for series in captured.select(&[], i64::MIN, i64::MAX) {
        let id = store.resolve(&series.labels).unwrap();
        let samples: Vec<(_, Sample)> =
            series.samples.iter().filter(|s| !is_stale(s.value)).map(|s| (id, *s)).collect();
        assert_eq!(store.append(&samples).stored, samples.len());
    }
    store
}

fn span(store: &dyn Queryable) -> (i64, i64) {
    let all = store.select(&[], i64::MIN, i64::MAX);
    let times = || all.iter().flat_map(|series| &series.samples).map(|sample| sample.t_ms);
    (times().min().unwrap(), times().max().unwrap())
}

struct Judge {
    engine: Engine,
    store: MemoryStore,
    prometheus: Prometheus,
    tally: Tally,
}

impl Judge {
    /// Both sides hold the same samples: nothing got lost or changed on the way.
    async fn holds_the_same(&self, last_ms: i64) {
        let everything = r#"{__name__=~".+"}[1h]"#;
        let query = parse(everything).unwrap();
        let our = ours(self.engine.instant(&self.store, &query, last_ms).unwrap().value).unwrap();
        let their = theirs(&self.prometheus.instant(everything, last_ms).await.unwrap()).unwrap();
        let differing = differences(&our, &their);
        let shown = differing.lines().take(SHOWN).collect::<Vec<_>>().join("\n");
        assert!(differing.is_empty(), "{} samples differ:\n{shown}", differing.lines().count());
        assert_eq!(points(&our) as u64, self.store.stats().samples);
    }

    async fn instant(&mut self, question: &Question, t_ms: i64) {
        let query = parse(&question.query).unwrap();
        let our = self.engine.instant(&self.store, &query, t_ms).map(|answer| ours(answer.value).unwrap());
        let their = self.prometheus.instant(&question.query, t_ms).await;
        self.tally.note("instant", question, &format!("at {t_ms}"), our.map_err(|e| e.to_string()), their);
    }

    async fn range(&mut self, question: &Question, (start_ms, end_ms, step_ms): (i64, i64, i64)) {
        let query = parse(&question.query).unwrap();
        let our = self
            .engine
            .range(&self.store, &query, start_ms, end_ms, step_ms)
            .map(|answer| ours(answer.value).unwrap());
        let their = self.prometheus.range(&question.query, start_ms, end_ms, step_ms).await;
        let when = format!("from {start_ms} to {end_ms} every {step_ms} ms");
        self.tally.note("range", question, &when, our.map_err(|e| e.to_string()), their);
    }
}

/// What was compared, and what came of it.
#[derive(Default)]
struct Tally {
    /// Answers, those of them that are not empty, and their points, by kind.
    kinds: BTreeMap<&'static str, (usize, usize, usize)>,
    questions: BTreeSet<(&'static str, &'static str)>,
    never_empty: BTreeSet<(&'static str, &'static str)>,
    mismatches: Vec<String>,
}

impl Tally {
    fn note(
        &mut self,
        kind: &'static str,
        question: &Question,
        when: &str,
        our: Result<Series, String>,
        their: Result<serde_json::Value, String>,
    ) {
        let differing = match (&our, &their.map(|data| theirs(&data).unwrap())) {
            (Ok(our), Ok(their)) => {
                let (answers, filled, all) = self.kinds.entry(kind).or_default();
                let points = points(their);
                *answers += 1;
                *filled += usize::from(points > 0);
                *all += points;
                self.questions.insert((question.dashboard, question.panel));
                if points > 0 {
                    self.never_empty.insert((question.dashboard, question.panel));
                }
                differences(our, their)
            }
            (our, their) => format!("  ours {our:?}, Prometheus' {their:?}\n"),
        };
        if !differing.is_empty() {
            let Question { dashboard, panel, query } = question;
            let shown: String = differing.lines().take(SHOWN).map(|line| format!("{line}\n")).collect();
            self.mismatches.push(format!("{dashboard} / {panel}: {query}\n  {kind} {when}\n{shown}"));
        }
    }

    fn verdict(&self) {
        for (kind, (answers, filled, points)) in &self.kinds {
            println!("{kind}: {answers} answers compared, {filled} of them not empty, {points} points");
        }
        println!("{} panels, {} of them with an answer", self.questions.len(), self.never_empty.len());
        for (dashboard, panel) in self.questions.difference(&self.never_empty) {
            println!("always empty: {dashboard} / {panel}");
        }
        let shown = self.mismatches.iter().take(SHOWN).cloned().collect::<String>();
        assert!(self.mismatches.is_empty(), "{} answers differ:\n{shown}", self.mismatches.len());
        // Equal because both sides have nothing to say would prove nothing.
        for (kind, (answers, filled, _)) in &self.kinds {
            assert!(filled * 2 > *answers, "{kind}: only {filled} of {answers} answers are not empty");
        }
    }
}
