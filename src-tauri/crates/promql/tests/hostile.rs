//! Input that a hostile or unlucky person can type. It is answered with an error, soon, and never with a panic: one
//! query must not take the lab down.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lab_metrics::{Labels, Sample};
use lab_promql::promqltest::MemoryStore;
use lab_promql::{
    Engine, EvalError, Interrupt, Limits, MAX_DEPTH, MAX_OPERATORS, MAX_QUERY_BYTES, Semantics, parse,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Far more than any of these takes, and far less than what unbounded input took (25 s).
const SOON: Duration = Duration::from_secs(5);

fn store() -> MemoryStore {
    let mut store = MemoryStore::new();
    for (name, le) in [("a", ""), ("b", ""), ("h_bucket", "1"), ("h_bucket", "+Inf")] {
        let labels = Labels::from_pairs([("__name__", name), ("job", "etcd"), ("le", le)]);
        store.add(labels, (0..60).map(|i| Sample { t_ms: i * 1_000, value: i as f64 }));
    }
    store
}

#[test]
fn texts_beyond_the_bounds_are_refused_at_once() {
    let nested = |open: &str, times: usize, close: &str| open.repeat(times) + "1" + &close.repeat(times);
    let table = [
        ("unclosed calls", "sum(".repeat(20_000)),
        ("unclosed calls within the bytes", "sum(".repeat(4_000)),
        ("signs", "-".repeat(100_000)),
        ("signs within the bytes", "-".repeat(16_000) + "1"),
        ("plus signs", "+".repeat(10_000) + "1"),
        ("parentheses", nested("(", 8_000, ")")),
        ("calls", nested("abs(", 2_000, ")")),
        ("one level too deep", nested("(", MAX_DEPTH + 1, ")")),
        ("one operator too many", "1+".repeat(MAX_OPERATORS + 1) + "1"),
        ("a power tower", "2^".repeat(5_000) + "2"),
        ("set operators", "a or ".repeat(2_000) + "a"),
        ("subqueries", "a".to_owned() + &"[1m:1s]".repeat(2_000)),
        ("a long name", "a".repeat(MAX_QUERY_BYTES + 1)),
        ("brackets", "[".repeat(10_000)),
        ("braces", "{".repeat(10_000)),
        ("quotes", "\"".repeat(9_999)),
    ];
    for (what, text) in table {
        let started = Instant::now();
        assert!(parse(&text).is_err(), "{what} were accepted");
        assert!(started.elapsed() < SOON, "{what} took {:?}", started.elapsed());
    }
}

#[test]
fn texts_at_the_bounds_are_answered() {
    let engine = Engine::default();
    let table = [
        "(".repeat(MAX_DEPTH) + "a" + &")".repeat(MAX_DEPTH),
        "abs(".repeat(MAX_DEPTH) + "a" + &")".repeat(MAX_DEPTH),
        "topk(1,".repeat(MAX_DEPTH) + "a" + &")".repeat(MAX_DEPTH),
        "1+".repeat(MAX_OPERATORS) + "1",
        "-".repeat(MAX_OPERATORS) + "a",
        "a+".repeat(MAX_OPERATORS) + "a",
        "2^".repeat(MAX_OPERATORS) + "a",
        "a or ".repeat(MAX_OPERATORS) + "a",
    ];
    for text in table {
        let started = Instant::now();
        let query = parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let answer = engine
            .range(&store(), &query, 0, 60_000, 1_000)
            .unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(answer.value.series_count(), 1, "{text}");
        assert!(started.elapsed() < SOON, "{:?}: {text}", started.elapsed());
    }
}

#[test]
fn numbers_and_times_out_of_bounds_are_refused() {
    for text in [
        "a[1e300]",
        "a[99999999999999999999]",
        "a{b='\\xff'}",
        "a{b='\\377'}",
        "a[0]",
        "a[0s]",
        "a[99999999999y]",
        "a[99999999999y1s]",
        "a[5m:0s]",
        "a offset inf",
        "a offset -Inf",
        "a offset NaN",
        "a offset 1e300",
        "a @ 1e300",
        "a @ -1e30",
        "a @ inf",
        "a @ NaN",
        "0xffffffffffffffffffff",
        "{__name__=~\".*\"}",
        "a{b=~\"(\"}",
        "a{b=~\"((((((((((a{1000}){1000}){1000}){1000}){1000}){1000})))))\"}",
        "",
        "   ",
        "# nothing",
        "\0",
        "a\u{feff}",
        "é",
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.at <= text.len() && !error.message.is_empty(), "{text}: {error:?}");
    }
}

