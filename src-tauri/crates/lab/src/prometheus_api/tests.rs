//! The API over a real socket.

mod grafana;

use lab_metrics::exposition::MetricKind;
use lab_metrics::store::Metadata;
use lab_metrics::{Labels, METRIC_NAME, MemoryStore, Sample, StoreConfig};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

const T_MS: i64 = 1_700_000_000_000;

struct Server {
    base: String,
    client: Client,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn store() -> MemoryStore {
    let store = MemoryStore::new(StoreConfig { retention: None, ..StoreConfig::default() });
    for (instance, factor) in [("etcd-1", 1.0), ("etcd-2", 2.0)] {
        for (metric, values) in [("up", [1.0, 1.0, 1.0]), ("puts_total", [10.0, 20.0, 30.0])] {
            let labels = Labels::from_pairs([(METRIC_NAME, metric), ("job", "etcd"), ("instance", instance)]);
            let id = store.resolve(&labels).unwrap();
            for (value, at) in values.into_iter().zip(0..) {
                store.append(&[(id, Sample { t_ms: T_MS + at * 10_000, value: value * factor })]);
            }
        }
    }
    store.describe("puts_total", Metadata { kind: MetricKind::Counter, help: "Puts.".into() });
    store.describe("odd", Metadata { kind: MetricKind::Untyped, help: String::new() });
    store
}

impl Server {
    async fn start(change: impl FnOnce(&mut PrometheusApi)) -> Self {
        let clock: Clock = Arc::new(|| T_MS + 20_000);
        let mut api = PrometheusApi::new(Arc::new(store()), Engine::new(Semantics::V3), clock);
        change(&mut api);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, api.router()).await.unwrap() });
        Self { base, client: Client::builder().no_proxy().build().unwrap(), task }
    }

    async fn send(&self, request: RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn get(&self, path: &str, params: &[(&str, &str)]) -> (u16, Value) {
        self.send(self.client.get(format!("{}{path}", self.base)).query(params)).await
    }

    async fn post(&self, path: &str, params: &[(&str, &str)]) -> (u16, Value) {
        self.send(self.client.post(format!("{}{path}", self.base)).form(params)).await
    }

    async fn data(&self, path: &str, params: &[(&str, &str)]) -> Value {
        let (status, mut body) = self.get(path, params).await;
        assert_eq!((status, &body["status"]), (200, &json!("success")), "{body}");
        body["data"].take()
    }

    async fn error(&self, path: &str, params: &[(&str, &str)]) -> (u16, String, String) {
        let (status, body) = self.get(path, params).await;
        assert_eq!(body["status"], "error", "{body}");
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        (status, text("errorType"), text("error"))
    }
}

#[tokio::test]
async fn instant_queries_in_every_shape() {
    let server = Server::start(|_| ()).await;
    let query = async |text: &str| server.data("/api/v1/query", &[("query", text)]).await;
    assert_eq!(
        query("up{instance=\"etcd-1\"}").await,
        json!({"resultType": "vector", "result": [
            {"metric": {"__name__": "up", "instance": "etcd-1", "job": "etcd"}, "value": [1_700_000_020, "1"]}
        ]})
    );
    assert_eq!(
        query("1 / 3").await,
        json!({"resultType": "scalar", "result": [1_700_000_020, "0.3333333333333333"]})
    );
    assert_eq!(query("\"a\"").await, json!({"resultType": "string", "result": [1_700_000_020, "a"]}));
    assert_eq!(query("nothing").await, json!({"resultType": "vector", "result": []}));
    let matrix = query("puts_total{instance=\"etcd-1\"}[15s]").await;
    assert_eq!(matrix["result"][0]["values"], json!([[1_700_000_010, "20"], [1_700_000_020, "30"]]));
    let at = [("query", "sum(puts_total)"), ("time", "1700000000.5")];
    assert_eq!(server.data("/api/v1/query", &at).await["result"][0]["value"], json!([1_700_000_000.5, "30"]));
    let at = [("query", "sum(puts_total)"), ("time", "2023-11-14T22:13:30Z")];
    assert_eq!(server.data("/api/v1/query", &at).await["result"][0]["value"], json!([1_700_000_010, "60"]));
}

#[tokio::test]
async fn range_queries_as_grafana_posts_them() {
    let server = Server::start(|_| ()).await;
    let params = [
        ("query", "sum by (instance) (puts_total)"),
        ("start", "1700000000"),
        ("end", "1700000020"),
        ("step", "10"),
    ];
    let (status, body) = server.post("/api/v1/query_range", &params).await;
    let expected = json!({"status": "success", "data": {"resultType": "matrix", "result": [
        {"metric": {"instance": "etcd-1"},
         "values": [[1_700_000_000, "10"], [1_700_000_010, "20"], [1_700_000_020, "30"]]},
        {"metric": {"instance": "etcd-2"},
         "values": [[1_700_000_000, "20"], [1_700_000_010, "40"], [1_700_000_020, "60"]]},
    ]}});
    assert_eq!((status, body), (200, expected.clone()));
    assert_eq!(server.get("/api/v1/query_range", &params).await.1, expected);
    // A form wins over the URL.
    let url = format!("{}/api/v1/query?query=1&time=5", server.base);
    let (_, body) = server.send(server.client.post(url).form(&[("query", "2")])).await;
    assert_eq!(body["data"]["result"], json!([5, "2"]));
}

