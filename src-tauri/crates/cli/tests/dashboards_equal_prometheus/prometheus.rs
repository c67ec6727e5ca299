//! A real Prometheus as a child process, on a free port of the loopback, ended with its handle.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lab_metrics::Queryable;
use lab_metrics::store::write_openmetrics;
use serde_json::Value as Json;

/// Turns every sample of `store` into blocks under `data`, by way of OpenMetrics text; returns how many.
pub fn fill(data: &Path, store: &dyn Queryable) -> u64 {
    let text = data.with_extension("openmetrics");
    let mut out = std::io::BufWriter::new(File::create(&text).unwrap());
    let written = write_openmetrics(store, &[], &mut out).unwrap();
    out.into_inner().unwrap().sync_all().unwrap();
    let mut promtool = Command::new("promtool");
    promtool.args(["tsdb", "create-blocks-from", "--quiet", "openmetrics"]).arg(&text).arg(data);
    let output = promtool.output().expect("promtool can't be run: install Debian's package prometheus");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::remove_file(&text).unwrap();
    written
}

/// A running Prometheus.
pub struct Prometheus {
    child: Child,
    base: String,
    client: reqwest::Client,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// Starts over the blocks in `folder/data`, with a configuration, and waits until it is ready.
    pub async fn start(folder: &Path, config: &str) -> Self {
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = File::create(folder.join("prometheus.log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus can't be run: install Debian's package prometheus");
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut started = Self { child, base: format!("http://{address}"), client };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !started.is_ready().await {
            let log = || std::fs::read_to_string(folder.join("prometheus.log")).unwrap_or_default();
            assert!(started.child.try_wait().unwrap().is_none(), "Prometheus ended: {}", log());
            assert!(Instant::now() < deadline, "Prometheus is not ready: {}", log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        started
    }

    /// `http://127.0.0.1:…`.
    pub fn base(&self) -> &str {
        &self.base
    }

    async fn is_ready(&self) -> bool {
        let answer = self.client.get(format!("{}/-/ready", self.base)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// The `data` of an answer, or the whole answer when it is an error.
    async fn ask(&self, path: &str, params: &[(&str, &str)]) -> Result<Json, String> {
        let answer =
            self.client.post(format!("{}/api/v1/{path}", self.base)).form(params).send().await.unwrap();
        let mut answer: Json = answer.json().await.unwrap();
        if answer["status"] == "success" { Ok(answer["data"].take()) } else { Err(answer.to_string()) }
    }

    /// An instant query.
    pub async fn instant(&self, query: &str, t_ms: i64) -> Result<Json, String> {
        self.ask("query", &[("query", query), ("time", &seconds(t_ms))]).await
    }

    /// A range query.
    pub async fn range(&self, query: &str, start_ms: i64, end_ms: i64, step_ms: i64) -> Result<Json, String> {
        let (start, end, step) = (seconds(start_ms), seconds(end_ms), seconds(step_ms));
        self.ask("query_range", &[("query", query), ("start", &start), ("end", &end), ("step", &step)]).await
    }
}

fn seconds(t_ms: i64) -> String {
    format!("{}.{:03}", t_ms / 1000, t_ms % 1000)
}