#[test]
fn mistakes_are_located() {
    for (text, at) in [
        ("sum(a", 3),
        ("sum(a))", 6),
        ("(a]", 2),
        ("a + nosuch(b)", 4),
        ("sum(a) + 'open", 9),
        ("rate(a)", 0),
        ("a + rate(b)", 4),
        ("a b", 2),
        ("a + * b", 4),
        ("a +", 3),
        ("sum by (x (a)", 7),
        ("sum by (x (a))", 10),
        ("a{b=\"c\" d=\"e\"}", 8),
        ("a offset", 8),
        ("a @ b", 4),
    ] {
        let error = parse(text).expect_err(text);
        assert_eq!(error.at, at, "{text}: {error}");
    }
}

#[test]
fn requests_without_sense_are_refused() {
    let (engine, store) = (Engine::default(), store());
    let range = |text: &str, start, end, step| engine.range(&store, &parse(text).unwrap(), start, end, step);
    assert!(matches!(range("a", 0, 1_000, 0), Err(EvalError::BadRequest(_))));
    assert!(matches!(range("a", 0, 1_000, -5), Err(EvalError::BadRequest(_))));
    assert!(matches!(range("a", 1_000, 0, 5), Err(EvalError::BadRequest(_))));
    assert!(matches!(range("a", i64::MIN, i64::MAX, 5), Err(EvalError::BadRequest(_))));
    assert!(matches!(range("a[5m]", 0, 1_000, 5), Err(EvalError::BadRequest(_))));
    assert!(matches!(range("'text'", 0, 1_000, 5), Err(EvalError::BadRequest(_))));
    assert_eq!(range("a", 0, 11_001, 1), Err(EvalError::TooManyPoints { limit: 11_000 }));
    assert!(range("a", 0, 11_000, 1).is_ok());
    assert_eq!(range("a", 0, 11_001, 1).unwrap_err().error_type(), "bad_data");
    let instant = |t_ms| engine.instant(&store, &parse("a").unwrap(), t_ms);
    assert!(matches!(instant(i64::MIN), Err(EvalError::BadRequest(_))));
    assert!(instant(-1_000).is_ok());
}

#[test]
fn long_reaches_into_time_cost_what_is_there() {
    let (engine, store) = (Engine::default(), store());
    let instant = |text: &str| engine.instant(&store, &parse(text).unwrap(), 59_000);
    let started = Instant::now();
    assert_eq!(instant("count_over_time(a[999y])").unwrap().value.series_count(), 1);
    assert_eq!(instant("a offset 999y").unwrap().value.series_count(), 0);
    assert_eq!(instant("a offset -999y").unwrap().value.series_count(), 0);
    assert_eq!(instant("a @ -9e12").unwrap().value.series_count(), 0);
    for text in [
        "count_over_time(vector(1)[999y:1ms])",
        "count_over_time(a[999y:1ms])",
        "max_over_time(a[1y:1s])[1y:1s]",
    ] {
        assert!(matches!(instant(text), Err(EvalError::TooManySamples { .. })), "{text}");
    }
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}

#[test]
fn limits_hold() {
    let limits = Limits { samples: 100, ..Limits::default() };
    let engine = Engine { limits, ..Engine::default() };
    let query = parse("a + b").unwrap();
    assert!(engine.range(&store(), &query, 0, 9_000, 1_000).is_ok());
    let error = engine.range(&store(), &query, 0, 59_000, 1_000).unwrap_err();
    assert_eq!((error.error_type(), error), ("execution", EvalError::TooManySamples { limit: 100 }));
    let engine = Engine { limits: Limits { series: 1, ..Limits::default() }, ..Engine::default() };
    let everything = parse("{job='etcd'}").unwrap();
    let error = engine.instant(&store(), &everything, 1_000).unwrap_err();
    assert_eq!(error, EvalError::TooManySeries { limit: 1, found: 4 });
}

#[test]
fn an_evaluation_can_be_interrupted_in_the_middle() {
    for (interrupt, error, error_type) in [
        (Interrupt::Timeout, EvalError::Timeout, "timeout"),
        (Interrupt::Canceled, EvalError::Canceled, "canceled"),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let engine = Engine::default().with_interrupt(Arc::new(move || {
            (counter.fetch_add(1, Ordering::Relaxed) == 3).then_some(interrupt)
        }));
        let query = parse("sum(rate({job='etcd'}[5s]))").unwrap();
        let result = engine.range(&store(), &query, 0, 59_000, 1_000);
        assert_eq!(result, Err(error.clone()));
        assert_eq!(error.error_type(), error_type);
        assert_eq!(asked.load(Ordering::Relaxed), 4, "it went on after being interrupted");
    }
}

