//! Looks after a cluster's containers while it runs: once a second, and at once when the engine tells that one of them
//! ended. What an event says is not relied on, only that there was one; how things are is asked for. An engine that
//! doesn't answer any more is told as the end of all its members.

use std::collections::HashMap;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error as ApiError;
use bollard::models::{ContainerSummaryStateEnum, EventMessage};
use bollard::query_parameters::{EventsOptionsBuilder, ListContainersOptionsBuilder};
use futures::{Stream, StreamExt};
use tokio::time::{Instant, sleep, timeout_at};

use super::cluster::Inner;
use super::container::{ENGINE_STOPPED, Launched, describe};
use crate::docker::labels::{self, RUN};

/// Between two looks at an engine that answers.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at one that refuses.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(250);
/// How long an engine may refuse every question until it is given up: no longer than one that is only slow to take it.
const REFUSES_FOR: Duration = Duration::from_secs(2);
/// How long it may say nothing.
const SILENT_FOR: Duration = Duration::from_secs(4);

type Events = Pin<Box<dyn Stream<Item = Result<EventMessage, ApiError>> + Send>>;

/// Looks after the containers of a cluster until it is aborted.
pub(super) async fn keep(inner: Arc<Inner>, run: String) {
    let mut events: Option<Events> = None;
    let mut answered = Instant::now();
    loop {
        // Before the question: who is launched after it is not meant by the answer.
        let launched = inner.launched();
        let next = match timeout_at(answered + SILENT_FOR, containers(&inner, &run)).await {
            Ok(Ok(states)) => {
                answered = Instant::now();
                inner.set_lost(false);
                for one in launched.into_iter().filter(|one| !one.is_ending()) {
                    match states.get(&one.id) {
                        Some(state) if runs(*state) => {}
                        state => tell(&inner, one, state.is_some()),
                    }
                }
                if events.is_none() {
                    events = Some(listen(&inner, &run));
                }
                LOOK_EVERY
            }
            refused => {
                let patience = if refused.is_ok() { REFUSES_FOR } else { SILENT_FOR };
                if !inner.is_lost() && answered.elapsed() >= patience {
                    inner.set_lost(true);
                    for one in launched {
                        one.tell_end(ENGINE_STOPPED.to_owned(), &inner.exits).await;
                    }
                }
                if inner.is_lost() {
                    // Each further question gets its time.
                    answered = Instant::now();
                    LOOK_EVERY
                } else {
                    LOOK_AGAIN_AFTER
                }
            }
        };
        tokio::select! {
            event = next_event(&mut events) => {
                if event.is_none() {
                    events = None;
                    // An engine that has gone needs no haste, and one that tells no events is asked for none at once.
                    sleep(LOOK_AGAIN_AFTER).await;
                }
            }
            () = sleep(next) => {}
        }
    }
}

async fn next_event(events: &mut Option<Events>) -> Option<EventMessage> {
    match events {
        Some(events) => events.next().await?.ok(),
        None => pending().await,
    }
}

fn listen(inner: &Inner, run: &str) -> Events {
    let mut filters: HashMap<&str, Vec<String>> = labels::bearing(RUN, Some(run));
    filters.insert("type", vec!["container".into()]);
    filters.insert("event", ["die", "destroy"].map(String::from).into());
    let options = EventsOptionsBuilder::new().filters(&filters).build();
    Box::pin(inner.config.engine.client().events(Some(options)))
}

async fn containers(
    inner: &Inner,
    run: &str,
) -> Result<HashMap<String, ContainerSummaryStateEnum>, ApiError> {
    let filters = labels::bearing(RUN, Some(run));
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let listed = inner.config.engine.client().list_containers(Some(options)).await?;
    Ok(listed.into_iter().filter_map(|one| Some((one.id?, one.state?))).collect())
}

fn runs(state: ContainerSummaryStateEnum) -> bool {
    use ContainerSummaryStateEnum as State;
    matches!(state, State::RUNNING | State::PAUSED | State::RESTARTING)
}

/// Tells the end of one, whose container may be there still. Beside: to wait for its last words must not keep others
/// waiting.
fn tell(inner: &Arc<Inner>, one: Arc<Launched>, is_there: bool) {
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        let how = if is_there {
            match inner.config.engine.client().inspect_container(&one.id, None).await {
                Ok(container) => container.state.as_ref().map(describe),
                // The next look asks again, or gives the engine up.
                Err(_) => return,
            }
        } else {
            Some("its container was removed".to_owned())
        };
        one.tell_end(how.unwrap_or_else(|| "it doesn't say how".to_owned()), &inner.exits).await;
    });
}
