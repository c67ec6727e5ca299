use super::*;
use crate::model::{Matcher, Queryable, is_stale};
use crate::store::{MemoryStore, StoreConfig};

const TOOK: Duration = Duration::from_millis(5);

struct Lab {
    store: MemoryStore,
    ingest: Ingest,
}

impl Lab {
    fn new(honor_labels: bool) -> Self {
        Self::with_store(honor_labels, StoreConfig { retention: None, ..StoreConfig::default() })
    }

    fn with_store(honor_labels: bool, config: StoreConfig) -> Self {
        let target = Labels::from_pairs([("job", "etcd"), ("instance", "etcd-1")]);
        Self { store: MemoryStore::new(config), ingest: Ingest::new(target, honor_labels, Limits::default()) }
    }

    fn scrape(&mut self, t_ms: i64, text: &str) -> Scrape {
        self.ingest.ingest(&self.store, t_ms, Ok(text.as_bytes()), || TOOK)
    }

    fn fail(&mut self, t_ms: i64) -> Scrape {
        self.ingest.ingest(&self.store, t_ms, Err(ScrapeError::Status { status: 500 }), || TOOK)
    }

    /// The samples of the only series of `metric`, `stale` for a staleness marker.
    fn samples(&self, metric: &str) -> Vec<(i64, String)> {
        let found = self.store.select(&[Matcher::equal(METRIC_NAME, metric)], i64::MIN, i64::MAX);
        assert!(found.len() <= 1, "{found:?}");
        let shown = |v: f64| if is_stale(v) { "stale".to_owned() } else { v.to_string() };
        found.iter().flat_map(|s| &s.samples).map(|s| (s.t_ms, shown(s.value))).collect()
    }

    fn series(&self, metric: &str) -> Vec<String> {
        let found = self.store.select(&[Matcher::equal(METRIC_NAME, metric)], i64::MIN, i64::MAX);
        let shown = found.iter().map(|series| {
            let labels = series.labels.iter().filter(|(name, _)| *name != METRIC_NAME);
            labels.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        });
        shown.collect()
    }
}

fn samples(of: &[(i64, &str)]) -> Vec<(i64, String)> {
    of.iter().map(|(t_ms, value)| (*t_ms, (*value).to_owned())).collect()
}

#[test]
fn a_good_scrape_and_its_report() {
    let mut lab = Lab::new(false);
    let scrape = lab.scrape(1000, "# TYPE a counter\na 1\nb{l=\"x\"} 2\n");
    assert!(scrape.up());
    assert_eq!((scrape.samples, scrape.series_added, scrape.rejected), (2, 2, 0));
    assert_eq!(lab.series("b"), ["instance=etcd-1 job=etcd l=x"]);
    let scrape = lab.scrape(2000, "a 3\nb{l=\"x\"} 2\nc 1\n");
    assert_eq!((scrape.samples, scrape.series_added), (3, 1));
    assert_eq!(lab.samples("a"), samples(&[(1000, "1"), (2000, "3")]));
    assert_eq!(lab.samples("up"), samples(&[(1000, "1"), (2000, "1")]));
    assert_eq!(lab.samples("scrape_duration_seconds"), samples(&[(1000, "0.005"), (2000, "0.005")]));
    assert_eq!(lab.samples("scrape_samples_scraped"), samples(&[(1000, "2"), (2000, "3")]));
    assert_eq!(lab.samples("scrape_samples_post_metric_relabeling"), samples(&[(1000, "2"), (2000, "3")]));
    assert_eq!(lab.samples("scrape_series_added"), samples(&[(1000, "2"), (2000, "1")]));
    assert_eq!(lab.store.metadata(Some("a"))[0].1.kind, MetricKind::Counter);
}

#[test]
fn a_series_that_vanishes_ends_once_and_may_return() {
    let mut lab = Lab::new(false);
    for (t_ms, text) in [(1, "a 1\nb 1\n"), (2, "a 1\n"), (3, "a 1\n"), (4, "a 1\nb 2\n")] {
        lab.scrape(t_ms, text);
    }
    assert_eq!(lab.samples("b"), samples(&[(1, "1"), (2, "stale"), (4, "2")]));
    assert_eq!(lab.samples("a").len(), 4);
}

#[test]
fn a_failed_scrape_ends_all_series_once() {
    let mut lab = Lab::new(false);
    lab.scrape(1, "a 1\n");
    for t_ms in [2, 3] {
        assert_eq!(lab.fail(t_ms).error, Some(ScrapeError::Status { status: 500 }));
    }
    let recovered = lab.scrape(4, "a 2\n");
    assert_eq!(recovered.series_added, 0);
    assert_eq!(lab.samples("a"), samples(&[(1, "1"), (2, "stale"), (4, "2")]));
    assert_eq!(lab.samples("up"), samples(&[(1, "1"), (2, "0"), (3, "0"), (4, "1")]));
}