#[test]
fn doubtful_answers_come_with_a_warning() {
    let warnings =
        |text: &str| Engine::default().instant(&store(), &parse(text).unwrap(), 9_000).unwrap().warnings;
    assert!(warnings("histogram_quantile(0.9, h_bucket)").is_empty());
    let of_quantile = ["PromQL warning: quantile value should be between 0 and 1, got 90"];
    assert_eq!(warnings("histogram_quantile(90, h_bucket)"), of_quantile);
    assert_eq!(warnings("quantile(90, a) + quantile(90, b)"), of_quantile);
    let of_bound = ["PromQL warning: bucket label \"le\" is missing or has a malformed value of \"\""];
    assert_eq!(warnings("histogram_quantile(0.9, {job='etcd'})"), of_bound);
}

/// Pieces of PromQL in any order: most is nonsense, some parses, and what parses is evaluated.
#[test]
fn random_texts_never_panic() {
    const SEED: u64 = 0x5eed_0f91_23aa;
    const PIECES: &[&str] = &[
        "a",
        "b",
        "h_bucket",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "[5s]",
        "[5s:1s]",
        "[1m:]",
        ",",
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "==",
        "!=",
        "> bool",
        "<",
        ">=",
        "=~",
        "!~",
        "=",
        "and",
        "or",
        "unless",
        "atan2",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "by",
        "without",
        "bool",
        "(job)",
        "(le)",
        "offset",
        "@",
        "start()",
        "end()",
        "5",
        "0.5",
        "1e3",
        "-1",
        "inf",
        "nan",
        "0x1f",
        "5s",
        "-5s",
        "1h30m",
        "\"x\"",
        "'$1'",
        "`.*`",
        "\"",
        "#",
        "\n",
        " ",
        "é",
        "sum",
        "avg",
        "topk",
        "quantile",
        "count_values",
        "stddev",
        "rate(",
        "increase(",
        "irate(",
        "deriv(",
        "predict_linear(",
        "holt_winters(",
        "histogram_quantile(",
        "label_replace(",
        "label_join(",
        "absent(",
        "absent_over_time(",
        "avg_over_time(",
        "quantile_over_time(",
        "timestamp(",
        "time()",
        "minute()",
        "days_in_month(",
        "scalar(",
        "vector(",
        "sort(",
        "clamp(",
        "round(",
        "{job=\"etcd\"}",
        "{le=~\"1|.*\"}",
    ];
    /// Whole expressions that nest, so that a good share parses.
    const SHAPES: &[&str] = &[
        "sum by (job) (X)",
        "topk(2, X)",
        "-X",
        "(X)",
        "X + X",
        "X == bool X",
        "X > X",
        "X and on (job) X",
        "X or X",
        "X unless X",
        "X / ignoring (le) group_left X",
        "abs(X)",
        "sort_desc(X)",
        "histogram_quantile(0.9, X)",
        "rate(a[5s])",
        "avg_over_time((X)[10s:3s])",
        "quantile_over_time(0.5, b[7s] offset 3s)",
        "absent(X)",
        "label_replace(X, 'job', '$1x', 'le', '(.*)')",
        "scalar(X) * X",
        "vector(time())",
        "count_values('v', X)",
        "quantile(scalar(X), X)",
        "timestamp(X)",
        "hour(X)",
        "a",
        "b",
        "h_bucket",
        "a @ 7",
        "b offset -9s",
        "1",
        "NaN",
        "a[5s]",
        "X @ end()",
        "predict_linear(a[9s], scalar(X))",
        "clamp(X, 1, scalar(X))",
        "round(X, 0)",
        "1 / 0 * X",
        "sum_over_time(X[5s])",
        "stddev(X)",
        "increase((X)[20s:1s] @ 30)",
        "label_join(X, 'z', '-', 'job', 'le')",
    ];
    println!("seed {SEED:#x}");
    let mut random = StdRng::seed_from_u64(SEED);
    let engines = [Engine::new(Semantics::V2_42), Engine::new(Semantics::V3)];
    let store = store();
    let (mut parsed, mut answered) = (0, 0);
    for round in 0..20_000 {
        let text = if round % 2 == 0 {
            let length = random.random_range(1..12);
            (0..length).map(|_| PIECES[random.random_range(0..PIECES.len())]).collect::<Vec<_>>().join(" ")
        } else {
            let mut text = String::from("X");
            for _ in 0..random.random_range(1..8) {
                text = text.replacen('X', SHAPES[random.random_range(0..SHAPES.len())], 1);
            }
            text.replace('X', "a")
        };
        let Ok(query) = parse(&text) else { continue };
        parsed += 1;
        let engine = &engines[round / 2 % 2];
        answered += usize::from(engine.instant(&store, &query, 30_000).is_ok());
        answered += usize::from(engine.range(&store, &query, -5_000, 70_000, 2_500).is_ok());
    }
    println!("{parsed} of 20000 parsed, {answered} answers");
    assert!(
        parsed > 4_000 && answered > 5_000,
        "{parsed} parsed, {answered} answers: too few to mean anything"
    );
}
