//! Staleness, labels and the report series: our scraper and a real Prometheus ask the same server, which drops a
//! series, talks nonsense, goes silent and comes back. After each of its moods both must come to tell the same.
//! The look-back is five minutes and the whole test takes a fraction of it, so without staleness markers on both
//! sides they would not.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lab_metrics::{MemoryStore, ScrapeConfig, Scraper, Target, system_clock};
use lab_promql::{Engine, Semantics, parse};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::answer::{Series, differences, ours, theirs};
use crate::api;
use crate::prometheus::Prometheus;

/// All that is scraped, less what no two scrapers have alike: how long it took, and what was new to each.
const EVERYTHING: &str = r#"{job="test",__name__!~"scrape_duration_seconds|scrape_series_added"}"#;

const FULL: &str = r#"# HELP odd Labels that are not plain.
# TYPE odd gauge
odd{path="C:\\temp",quote="\"",line="a\nb",empty="",stadt="Zürich"} 1
special{value="nan"} NaN
special{value="inf"} +Inf
special{value="minus"} -Inf
special{value="tiny"} 4.9e-324
clash{instance="mine",job="other",exported_job="third"} 7
stays 1
goes 2
"#;

/// `stays` moves, `goes` is gone.
const LESS: &str = "stays 3\n";

/// No exposition, from the first line on. (Of a text that goes wrong further down, 2.42 forgets to end the series
/// before the mistake; ours ends them like the others.)
const NONSENSE: &str = "<html>\nstays 1\n";

#[derive(Clone)]
enum Mood {
    Answer(&'static str),
    Failing,
    Silent,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staleness_and_labels_equal_prometheus() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mood = Arc::new(Mutex::new(Mood::Answer(FULL)));
    let serving = tokio::spawn(serve(listener, mood.clone()));

    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 900ms}}\nscrape_configs: [{{job_name: test, static_configs: \
         [{{targets: ['{address}'], labels: {{instance: member}}}}]}}]\n"
    );
    let prometheus = Prometheus::start(folder.path(), &config).await;
    let store = Arc::new(MemoryStore::default());
    let scraper =
        Scraper::start(ScrapeConfig::default(), store.clone(), system_clock(), &CancellationToken::new())
            .unwrap();
    scraper.set_targets(vec![Target::new("test", "member", &format!("http://{address}/metrics")).unwrap()]);

    let engine = Engine::new(Semantics::V2_42);
    let everything = parse(EVERYTHING).unwrap();
    let moods = [
        (
            "all",
            Mood::Answer(FULL),
            "clash goes odd scrape_samples_post_metric_relabeling scrape_samples_scraped special special special special stays up",
        ),
        (
            "a series is gone",
            Mood::Answer(LESS),
            "scrape_samples_post_metric_relabeling scrape_samples_scraped stays up",
        ),
        ("failing", Mood::Failing, "scrape_samples_post_metric_relabeling scrape_samples_scraped up"),
        (
            "back",
            Mood::Answer(FULL),
            "clash goes odd scrape_samples_post_metric_relabeling scrape_samples_scraped special special special special stays up",
        ),
        (
            "nonsense",
            Mood::Answer(NONSENSE),
            "scrape_samples_post_metric_relabeling scrape_samples_scraped up",
        ),
        (
            "less again",
            Mood::Answer(LESS),
            "scrape_samples_post_metric_relabeling scrape_samples_scraped stays up",
        ),
        ("silent", Mood::Silent, "scrape_samples_post_metric_relabeling scrape_samples_scraped up"),
    ];
    for (name, next, expected) in moods {
        *mood.lock().unwrap() = next;
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let now_ms = system_clock()();
            let our = ours(engine.instant(store.as_ref(), &everything, now_ms).unwrap().value).unwrap();
            let their = theirs(&prometheus.instant(EVERYTHING, now_ms).await.unwrap()).unwrap();
            let differing = differences(&our, &their);
            if differing.is_empty() && metrics(&our) == expected {
                println!("{name}: {} series alike", our.len());
                if name == "all" {
                    api::compare(store.clone(), prometheus.base()).await;
                }
                break;
            }
            assert!(
                Instant::now() < deadline,
                "{name}: expected {expected}, got {}\n{differing}",
                metrics(&our)
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    scraper.stop().await;
    serving.abort();
}

/// The metric names of an answer in order, once a series.
fn metrics(answer: &Series) -> String {
    let mut names: Vec<&str> = answer.keys().map(|labels| labels["__name__"].as_str()).collect();
    names.sort_unstable();
    names.join(" ")
}

async fn serve(listener: TcpListener, mood: Arc<Mutex<Mood>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, mood.clone()));
    }
}

async fn answer(mut stream: TcpStream, mood: Arc<Mutex<Mood>>) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    let mood = mood.lock().unwrap().clone();
    let (status, body) = match mood {
        Mood::Answer(body) => ("200 OK", body),
        Mood::Failing => ("500 Internal Server Error", ""),
        Mood::Silent => std::future::pending().await,
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).await?;
    stream.shutdown().await
}
