//! What Grafana asks of a Prometheus data source, in the order in which a person comes upon it: saving the data source,
//! opening a dashboard, and looking for metrics in Explore. Paths, methods and parameters are those of its
//! `pkg/promlib` and `packages/grafana-prometheus`.

use reqwest::Method;

use super::*;

/// A data source for a Grafana beside a native lab.
const EXAMPLE: &str = include_str!("../../../../../../grafana/examples/lab-as-data-source.yaml");
const README: &str = include_str!("../../../../../../README.md");

/// A request: what it is for, method, path and query, form, and how it is answered.
type Call<'a> = (&'a str, Method, &'a str, &'a [(&'a str, &'a str)], Answer<'a>);

enum Answer<'a> {
    /// With success, and this at that place of the data.
    Data(&'a str, Value),
    /// With that status; Grafana goes on without.
    Status(u16),
}
use Answer::{Data, Status};

const RANGE: [(&str, &str); 2] = [("start", "1700000000"), ("end", "1700000020")];

fn calls() -> Vec<Call<'static>> {
    let (get, post) = (Method::GET, Method::POST);
    vec![
        (
            "is it there",
            post.clone(),
            "query",
            &[("query", "1+1"), ("time", "4")],
            Data("/result", json!([4, "2"])),
        ),
        ("is it there, by GET", get.clone(), "query?query=1%2B1&time=4", &[], Data("/result/1", json!("2"))),
        ("is it Prometheus or Mimir", get.clone(), "status/buildinfo", &[], Data("/version", json!("3.0.0"))),
        ("Mimir would have features", get.clone(), "status/buildinfo", &[], Data("/features", Value::Null)),
        ("recording rules to unfold", get.clone(), "rules", &[], Data("/groups", json!([]))),
        ("rules for the alert list", get.clone(), "rules?type=alert", &[], Data("/groups", json!([]))),
        ("alerts", get.clone(), "alerts", &[], Data("/alerts", json!([]))),
        ("are there exemplars", post.clone(), "query_exemplars", &[("query", "test")], Status(404)),
        ("are there exemplars, by GET", get.clone(), "query_exemplars?query=test", &[], Status(404)),
        ("settings", get.clone(), "status/flags", &[], Status(404)),
        ("targets' metadata", get.clone(), "targets/metadata", &[], Status(404)),
        ("names of labels", post.clone(), "labels", &RANGE, Data("", json!(["__name__", "instance", "job"]))),
        (
            "all metrics, for Explore",
            get.clone(),
            "label/__name__/values?start=1699999980&end=1700000040&limit=40000",
            &[],
            Data("", json!(["puts_total", "up"])),
        ),
        (
            "members of a metric, for a variable",
            get.clone(),
            "label/instance/values?start=1699999980&end=1700000040&match[]=up%7Bjob%3D%22etcd%22%7D",
            &[],
            Data("", json!(["etcd-1", "etcd-2"])),
        ),
        (
            "series of anything",
            post.clone(),
            "series",
            &[
                ("match[]", "{__name__!=\"\"}"),
                ("start", "1700000000"),
                ("end", "1700000020"),
                ("limit", "2"),
            ],
            Data("/1", json!({"__name__": "puts_total", "instance": "etcd-2", "job": "etcd"})),
        ),
        (
            "what metrics mean",
            get.clone(),
            "metadata?limit=40000",
            &[],
            Data("/puts_total/0/type", json!("counter")),
        ),
        (
            "a panel's line",
            post.clone(),
            "query_range",
            &[
                ("query", "rate(puts_total{instance=\"etcd-1\"}[20s])"),
                ("start", "1700000020"),
                ("end", "1700000020"),
                ("step", "1"),
                ("timeout", "60s"),
            ],
            Data(
                "/result",
                json!([{"metric": {"instance": "etcd-1", "job": "etcd"}, "values": [[1_700_000_020, "1"]]}]),
            ),
        ),
        (
            "a stat",
            post,
            "query",
            &[("query", "max(up)"), ("time", "1700000020.123")],
            Data("/result/0/value", json!([1_700_000_020.123, "2"])),
        ),
        (
            "the same by GET, a space as a plus",
            get,
            "query_range?end=1700000020&query=sum+by+%28instance%29+%28up%29&start=1700000000&step=0.5",
            &[],
            Data("/result/1/metric", json!({"instance": "etcd-2"})),
        ),
    ]
}

#[tokio::test]
async fn all_that_grafana_asks_is_answered() {
    let server = Server::start(|_| ()).await;
    for (what, method, path, form, expected) in calls() {
        let url = format!("{}/api/v1/{path}", server.base);
        let mut request = server.client.request(method.clone(), &url);
        if method == Method::POST {
            request = request.form(form);
        }
        match expected {
            Status(status) => assert_eq!(request.send().await.unwrap().status().as_u16(), status, "{what}"),
            Data(at, value) => {
                let (status, answer) = server.send(request).await;
                assert_eq!((status, &answer["status"]), (200, &json!("success")), "{what}: {answer}");
                assert_eq!(answer["data"].pointer(at).unwrap_or(&Value::Null), &value, "{what}: {answer}");
            }
        }
    }
}

#[test]
fn the_example_is_a_data_source_at_the_address_that_the_readme_names() {
    let example: Value = serde_saphyr::from_str(EXAMPLE).unwrap();
    let [source] = example["datasources"].as_array().unwrap().as_slice() else { panic!("one: {example}") };
    assert_eq!((&source["type"], &source["access"]), (&json!("prometheus"), &json!("proxy")));
    assert_eq!(
        (&source["jsonData"]["httpMethod"], &source["jsonData"]["timeInterval"]),
        (&json!("POST"), &json!("1s"))
    );
    let address = source["url"].as_str().unwrap().strip_prefix("http://").unwrap();
    assert!(README.contains(&format!("--serve {address}")), "{address}");
}