#[tokio::test]
async fn what_there_is() {
    let server = Server::start(|_| ()).await;
    let range = [("start", "1700000000"), ("end", "1700000020")];
    let with = |extra: &[(&'static str, &'static str)]| [&range[..], extra].concat();
    assert_eq!(server.data("/api/v1/labels", &range).await, json!(["__name__", "instance", "job"]));
    let matching = with(&[("match[]", "{__name__=~\"u.\"}")]);
    assert_eq!(server.data("/api/v1/label/__name__/values", &matching).await, json!(["up"]));
    let limited = with(&[("limit", "1")]);
    assert_eq!(server.data("/api/v1/label/instance/values", &limited).await, json!(["etcd-1"]));
    let past = [("start", "1600000000"), ("end", "1600000020")];
    assert_eq!(server.data("/api/v1/label/instance/values", &past).await, json!([]));
    let both = with(&[("match[]", "up{instance=\"etcd-2\"}"), ("match[]", "{instance=\"etcd-2\"}")]);
    let expected = json!([
        {"__name__": "puts_total", "instance": "etcd-2", "job": "etcd"},
        {"__name__": "up", "instance": "etcd-2", "job": "etcd"},
    ]);
    assert_eq!(server.data("/api/v1/series", &both).await, expected);
    assert_eq!(server.post("/api/v1/series", &both).await.1["data"], expected);
    let one = server.data("/api/v1/metadata", &[("metric", "puts_total")]).await;
    assert_eq!(one, json!({"puts_total": [{"type": "counter", "help": "Puts.", "unit": ""}]}));
    let all = server.data("/api/v1/metadata", &[]).await;
    assert_eq!(all["odd"][0]["type"], "unknown");
    assert_eq!(server.data("/api/v1/status/buildinfo", &[]).await["version"], "3.0.0");
    for path in ["/-/healthy", "/-/ready"] {
        assert!(
            server.client.get(format!("{}{path}", server.base)).send().await.unwrap().status().is_success()
        );
    }
}

/// Path, parameters, and what is expected: status, error type, part of the message.
type Mistake<'a> = (&'a str, &'a [(&'a str, &'a str)], u16, &'a str, &'a str);

#[tokio::test]
async fn mistakes_are_told_as_prometheus_tells_them() {
    let server = Server::start(|api| api.engine.limits.samples = 10).await;
    let range = |start, end, step| [("query", "up"), ("start", start), ("end", end), ("step", step)];
    let cases: &[Mistake] = &[
        ("query", &[("query", "sum(")], 400, "bad_data", "invalid parameter \"query\": 1:"),
        ("query", &[], 400, "bad_data", "invalid parameter \"query\""),
        (
            "query",
            &[("query", "1"), ("time", "x")],
            400,
            "bad_data",
            "invalid parameter \"time\": cannot parse \"x\"",
        ),
        ("query", &[("query", "{job=\"etcd\"}[1h]")], 422, "execution", "more than 10 samples"),
        (
            "query",
            &[("query", "up + on(job) up"), ("time", "1700000000")],
            422,
            "execution",
            "many-to-many matching not allowed",
        ),
        ("query", &[("query", "up"), ("timeout", "x")], 400, "bad_data", "invalid parameter \"timeout\""),
        (
            "query_range",
            &range("2", "1", "1"),
            400,
            "bad_data",
            "end timestamp must not be before start time",
        ),
        ("query_range", &range("1", "2", "0"), 400, "bad_data", "zero or negative query resolution step"),
        ("query_range", &range("1", "2", "-1s"), 400, "bad_data", "cannot parse \"-1s\" to a valid duration"),
        ("query_range", &range("", "2", "1"), 400, "bad_data", "invalid parameter \"start\""),
        ("query_range", &range("0", "11001", "1"), 400, "bad_data", "exceeded maximum resolution of 11"),
        ("series", &[], 400, "bad_data", "no match[] parameter provided"),
        ("series", &[("match[]", "sum(up)")], 400, "bad_data", "not a series selector"),
        ("series", &[("match[]", "up offset 1m")], 400, "bad_data", "not a series selector"),
        ("series", &[("match[]", "{}")], 400, "bad_data", "invalid parameter \"match[]\""),
        ("series", &[("match[]", "up"), ("start", "2"), ("end", "1")], 400, "bad_data", "must not be before"),
        ("label/a-b/values", &[], 400, "bad_data", "invalid label name: \"a-b\""),
    ];
    for (path, params, status, error_type, message) in cases {
        let (got_status, got_type, got_message) = server.error(&format!("/api/v1/{path}"), params).await;
        assert_eq!(
            (got_status, got_type.as_str()),
            (*status, *error_type),
            "{path} {params:?}: {got_message}"
        );
        assert!(got_message.contains(message), "{path} {params:?}: {got_message}");
    }
    let unknown = server.client.get(format!("{}/api/v1/admin/tsdb/delete_series", server.base));
    assert_eq!(unknown.send().await.unwrap().status().as_u16(), 404);
    let unread = server.client.delete(format!("{}/api/v1/series", server.base));
    assert_eq!(unread.send().await.unwrap().status().as_u16(), 405);
}

#[tokio::test]
async fn a_query_whose_time_is_up_says_so() {
    let server = Server::start(|_| ()).await;
    let query = [("query", "sum_over_time((count({__name__=~\".+\"}))[1d:1s])"), ("timeout", "0")];
    let (status, error_type, message) = server.error("/api/v1/query", &query).await;
    assert_eq!((status, error_type.as_str()), (503, "timeout"), "{message}");
    let none_at_once = Server::start(|api| api.turns = Turns::of(0)).await;
    let query = [("query", "1"), ("timeout", "50ms")];
    let (status, error_type, _) = none_at_once.error("/api/v1/query", &query).await;
    assert_eq!((status, error_type.as_str()), (503, "timeout"));
}
