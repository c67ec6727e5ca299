//! A scenario as a window plays it, over the control socket, on real members: done by hand, broken and set again, left,
//! and kept for the next lab. Needs what `make etcd` builds.
#![expect(clippy::unwrap_used, reason = "a test that can't go on is to fail there")]

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use lab::api::{
    Command, CourseOptions, CourseView, Event, Guess, LoadState, Phase, Ports, Profile, Reply, RuntimeKind,
    ScenarioView, Snapshot, StepPhase,
};
use lab::{Asker, Config, Events, Lab, control};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep, timeout};

/// A fresh cluster, a load and a measurement, on a machine that does other things besides.
const LIMIT: Duration = Duration::from_secs(120);

async fn open(base: &Path) -> Lab {
    Lab::open(Config { base: base.into(), ..Config::standard("app").unwrap() }).await.unwrap()
}

fn slow_disk(ports: Ports) -> CourseOptions {
    CourseOptions {
        scenario: "slow-disk".into(),
        step: None,
        profile: Profile::Quick,
        runtime: RuntimeKind::Native,
        etcd_version: None,
        ports,
        recorded: true,
        without: None,
    }
}

async fn snapshot(asker: &Asker) -> Snapshot {
    match asker.ask(Command::Snapshot).await.unwrap() {
        Reply::Snapshot { snapshot } => *snapshot,
        other => panic!("{other:?}"),
    }
}

async fn scenarios(asker: &Asker) -> Vec<ScenarioView> {
    match asker.ask(Command::Scenarios).await.unwrap() {
        Reply::Scenarios { scenarios } => scenarios,
        other => panic!("{other:?}"),
    }
}

