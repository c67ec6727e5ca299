//! Content is read from folders: a good one as it is written, a bad one with every mistake at its file and line.

#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::fs;
use std::path::{Path, PathBuf};

use lab::api::{Profile, TopologyName};
use lab::content::{self, Content};
use lab::scenario::model::{Action, Answers, Measure, Scenario, Who};
use lab::{Mistake, ReleaseLine};
use tempfile::TempDir;

const SCENARIO: &str = "07-small/scenario.yaml";
const SLOW: &str = "07-small/steps/slow.md";
const FULL: &str = "07-small/steps/full.md";
const GLOSSARY: &str = "glossary.yaml";
const DIAGRAM: &str = "diagrams/small.yaml";

fn good() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/content")
}

/// A copy of the good folder.
fn copy() -> TempDir {
    fn copy_into(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy_into(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copy_into(&good(), folder.path());
    folder
}

/// Mistakes as `file:line: reason`, with the file's path in the folder.
fn told(folder: &Path, mistakes: &[Mistake]) -> Vec<String> {
    let folder = format!("{}/", folder.display());
    mistakes.iter().map(|mistake| mistake.to_string().replace(&folder, "")).collect()
}

fn read_good() -> Content {
    let (content, mistakes) = content::read_folder(&good());
    assert_eq!(told(&good(), &mistakes), [""; 0]);
    content
}

fn scenario(content: &Content, profile: Profile, line: ReleaseLine) -> Scenario {
    content.scenario("small", profile, line).unwrap().clone()
}

#[test]
fn what_comes_with_the_lab_has_no_mistake() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let (content, mistakes) = content::read_folder(&folder);
    assert_eq!(told(&folder, &mistakes), [""; 0]);
    let ids = |content: &Content| -> Vec<String> {
        content.scenarios.iter().map(|scenario| scenario.id().to_owned()).collect()
    };
    // Nothing was left out, and what is embedded is what lies there.
    assert_eq!(ids(content::builtin()), ids(&content));
    assert_eq!(content::builtin().diagrams, content.diagrams);
    assert_eq!(content::builtin().glossary.ids(), content.glossary.ids());
    assert!(!content.scenarios.is_empty());
}

#[test]
fn a_scenario_is_read_for_each_profile_and_release_line() {
    let content = read_good();
    let cases = [
        (Profile::Quick, ReleaseLine::V3_5, (2, 200, 134_217_728, 20)),
        (Profile::Quick, ReleaseLine::V3_7, (2, 200, 134_217_728, 30)),
        (Profile::Talk, ReleaseLine::V3_5, (8, 1000, 2_147_483_648, 60)),
        (Profile::Talk, ReleaseLine::V3_7, (8, 1000, 2_147_483_648, 30)),
    ];
    for (profile, line, expected) in cases {
        let scenario = scenario(&content, profile, line);
        let Action::Load { spec, .. } = &scenario.steps[0].stage[0] else { panic!("a load comes first") };
        let within = scenario.steps[0].check.within_s;
        let quota = scenario.quota_bytes.unwrap();
        assert_eq!((scenario.minutes, spec.clients, quota, within), expected);
        assert_eq!((scenario.number, scenario.profile), (7, profile));
        assert_eq!(scenario.topology, TopologyName::EtcdBridge);
    }
}

#[test]
fn texts_are_split_where_their_sections_begin() {
    let content = read_good();
    let on = |line| scenario(&content, Profile::Quick, line).steps[0].text.clone();
    let text = on(ReleaseLine::V3_5);
    assert_eq!(text.title, "One slow follower slows nobody");
    assert!(
        text.body.starts_with("With 200 clients, slow down the [fsync](term:fsync) of @slow"),
        "{}",
        text.body
    );
    assert!(text.body.ends_with("| `a` | b   |"), "{}", text.body);
    assert_eq!(text.hint.as_deref(), Some("Ask @slow."));
    assert!(text.why.ends_with("### More\n\nMore of it."), "{}", text.why);
    assert!(on(ReleaseLine::V3_7).why.ends_with("More of it.\n\nIt takes 30 s there."));
}

#[test]
fn what_is_written_is_what_is_read() {
    let scenario = scenario(&read_good(), Profile::Quick, ReleaseLine::V3_5);
    let [slow, full] = scenario.steps.as_slice() else { panic!("two steps") };
    assert_eq!((slow.to_be_found, full.to_be_found), (false, true));
    let Action::Link { from, to, both, shape } = &slow.actions[1] else { panic!("a link comes second") };
    assert_eq!(from, &[Who::Leader]);
    assert_eq!(to, &[Who::Member("etcd-2".into()), Who::Role("slow".into())]);
    assert_eq!((*both, shape.delay_ms, shape.bandwidth_bytes_s, shape.cut), (true, 10, Some(1 << 20), false));
    let Action::Failpoint { members, name, term } = &slow.actions[0] else {
        panic!("a failpoint comes first")
    };
    assert_eq!(
        (members.as_slice(), name.as_str(), term.as_str()),
        ([Who::Role("slow".into())].as_slice(), "walBeforeFdatasync", "sleep(100)")
    );
    let half = &slow.check.all[1];
    assert_eq!(
        (half.with.number, half.with.times.as_deref(), half.unit.grafana_id()),
        (0.5, Some("fast"), "ops")
    );
    assert!((slow.check.all[0].with.number - 0.1).abs() < 1e-12);
    assert_eq!(
        (slow.panels[0].title.as_str(), slow.arrows.as_slice()),
        ("disk: wal fsync duration p99", [1, 2].as_slice())
    );
    assert_eq!((slow.remember[0].name.as_str(), slow.remember[0].unit.grafana_id()), ("late", "s"));
    let Answers::Level { level, actual: Measure::Load { name, .. }, .. } =
        &full.predict.as_ref().unwrap().answers
    else {
        panic!("a level is asked for")
    };
    assert_eq!((level.logarithmic, level.max, name.as_str()), (true, 10.0, "reads"));
}

/// Edit of a file of the good folder → where it is told, and what.
type Case = (&'static str, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    // The shape: what is found first ends the reading of the file.
    (SCENARIO, "title: Small", "titel: Small", "07-small/scenario.yaml:2: unknown field `titel`"),
    (SCENARIO, "    do:\n", "    doo:\n", "07-small/scenario.yaml:36: unknown field `doo`"),
    (SCENARIO, "- compact: {}", "- compakt: {}", "07-small/scenario.yaml:95: unknown variant `compakt`"),
    (
        SCENARIO,
        "minutes: { quick: 2, talk: 8 }",
        "minutes: { quick: 2 }",
        "07-small/scenario.yaml:4: missing field `talk`",
    ),
    (SCENARIO, "of: p99", "of: p98", "07-small/scenario.yaml:74: unknown variant `p98`"),
    (
        SCENARIO,
        "quota: ${quota}",
        "quota: [",
        "07-small/scenario.yaml:8: while parsing a flow mapping, did not find expected ',' or '}'",
    ),
    (
        SCENARIO,
        "    solve:",
        "    check: { within: 1, all: [] }\n    solve:",
        "07-small/scenario.yaml:102: duplicate mapping key `check` is not allowed here",
    ),
    // Values.
    (SCENARIO, "within: ${late}", "within: ${later}", "07-small/scenario.yaml:45: there is no value later"),
    (
        SCENARIO,
        "quick: { clients: 200,",
        "quick: { clients: 200, spare: 1,",
        "07-small/scenario.yaml:8: nothing uses the value spare",
    ),
    (SLOW, "${clients}", "${client}", "07-small/steps/slow.md:3: there is no value client"),
    // The scenario and its folder.
    (
        SCENARIO,
        "quota: 128MiB",
        "quota: 128 MB",
        r#"07-small/scenario.yaml:6: "128 MB" is no size: a whole number of bytes, or one followed by KiB, MiB or GiB"#,
    ),
    (
        SCENARIO,
        "id: small",
        "id: Small Things",
        "07-small/scenario.yaml:1: an id is made of small letters, digits and -",
    ),
    (SCENARIO, "- id: full", "- id: slow", "07-small/scenario.yaml:80: another step has the id slow too"),
    (SCENARIO, "- id: full", "- id: empty", "07-small/scenario.yaml:80: its text is missing: steps/empty.md"),
    (
        SCENARIO,
        "topology: etcd-bridge",
        "topology: etcd",
        "07-small/scenario.yaml:38: links can be shaped on the topology etcd-bridge only",
    ),
    (
        SCENARIO,
        "delayMs: 10,",
        "delayMs: 10, jitterMs: 11,",
        "07-small/scenario.yaml:38: a jitter of 11ms is larger than the delay, 10ms",
    ),
    (
        SCENARIO,
        "bandwidth: 1MiB",
        "bandwidth: 0MiB",
        "07-small/scenario.yaml:38: a bandwidth of 0 bytes a second lets nothing pass; cut the link instead",
    ),
    // Names.
    (
        SCENARIO,
        "bind: { slow: follower }",
        r#"bind: { slow: "@boss" }"#,
        "07-small/scenario.yaml:24: this step has given nobody the role @boss yet",
    ),
    (
        SCENARIO,
        "bind: { slow: follower }",
        "bind: { 2nd: follower }",
        r#"07-small/scenario.yaml:24: "2nd" can't be written as @name: letters, digits and _ after a letter"#,
    ),
    (
        SCENARIO,
        "bind: { slow: follower }",
        "bind: { fast: follower }",
        "07-small/scenario.yaml:24: @fast is a remembered value already",
    ),
    (
        SCENARIO,
        "bind: { slow: follower }",
        "bind: { slow: etcd-4 }",
        r#"07-small/scenario.yaml:24: "etcd-4" is none of all, leader, follower"#,
    ),
    (
        SCENARIO,
        r#"members: ["@slow"]"#,
        r#"members: ["@slwo"]"#,
        "07-small/scenario.yaml:37: this step has given nobody the role @slwo yet",
    ),
    (
        SCENARIO,
        r#"members: ["@slow"]"#,
        "members: []",
        "07-small/scenario.yaml:37: no member is meant; [all] means all",
    ),
    (
        SCENARIO,
        "when @slow is slow",
        "when @slwo is slow",
        "07-small/scenario.yaml:32: @slwo is not known here: no role",
    ),
    (SCENARIO, "0 * @fast", "0 * @late", "07-small/scenario.yaml:50: @late is not known here: no role"),
    (
        SCENARIO,
        "missed: Fewer than @fast.",
        "missed: Fewer than @late.",
        "07-small/scenario.yaml:61: @late is not known here: no role",
    ),
    (
        SCENARIO,
        ">= 0.5 * @fast",
        ">= 0.5 * @slow",
        "07-small/scenario.yaml:59: a role has no value to compare with",
    ),
    (
        SCENARIO,
        "remember: { name: fast, over: 5",
        "remember: { name: fast, over: 0",
        "07-small/scenario.yaml:23: the mean is taken over 1 second at least",
    ),
    (
        SLOW,
        "@fast before",
        "@late before",
        "07-small/steps/slow.md:4: @late is not known when this is shown: no role",
    ),
    (
        SLOW,
        "Ask @slow",
        "Ask @late",
        "07-small/steps/slow.md:12: @late is not known when this is shown: no role",
    ),
    (
        SLOW,
        "@late. Read",
        "@later. Read",
        "07-small/steps/slow.md:16: @later is not known when this is shown: no role",
    ),
    (
        FULL,
        "@boss knew",
        "@fast knew",
        "07-small/steps/full.md:7: @fast is not known when this is shown: no role",
    ),
    (
        SLOW,
        "# One slow follower",
        "# One slow follower @slow",
        "07-small/steps/slow.md:1: a heading is shown in lists, where no @name is known",
    ),
    // Loads.
    (
        SCENARIO,
        "- stopLoad: puts",
        "- stopLoad: put",
        "07-small/scenario.yaml:78: this step starts no load put: its stage or its actions have to",
    ),
    (
        SCENARIO,
        "waitLoad: { name: reads",
        "waitLoad: { name: puts",
        "07-small/scenario.yaml:99: this step starts no load puts: its stage or its actions have to",
    ),
    (
        SCENARIO,
        "errors: { name: reads",
        "errors: { name: puts",
        "07-small/scenario.yaml:107: this step starts no load puts: its stage or its actions have to",
    ),
    (SCENARIO, "conns: 10,", "conns: 0,", "07-small/scenario.yaml:14: conns: must be at least 1, not 0"),
    (
        SCENARIO,
        "sequentialKeys: true",
        "sequentialKeys: true, keySpaceSize: 1000, keySize: 1",
        "07-small/scenario.yaml:14: keySize: a key space of 1000 needs keys of at least 2 bytes, not 1",
    ),
    (SCENARIO, "sequentialKeys: true", "key: /", "07-small/scenario.yaml:14: a load of kind put has no key"),
    (
        SCENARIO,
        "key: /, serializable",
        "serializable",
        "07-small/scenario.yaml:82: a load of kind range has a key",
    ),
    // Questions.
    (SCENARIO, "right: false", "right: true", "07-small/scenario.yaml:32: one choice is right, not 2"),
    (SCENARIO, "right: true", "right: false", "07-small/scenario.yaml:32: one choice is right, not 0"),
    (
        SCENARIO,
        "scale: log",
        "scale: log\n        sacle: log",
        "07-small/scenario.yaml:91: unknown field `sacle`",
    ),
    (SCENARIO, "min: 0.001", "min: 0", "07-small/scenario.yaml:87: a logarithmic scale begins above 0"),
    (SCENARIO, "min: 0.001", "min: 20", "07-small/scenario.yaml:87: `min` must be less than `max`"),
    (SCENARIO, "factor: 2", "factor: 1", "07-small/scenario.yaml:87: `factor` is more than 1"),
    (
        SCENARIO,
        "        unit: s\n        factor",
        "        unit: ops\n        factor",
        r#"07-small/scenario.yaml:87: the level is drawn on a panel whose unit is "s""#,
    ),
    // Conditions.
    (
        SCENARIO,
        "+ 0 * @fast",
        "+ (0 * @fast",
        "07-small/scenario.yaml:50: the query is not understood: at byte 126: '(' is never closed",
    ),
    (
        SCENARIO,
        "            histogram_quantile",
        r#"            "x" or histogram_quantile"#,
        "07-small/scenario.yaml:50: the query is not understood: at byte 0",
    ),
    (
        SCENARIO,
        "          unit: s\n",
        "",
        "07-small/scenario.yaml:48: a query's values have a unit: say `unit`, `short` for plain numbers",
    ),
    (
        SCENARIO,
        "unit: s\n          each",
        "unit: furlong\n          each",
        r#"07-small/scenario.yaml:52: the lab can't write the unit "furlong""#,
    ),
    (
        SCENARIO,
        r#"each: ">= 100ms""#,
        r#"each: ">= 100MiB""#,
        r#"07-small/scenario.yaml:53: "100MiB" doesn't go with the unit "s""#,
    ),
    (
        SCENARIO,
        r#"each: ">= 100ms""#,
        r#"each: "100ms""#,
        r#"07-small/scenario.yaml:53: "100ms" begins with none of >=, <=, ==, !=, >, <"#,
    ),
    (
        SCENARIO,
        r#"each: ">= 100ms""#,
        "each: \">= 100ms\"\n          some: \"> 0\"",
        "07-small/scenario.yaml:48: a condition has just one of each, some and sum",
    ),
    (
        SCENARIO,
        r#"some: ">= 0.5"#,
        "count: 2\n          some: \">= 0.5",
        "07-small/scenario.yaml:59: `count` goes with `each`",
    ),
    (
        SCENARIO,
        "held: {}",
        "held: {}\n          cut: {}",
        "07-small/scenario.yaml:67: just one thing is measured",
    ),
    (SCENARIO, "          held: {}\n", "", "07-small/scenario.yaml:67: just one thing is measured"),
    (
        SCENARIO,
        "alarm: NOSPACE",
        "alarm: NOSPAC",
        r#"07-small/scenario.yaml:27: "NOSPAC" is no alarm: NOSPACE, CORRUPT"#,
    ),
    (
        SCENARIO,
        "code: ResourceExhausted",
        "code: RESOURCE_EXHAUSTED",
        r#"07-small/scenario.yaml:107: "RESOURCE_EXHAUSTED" is no gRPC code"#,
    ),
    (
        SCENARIO,
        "hits: walBeforeFdatasync",
        "hits: walBeforeSync",
        "07-small/scenario.yaml:63: this step sets no failpoint walBeforeSync",
    ),
    (SCENARIO, "{wanted}", "{want}", "07-small/scenario.yaml:56: {want} stands for nothing here"),
    (SCENARIO, "met: The load runs.", r#"met: """#, "07-small/scenario.yaml:21: this says nothing"),
    (
        SCENARIO,
        "      hold: 5",
        "      hold: 20",
        "07-small/scenario.yaml:45: `within` must be longer than `hold`, or it can't be met",
    ),
    // What is looked at.
    (
        SCENARIO,
        "dashboard: Puts",
        "dashboard: Putts",
        r#"07-small/scenario.yaml:41: there is no dashboard "Putts""#,
    ),
    (
        SCENARIO,
        r#"duration p99" }"#,
        r#"duration p98" }"#,
        r#"07-small/scenario.yaml:41: dashboard Puts has no panel "disk: wal fsync duration p98""#,
    ),
    (
        SCENARIO,
        "diagram: small",
        "diagram: smaller",
        r#"07-small/scenario.yaml:42: there is no diagram "smaller", but small"#,
    ),
    (
        SCENARIO,
        "      diagram: small\n",
        "",
        "07-small/scenario.yaml:42: arrows are those of a diagram: say which",
    ),
    (
        SCENARIO,
        "arrows: [1, 2]",
        "arrows: [1, 3]",
        "07-small/scenario.yaml:43: diagram small has arrows 1 to 2, not 3",
    ),
    // Actions.
    (
        SCENARIO,
        "    solve:",
        "    do: []\n    solve:",
        "07-small/scenario.yaml:80: a step has `do`, or `solve` when the person is to find it, not both",
    ),
    (
        SCENARIO,
        "bandwidth: 1MiB",
        "bandwidth: 1MB",
        r#"07-small/scenario.yaml:38: "1MB" is no size: a whole number of bytes, or one followed by KiB, MiB or GiB"#,
    ),
    (
        SCENARIO,
        "sleep(${slow})",
        "sleep(10s)",
        "07-small/scenario.yaml:37: the term is not understood: `sleep(10s)`, character 9: a duration is a text:",
    ),
    // Texts.
    (SLOW, "# One slow", "One slow", "07-small/steps/slow.md:1: the text begins with its claim, `# …`"),
    (
        SLOW,
        "## Hint",
        "# Hint",
        "07-small/steps/slow.md:10: the claim, `# …`, is the first heading and the only one of its kind",
    ),
    (
        SLOW,
        "## Hint",
        "## Hints",
        r#"07-small/steps/slow.md:10: a section is called Hint, Why, On 3.5 or On 3.7, not "Hints""#,
    ),
    (SLOW, "## Why", "## Because", "07-small/steps/slow.md:1: there is no section `## Why`"),
    (
        SLOW,
        "## On 3.7",
        "## On 3.8",
        r#"07-small/steps/slow.md:22: a section is called Hint, Why, On 3.5 or On 3.7, not "On 3.8""#,
    ),
    (SLOW, "## On 3.7", "## Hint", r#"07-small/steps/slow.md:22: there is another section "Hint" already"#),
    (SLOW, "Ask @slow.", "", r#"07-small/steps/slow.md:10: nothing stands under "Hint""#),
    (SLOW, "term:fsync", "term:fsyncs", r#"07-small/steps/slow.md:3: the glossary has no term "fsyncs""#),
    (SLOW, "arrow:1", "arrow:3", r#"07-small/steps/slow.md:3: the diagram has arrows 1 to 2, not "3""#),
    (GLOSSARY, "term:put", "term:putt", r#"glossary.yaml:5: the glossary has no term "putt""#),
    (GLOSSARY, "- id: put", "- id: fsync", "glossary.yaml:9: another term has the id fsync too"),
    (
        GLOSSARY,
        "etcd_debugging_mvcc_put_total",
        "put total",
        r#"glossary.yaml:13: "put total" is no metric's name"#,
    ),
    (
        GLOSSARY,
        "\"https://etcd.io/\"",
        "etcd.io",
        "glossary.yaml:15: a link has a text and an address, https://…",
    ),
    (DIAGRAM, "place: 1\n", "", "diagrams/small.yaml:7: missing field `place`"),
    (
        FULL,
        "Empty it.",
        "Empty [it](arrow:1).",
        "07-small/steps/full.md:3: there is no diagram here whose arrow this could be",
    ),
    (
        SLOW,
        "https://etcd.io",
        "http://etcd.io",
        r#"07-small/steps/slow.md:16: a link leads to https://…, term:… or arrow:…, not to "http://etcd.io/docs/""#,
    ),
    (
        SLOW,
        "Ask @slow.",
        "Ask <member>.",
        "07-small/steps/slow.md:12: HTML such as <member> is not shown; write `<member>`",
    ),
    (SLOW, "Ask @slow.", "![a picture](a.png)", "07-small/steps/slow.md:12: pictures are not shown"),
];

#[test]
fn every_step_tells_its_first_mistake_in_shape() {
    let folder = copy();
    let path = folder.path().join(SCENARIO);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("    check:", "    chekc:").replace("id: small", "id: small\ncolour: red"))
        .unwrap();
    let (content, mistakes) = content::read_folder(folder.path());
    let places: Vec<(u64, &str)> =
        mistakes.iter().map(|mistake| (mistake.line, mistake.reason.split(", ").next().unwrap())).collect();
    let of = |field| format!("unknown field `{field}`");
    let (colour, check) = (of("colour"), of("chekc"));
    assert_eq!(places, [(2, colour.as_str()), (45, check.as_str()), (102, check.as_str())]);
    assert!(content.scenarios.is_empty());
}

#[test]
fn each_mistake_is_named_with_its_file_and_line() {
    let mut wrong = Vec::new();
    for (file, from, to, expected) in CASES {
        let folder = copy();
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let (_, mistakes) = content::read_folder(folder.path());
        let told = crate::told(folder.path(), &mistakes);
        if !told.iter().any(|mistake| mistake.starts_with(expected)) {
            wrong.push(format!("{from:?} → {to:?} gives {told:#?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
