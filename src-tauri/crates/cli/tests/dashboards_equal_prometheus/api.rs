//! Our HTTP API beside Prometheus' own, over what both have scraped from the same server: the same requests get
//! the same status and the same JSON. Of errors, the sentence may differ.

use std::sync::Arc;

use lab::prometheus_api::PrometheusApi;
use lab_metrics::{Storage, system_clock};
use lab_promql::{Engine, Semantics};
use serde_json::Value as Json;
use tokio::net::TcpListener;

type Params<'a> = &'a [(&'a str, &'a str)];

const REQUESTS: &[(&str, Params)] = &[
    ("labels", &[]),
    ("labels", &[("match[]", "odd"), ("match[]", "{value=\"nan\"}")]),
    ("labels", &[("start", "1"), ("end", "2")]),
    ("label/__name__/values", &[]),
    ("label/value/values", &[("match[]", "special")]),
    ("label/stadt/values", &[("match[]", "{__name__=~\"o.*\"}")]),
    ("label/nothing/values", &[]),
    ("series", &[("match[]", "odd"), ("match[]", "{__name__=\"stays\"}")]),
    ("series", &[("match[]", "clash{job=\"test\"}")]),
    ("series", &[("match[]", "nothing")]),
    ("metadata", &[("metric", "odd")]),
    ("metadata", &[("metric", "nothing")]),
    ("rules", &[]),
    ("alerts", &[]),
    ("labels", &[("match[]", "{__name__!=\"\"}"), ("limit", "40000")]),
    ("query", &[("query", "1+1"), ("time", "4")]),
    ("query", &[("query", "1"), ("time", "5")]),
    ("query", &[("query", "\"text\""), ("time", "1.5")]),
    ("query", &[("query", "vector(1e21) or vector(1e-7)"), ("time", "2023-11-14T22:13:20.123Z")]),
    ("query", &[("query", "nothing")]),
    ("query_range", &[("query", "time()"), ("start", "10"), ("end", "20.5"), ("step", "2500ms")]),
    ("query_range", &[("query", "nothing"), ("start", "10"), ("end", "20"), ("step", "5")]),
    ("query", &[]),
    ("query", &[("query", "sum(")]),
    ("query", &[("query", "1"), ("time", "x")]),
    ("query", &[("query", "1"), ("timeout", "x")]),
    ("query", &[("query", "label_replace(up, \"a b\", \"\", \"\", \"\")")]),
    ("query_range", &[("query", "1"), ("start", "2"), ("end", "1"), ("step", "1")]),
    ("query_range", &[("query", "1"), ("start", "1"), ("end", "2"), ("step", "0")]),
    ("query_range", &[("query", "1"), ("start", "0"), ("end", "11001"), ("step", "1")]),
    ("query_range", &[("query", "\"text\""), ("start", "1"), ("end", "2"), ("step", "1")]),
    ("query_range", &[("query", "1")]),
    ("series", &[]),
    ("series", &[("match[]", "{}")]),
    ("series", &[("match[]", "sum(up)")]),
    ("label/a-b/values", &[]),
];

/// Sends every request to both.
pub async fn compare(store: Arc<dyn Storage>, prometheus: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ours = format!("http://{}", listener.local_addr().unwrap());
    let router = PrometheusApi::new(store, Engine::new(Semantics::V2_42), system_clock()).router();
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |base: &str, path: &str, params: Params| {
        let answer = client.get(format!("{base}/api/v1/{path}")).query(params).send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (answer.status().as_u16(), kind, answer.json::<Json>().await.unwrap())
    };
    for (path, params) in REQUESTS {
        let (mut our, mut their) = (ask(&ours, path, params).await, ask(prometheus, path, params).await);
        for (_, _, answer) in [&mut our, &mut their] {
            answer.as_object_mut().unwrap().remove("error");
        }
        assert_eq!(our, their, "{path} {params:?}");
    }
    println!("{} requests answered alike", REQUESTS.len());
    serving.abort();
}
