//! Puts the app together: one instance, a lab, a window on it, and an end that leaves nothing behind.

use std::process::ExitCode;

use lab::api::{Command, Event, Problem, Reply};
use lab::{Config, Lab};
use lab_cluster::native::Binaries;
use tauri::async_runtime::block_on;
use tauri::ipc::Channel;
use tauri::webview::WebviewWindowBuilder;
use tauri::{App, AppHandle, Manager, RunEvent, Url, WindowEvent};
use tracing_subscriber::EnvFilter;

use crate::bridge::Bridge;
use crate::browser::{self, Page};
use crate::ending::{self, Ending};
use crate::instance::{self, Claim};
use crate::sidecars;

const WINDOW: &str = "main";

/// WebKitGTK makes the language `C` of the locale `C.UTF-8`, the usual one of servers and containers. That is no
/// language tag: `Intl` throws on it, and with it whatever formats a number as the module that draws charts does.
const NAME_A_LANGUAGE: &str = "
    try { Intl.getCanonicalLocales(navigator.language) }
    catch { Object.defineProperty(navigator, 'language', { value: 'en-US' }) }";

/// Runs the app until it has ended. A problem means that it never began.
pub fn run() -> Result<ExitCode, Problem> {
    log_to_stderr();
    see_a_display()?;
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_shell::init())
        .invoke_handler(tauri::generate_handler![send, subscribe, open_page])
        .build(tauri::generate_context!())
        .map_err(|error| cannot_start(&error))?;

    let folder = app.path().app_local_data_dir().map_err(|error| cannot_start(&error))?;
    let mut instance = match instance::claim(&folder)? {
        Claim::First(instance) => instance,
        Claim::Second { pid } => {
            let pid = pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
            println!("etcd Metrics Lab is already running{pid}; its window has been brought to the front.");
            return Ok(ExitCode::SUCCESS);
        }
    };

    let lab = open_lab(&app)?;
    open_window(&app).map_err(|error| cannot_start(&error))?;
    ending::on_signals(app.handle());
    ending::with_the_lab(app.handle(), lab);
    let shown = app.handle().clone();
    instance.on_second(move || show(&shown)).map_err(|error| cannot_start(&error))?;

    let code = app.run_return(|app, event| {
        let ending = app.state::<Ending>();
        match event {
            RunEvent::WindowEvent { event: WindowEvent::CloseRequested { api, .. }, .. }
                if !ending.is_over() =>
            {
                api.prevent_close();
                ending::begin(app);
            }
            RunEvent::ExitRequested { api, .. } if !ending.is_over() => {
                api.prevent_exit();
                ending::begin(app);
            }
            _ => {}
        }
    });
    Ok(if code == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Carries out one command of the page's.
#[tauri::command]
async fn send(app: AppHandle, command: Command) -> Reply {
    app.state::<Bridge>().send(command).await
}

/// Streams the lab's events into the page's channel.
#[tauri::command]
async fn subscribe(app: AppHandle, channel: Channel<Event>) {
    app.state::<Bridge>().subscribe(move |event| channel.send(event).is_ok());
}

/// Opens Prometheus or Grafana in the person's browser; says whether that could be done.
#[tauri::command]
async fn open_page(app: AppHandle, page: Page) -> bool {
    browser::open(&app.state::<Bridge>(), page).await
}

/// Opens the lab and gives the app what its commands and its end need of it.
fn open_lab(app: &App) -> Result<Lab, Problem> {
    let binaries = Binaries::in_folders(vec![sidecars::folder(app.handle())?]);
    let config = Config { binaries, ..Config::standard("app")? };
    block_on(async {
        let lab = Lab::open(config).await?;
        app.manage(Bridge::new(lab.clone()));
        app.manage(Ending::of(lab.clone()));
        Ok(lab)
    })
}

fn open_window(app: &App) -> tauri::Result<()> {
    let Some(config) = app.config().app.windows.iter().find(|window| window.label == WINDOW) else {
        return Err(tauri::Error::WindowNotFound);
    };
    // The page is ours and stays ours: neither a link nor a script takes the window elsewhere.
    let dev = app.config().build.dev_url.clone().filter(|_| tauri::is_dev());
    let ours = move |url: &Url| {
        url.scheme() == "tauri" || dev.as_ref().is_some_and(|dev| dev.origin() == url.origin())
    };
    WebviewWindowBuilder::from_config(app, config)?
        .on_navigation(ours)
        .initialization_script(NAME_A_LANGUAGE)
        .build()?;
    Ok(())
}

/// Brings the window to the front; says whether there is one that stays.
fn show(app: &AppHandle) -> bool {
    let Some(window) = app.get_webview_window(WINDOW).filter(|_| app.state::<Ending>().is_live()) else {
        return false;
    };
    let fronted = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
    if let Err(error) = &fronted {
        tracing::warn!(%error, "the window cannot be brought to the front");
    }
    fronted.is_ok()
}

fn cannot_start(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        "window-unavailable",
        "The window cannot be opened.",
        "Run `etcd-labctl doctor`, or use the lab in the terminal with `etcd-labctl up`.",
    )
    .detail(error)
}

/// Without a display GTK ends the process with a panic; this asks first.
#[cfg(target_os = "linux")]
fn see_a_display() -> Result<(), Problem> {
    gtk::init().map_err(|error| {
        Problem::new(
            "no-display",
            "There is no display to open a window on.",
            "Start the app from a desktop session or under `xvfb-run`, or use the lab in the terminal with `etcd-labctl up`.",
        )
        .detail(error)
    })
}

/// macOS programs are started by the window server or not at all.
#[cfg(not(target_os = "linux"))]
fn see_a_display() -> Result<(), Problem> {
    Ok(())
}

/// `ETCD_LAB_LOG=debug` says more, in the way of `RUST_LOG`.
fn log_to_stderr() {
    let filter =
        EnvFilter::builder().with_env_var("ETCD_LAB_LOG").with_default_directive(tracing::Level::WARN.into());
    tracing_subscriber::fmt().with_env_filter(filter.from_env_lossy()).with_writer(std::io::stderr).init();
}