/// Keeps an address taken: by us, or by another program that has it all along. One that has it for a moment, such as
/// another test, is waited for.
async fn hold(address: &str) -> Option<TcpListener> {
    let ours = timeout(Duration::from_secs(30), async {
        loop {
            match TcpListener::bind(address) {
                Ok(listener) => return listener,
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    });
    ours.await.ok()
}

/// Waits until the course is as `wanted`.
async fn course(events: &mut Events, what: &str, wanted: impl Fn(&CourseView) -> bool) -> CourseView {
    let mut last = None;
    let found = timeout(LIMIT, async {
        loop {
            match events.next().await {
                Some(Event::Course { course: Some(course) }) => {
                    if wanted(&course) {
                        return *course;
                    }
                    last = Some(course.step.phase);
                }
                Some(_) => {}
                None => panic!("the lab ended before {what}"),
            }
        }
    });
    let found = found.await;
    found.unwrap_or_else(|_| panic!("{what}: not within {LIMIT:?}; at last {last:?}"))
}

fn is_predicting(step: u32) -> impl Fn(&CourseView) -> bool {
    move |course| course.step.number == step && course.step.phase == StepPhase::Predict
}

fn broken_by(course: &CourseView) -> Option<&str> {
    match &course.step.phase {
        StepPhase::Broken { problem } => Some(&problem.code),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scenario_is_played_by_hand_broken_set_again_left_and_remembered() {
    let base = tempfile::tempdir().unwrap();
    let lab = open(base.path()).await;
    let socket = Path::new(&lab.info().folder).join("control.sock");
    let (asker, mut events) = control::connect(&socket).await.unwrap();
    assert_eq!(asker.ask(Command::DoStep).await.unwrap_err().code, "no-course");
    asker.ask(Command::BeginScenario { options: slow_disk(Ports::Auto) }).await.unwrap();
    assert!(snapshot(&asker).await.course.is_some(), "it is there as soon as it is answered");

    // The person predicts, and does by hand what the step asks for.
    let at = course(&mut events, "the first question", is_predicting(1)).await;
    assert!(at.step.requires.iter().all(|check| check.met));
    assert_eq!(asker.ask(Command::DoStep).await.unwrap_err().code, "not-now");
    let no_answer = Command::Predict { guess: Guess::Choice { choice: 9 } };
    assert_eq!(asker.ask(no_answer).await.unwrap_err().code, "not-now");
    asker.ask(Command::Predict { guess: Guess::Choice { choice: 0 } }).await.unwrap();
    let failpoint = Command::SetFailpoint {
        members: Vec::new(),
        failpoint: "walBeforeFdatasync".into(),
        term: "sleep(100)".into(),
        for_s: None,
    };
    asker.ask(failpoint).await.unwrap();
    let met = course(&mut events, "the check met", |course| course.step.phase == StepPhase::Met).await;
    let step = &met.step;
    assert!(step.why.is_some() && step.prediction.as_ref().unwrap().verdict.is_some(), "{step:?}");
    assert!(step.checks.iter().all(|check| check.met && check.says.contains("easured")), "{step:?}");
    let record = met.steps[0].record.as_ref().unwrap();
    assert!(record.met && !record.solved && record.predicted.is_some() && record.right.is_some());

    // The cluster is stopped from elsewhere; a fresh one puts it right.
    asker.ask(Command::NextStep).await.unwrap();
    course(&mut events, "the second question", is_predicting(2)).await;
    asker.ask(Command::Stop).await.unwrap();
    course(&mut events, "it noticed", |course| broken_by(course) == Some("stopped-meanwhile")).await;
    asker.ask(Command::RestartStep).await.unwrap();
    course(&mut events, "the question again", is_predicting(2)).await;

    // A member ends by itself.
    let victim = snapshot(&asker).await.cluster.unwrap().members[0].pid.unwrap();
    kill_process(Pid::from_raw(i32::try_from(victim).unwrap()).unwrap(), Signal::KILL).unwrap();
    let broken =
        course(&mut events, "it noticed", |course| broken_by(course) == Some("step-lost-member")).await;
    assert!(broken.progress_problem.is_none());
    asker.ask(Command::RestartStep).await.unwrap();
    course(&mut events, "the question again", is_predicting(2)).await;

    // Left in the middle: what it did to the cluster goes, the cluster stays.
    asker.ask(Command::Predict { guess: Guess::Pass }).await.unwrap();
    asker.ask(Command::DoStep).await.unwrap();
    let acted = |course: &CourseView| matches!(course.step.phase, StepPhase::Watching { elapsed_s: 1.., .. });
    course(&mut events, "the actions were carried out", acted).await;
    assert!(!snapshot(&asker).await.faults.failpoints.is_empty());
    asker.ask(Command::LeaveScenario).await.unwrap();
    let left = snapshot(&asker).await;
    assert!(left.course.is_none() && matches!(left.phase, Phase::Running { .. }));
    assert!(left.faults.failpoints.is_empty(), "{:?}", left.faults);
    assert!(left.loads.iter().all(|load| load.state != LoadState::Running), "{:?}", left.loads);
    lab.shutdown().await;

    let lab = open(base.path()).await;
    let (asker, _) = lab.listen();
    let find =
        |scenarios: Vec<ScenarioView>| scenarios.into_iter().find(|one| one.id == "slow-disk").unwrap();
    let kept = find(scenarios(&asker).await);
    assert_eq!(kept.steps[0].record.as_ref(), Some(record));
    assert!(kept.steps[1].record.is_none());
    asker.ask(Command::ForgetProgress { scenario: Some("slow-disk".into()) }).await.unwrap();
    assert!(find(scenarios(&asker).await).steps[0].record.is_none());
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_scenario_takes_back_what_its_last_step_did_though_that_is_broken() {
    let base = tempfile::tempdir().unwrap();
    let lab = open(base.path()).await;
    let (asker, mut events) = lab.listen();
    let options =
        CourseOptions { step: Some("serializable".into()), recorded: false, ..slow_disk(Ports::Auto) };
    asker.ask(Command::BeginScenario { options }).await.unwrap();
    let at = course(&mut events, "its stage", |course| course.step.phase == StepPhase::Predict).await;
    assert_eq!(at.step.number as usize, at.steps.len(), "it is the last one");
    let staged = snapshot(&asker).await;
    assert!(!staged.faults.failpoints.is_empty());
    let victim = staged.cluster.unwrap().members[0].pid.unwrap();
    kill_process(Pid::from_raw(i32::try_from(victim).unwrap()).unwrap(), Signal::KILL).unwrap();
    course(&mut events, "it noticed", |course| broken_by(course) == Some("step-lost-member")).await;

    asker.ask(Command::NextStep).await.unwrap();
    let healed = timeout(LIMIT, async {
        while let Some(event) = events.next().await {
            if matches!(event, Event::Faults { faults } if faults.failpoints.is_empty()) {
                break;
            }
        }
    });
    healed.await.unwrap();
    let after = snapshot(&asker).await;
    assert!(after.course.unwrap().finished && matches!(after.phase, Phase::Running { .. }));
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_cannot_start_breaks_the_step_by_its_own_problem() {
    let base = tempfile::tempdir().unwrap();
    let _taken = hold("127.0.0.1:2379").await;
    std::fs::write(base.path().join("progress.json"), "{\"version\":1,\"scen").unwrap();
    let lab = open(base.path()).await;
    let (asker, mut events) = lab.listen();
    // A list is asked for first, and sets the torn file aside.
    assert!(scenarios(&asker).await.iter().all(|one| one.steps.iter().all(|step| step.record.is_none())));
    asker.ask(Command::BeginScenario { options: slow_disk(Ports::Topology) }).await.unwrap();
    let broken = course(&mut events, "it noticed", |course| broken_by(course).is_some()).await;
    assert_eq!(broken_by(&broken), Some("port-taken"));
    let set_aside = broken.progress_problem.unwrap();
    assert_eq!(set_aside.code, "progress-set-aside");
    lab.shutdown().await;
}