#[test]
fn half_an_exposition_is_none() {
    let mut lab = Lab::new(false);
    lab.scrape(1, "a 1\nb 1\n");
    let scrape = lab.scrape(2, "a 2\nnew 1\nb oops\n");
    assert_eq!(
        scrape.error.as_ref().map(ToString::to_string).as_deref(),
        Some("the answer is not an exposition: line 3: the value is not a number")
    );
    assert_eq!(scrape.samples, 2);
    assert_eq!(lab.samples("a"), samples(&[(1, "1"), (2, "stale")]));
    assert_eq!(lab.samples("b"), samples(&[(1, "1"), (2, "stale")]));
    assert_eq!(lab.samples("new"), []);
    let broken = lab.ingest.ingest(&lab.store, 3, Ok(b"a \xff\n"), || TOOK);
    assert_eq!(broken.error, Some(ScrapeError::NotUtf8));
    assert_eq!(lab.scrape(4, "a 2\nnew 1\n").series_added, 1);
}

#[test]
fn removal_ends_all_series_after_the_last_scrape() {
    let mut lab = Lab::new(false);
    lab.ingest.end(&lab.store, 1);
    lab.scrape(5, "a 1\n");
    lab.ingest.end(&lab.store, 5);
    assert_eq!(lab.samples("a"), samples(&[(5, "1"), (6, "stale")]));
    assert_eq!(lab.samples("up"), samples(&[(5, "1"), (6, "stale")]));
    assert_eq!(lab.samples("scrape_series_added"), samples(&[(5, "1"), (6, "stale")]));
}

#[test]
fn exposed_labels_that_the_target_has_too() {
    let text = "a{job=\"other\",exported_job=\"mine\",instance=\"\"} 1\n";
    let mut lab = Lab::new(false);
    lab.scrape(1, text);
    assert_eq!(lab.series("a"), ["exported_exported_job=other exported_job=mine instance=etcd-1 job=etcd"]);
    let mut lab = Lab::new(true);
    lab.scrape(1, text);
    assert_eq!(lab.series("a"), ["exported_job=mine job=other"]);
}

#[test]
fn samples_with_timestamps_of_their_own() {
    let mut lab = Lab::new(false);
    lab.scrape(1000, "a 1 500\n");
    assert_eq!(lab.scrape(2000, "a 2 400\n").rejected, 1);
    assert_eq!(lab.scrape(3000, &format!("a 2 {}\n", 3001 + AHEAD_MS)).rejected, 1);
    lab.scrape(4000, "");
    assert_eq!(lab.samples("a"), samples(&[(500, "1")]));
}

#[test]
fn the_same_series_twice_in_one_scrape() {
    let mut lab = Lab::new(false);
    let scrape = lab.scrape(1, "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\na{x=\"1\",y=\"2\"} 1\n");
    assert_eq!((scrape.samples, scrape.rejected), (3, 1));
    lab.scrape(2, "a{y=\"2\",x=\"1\"} 3\n");
    assert_eq!(lab.samples("a"), samples(&[(1, "1"), (2, "3")]));
}

#[test]
fn a_full_store_keeps_what_it_knows() {
    let mut lab = Lab::with_store(false, StoreConfig { retention: None, max_series: 6 });
    lab.scrape(1, "a 1\n");
    let scrape = lab.scrape(2, "a 2\nb 1\nc 1\n");
    assert!(scrape.up());
    assert_eq!((scrape.refused_series, scrape.series_added), (2, 0));
    assert_eq!(lab.samples("a").len(), 2);
    assert_eq!(lab.samples("up").len(), 2);
}

#[test]
fn series_that_expired_meanwhile_are_taken_in_again() {
    let retention = Some(Duration::from_secs(1));
    let mut lab = Lab::with_store(false, StoreConfig { retention, ..StoreConfig::default() });
    lab.scrape(0, "a 1\n");
    lab.scrape(5000, "a 2\n");
    // The appending of the scrape before this one made everything older than 4 s expire, a's samples too.
    lab.store.expire(6000);
    lab.scrape(10_000, "a 3\n");
    assert_eq!(lab.samples("a"), samples(&[(10_000, "3")]));
    assert_eq!(lab.samples("up"), samples(&[(10_000, "1")]));
}
