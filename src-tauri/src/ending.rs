//! How the app ends. However it is asked to (the window's button, a signal, `etcd-labctl down`), loads and members
//! are stopped first, within a limit; only then does the process go.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use lab::Lab;
use lab::api::Event;
use tauri::async_runtime::spawn;
use tauri::{AppHandle, Manager};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Members that have not ended by then are ended by the kernel, as their spawner has arranged.
const GRACE: Duration = Duration::from_secs(10);

const LIVE: u8 = 0;
const STOPPING: u8 = 1;
const OVER: u8 = 2;

/// Where the app is between running and gone.
pub struct Ending {
    lab: Lab,
    stage: AtomicU8,
}

impl Ending {
    /// Not begun, of the lab that is to be stopped.
    pub fn of(lab: Lab) -> Self {
        Self { lab, stage: AtomicU8::new(LIVE) }
    }

    /// Whether nothing is left to stop, so that the window and the process may go.
    pub fn is_over(&self) -> bool {
        self.stage.load(Ordering::SeqCst) == OVER
    }

    /// Whether the end has not been asked for.
    pub fn is_live(&self) -> bool {
        self.stage.load(Ordering::SeqCst) == LIVE
    }
}

/// Stops the lab, then the app. Asking again changes nothing.
pub fn begin(app: &AppHandle) {
    let ending = app.state::<Ending>();
    if ending.stage.compare_exchange(LIVE, STOPPING, Ordering::SeqCst, Ordering::SeqCst).is_err() {
        return;
    }
    for window in app.webview_windows().values() {
        if let Err(error) = window.set_title("etcd Metrics Lab: stopping the cluster") {
            tracing::debug!(%error, "the window has gone before its lab");
        }
    }
    let (app, lab) = (app.clone(), ending.lab.clone());
    spawn(async move {
        if tokio::time::timeout(GRACE, lab.shutdown()).await.is_err() {
            tracing::warn!("the lab has not stopped within {} s, ending all the same", GRACE.as_secs());
        }
        app.state::<Ending>().stage.store(OVER, Ordering::SeqCst);
        app.exit(0);
    });
}

/// Ends the app when the lab is ended by somebody else, such as `etcd-labctl down`.
pub fn with_the_lab(app: &AppHandle, lab: Lab) {
    let app = app.clone();
    spawn(async move {
        // Events come as long as somebody could ask.
        let (_asker, mut events) = lab.listen();
        while let Some(event) = events.next().await {
            if event == Event::Ended {
                break;
            }
        }
        begin(&app);
    });
}

/// Ends the app on SIGINT, SIGTERM and SIGHUP; at once when one comes while it is already stopping.
pub fn on_signals(app: &AppHandle) {
    let app = app.clone();
    spawn(async move {
        let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = signals else {
            tracing::warn!("signals cannot be caught here: close the window to end the lab");
            return;
        };
        any(&mut interrupt, &mut terminate, &mut hangup).await;
        begin(&app);
        any(&mut interrupt, &mut terminate, &mut hangup).await;
        std::process::exit(1);
    });
}

async fn any(interrupt: &mut Signal, terminate: &mut Signal, hangup: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
