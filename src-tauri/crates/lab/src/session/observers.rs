//! Prometheus and Grafana beside a cluster in Docker: switched on and off, and gone with the cluster.

use lab_cluster::PortChoice;
use lab_cluster::docker::observers::{self, ObserversProgress};
use lab_cluster::docker::{Engine, Place};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::launch::News;
use super::{Answer, Session};
use crate::api::{Event, ImageWork, ImageWorkKind, ObserversView, Problem, Reply};
use crate::{problems, shown};

/// What a cluster in Docker has that others don't.
#[derive(Clone)]
pub(super) struct InDocker {
    /// What runs it.
    pub engine: Engine,
    /// Where others can join it.
    pub place: Place,
    /// Which ports were asked for.
    pub ports: PortChoice,
}

/// Their state, and what is done with them just now.
#[derive(Default)]
pub(super) struct Observers {
    view: ObserversView,
    work: Option<Work>,
}

struct Work {
    call_off: CancellationToken,
    task: JoinHandle<()>,
}

impl Observers {
    /// As others see them.
    pub fn view(&self) -> ObserversView {
        self.view.clone()
    }

    /// Breaks off what is done with them; the future is done when nothing is any more.
    pub fn call_off(&mut self) -> impl Future<Output = ()> + Send + use<> {
        let work = self.work.take();
        if let Some(work) = &work {
            work.call_off.cancel();
        }
        async move {
            if let Some(work) = work {
                let _ = work.task.await;
            }
        }
    }
}

impl Session {
    pub(super) fn start_observers(&mut self, answer: Answer) {
        let there = match self.in_docker() {
            Ok(_) if matches!(self.observers.view, ObserversView::On { .. }) => {
                return drop(answer.send(Reply::Done));
            }
            Ok(_) if matches!(self.observers.view, ObserversView::Starting { .. }) => {
                return drop(answer.send(Reply::Problem { problem: problems::observers_busy() }));
            }
            Ok(there) => there,
            Err(problem) => return drop(answer.send(Reply::Problem { problem })),
        };
        let before = self.observers.call_off();
        let (news, turns) = (News::new(self.inbox.clone()), self.images.turns());
        let call_off = CancellationToken::new();
        let called_off = call_off.clone();
        self.observers(ObserversView::Starting { doing: "Looking for their images".into() });
        let task = tokio::spawn(async move {
            before.await;
            let told = |progress| tell(&news, progress);
            let start = async {
                // An image may have to be fetched.
                let _turn = turns.take().await;
                observers::start(&there.place, there.ports, &told).await
            };
            let result = tokio::select! {
                result = start => result.map_err(problems::observers),
                () = called_off.cancelled() => {
                    // What of them is left goes with the cluster, if not now.
                    let _ = observers::stop(&there.place).await;
                    Err(problems::called_off())
                }
            };
            news.image_done().await;
            let (view, reply) = match result {
                Ok(on) => {
                    news.done(shown::start_observers()).await;
                    let view = ObserversView::On {
                        prometheus_url: on.prometheus_url,
                        grafana_url: on.grafana_url,
                        user: on.user,
                        password: on.password,
                    };
                    (view, Reply::Done)
                }
                Err(problem) if called_off.is_cancelled() => (ObserversView::Off, Reply::Problem { problem }),
                Err(problem) => {
                    (ObserversView::Failed { problem: problem.clone() }, Reply::Problem { problem })
                }
            };
            // First the news, then the answer: who has it and asks for the state finds them there.
            news.observers(view).await;
            let _ = answer.send(reply);
        });
        self.observers.work = Some(Work { call_off, task });
    }

    pub(super) fn stop_observers(&mut self, answer: Answer) {
        let there = match self.in_docker() {
            Ok(there) => there,
            Err(problem) => return drop(answer.send(Reply::Problem { problem })),
        };
        let before = self.observers.call_off();
        let news = News::new(self.inbox.clone());
        let task = tokio::spawn(async move {
            before.await;
            let reply = match observers::stop(&there.place).await {
                Ok(()) => {
                    news.observers(ObserversView::Off).await;
                    news.done(shown::stop_observers()).await;
                    Reply::Done
                }
                Err(error) => Reply::Problem { problem: problems::cluster(error) },
            };
            let _ = answer.send(reply);
        });
        self.observers.work = Some(Work { call_off: CancellationToken::new(), task });
    }

    /// How they are now.
    pub(super) fn observers(&mut self, observers: ObserversView) {
        // Once the cluster is on its way down, so are they.
        let observers = if self.running.is_some() { observers } else { ObserversView::Off };
        if self.observers.view != observers {
            self.observers.view = observers.clone();
            self.tell(Event::Observers { observers });
        }
    }

    /// The engine is gone, and they with it.
    pub(super) fn observers_lost(&mut self, problem: &Problem) {
        if matches!(self.observers.view, ObserversView::On { .. } | ObserversView::Starting { .. }) {
            self.observers(ObserversView::Failed { problem: problem.clone() });
        }
    }

    fn in_docker(&self) -> Result<InDocker, Problem> {
        self.needs_cluster()?.docker.clone().ok_or_else(problems::observers_need_docker)
    }
}

fn tell(news: &News, progress: ObserversProgress) {
    let doing = match progress {
        ObserversProgress::Pulling { reference, progress } => {
            let doing = format!("Fetching {reference}: {}", progress.step);
            news.image(ImageWork {
                kind: ImageWorkKind::Pull,
                subject: reference,
                step: progress.step,
                done: progress.done,
            });
            doing
        }
        ObserversProgress::Starting { service } => format!("Starting {service}"),
        ObserversProgress::Waiting { services } => format!("Waiting for {}", services.join(" and ")),
    };
    news.observers_doing(doing);
}
