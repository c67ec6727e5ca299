//! The lab's language: what can be asked of it ([`Command`]), what it answers ([`Reply`]), what it tells by
//! itself ([`Event`]) and the state that all of these speak of ([`Snapshot`]). The window and the control
//! socket speak it alike. The TypeScript in `ui/src/shared/api/lab.ts` is generated from these types; a stale
//! file fails the tests.
//!
//! Refuses to know how anything is done, and who is listening.

mod command;
mod course;
mod docker;
mod event;
mod fault;
mod frame;
mod problem;
mod view;

pub use command::{
    AfterKill, Command, LoadSpec, MemberAction, PanelRef, Ports, Reply, RuntimeKind, StartOptions,
    TopologyName, WatchSet, Workload,
};
pub use course::{
    ActionKind, ActionState, ActionView, CheckView, Control, CourseOptions, CourseView, Guess, LevelView,
    LinkTo, Mark, MarkKind, MeasuredView, MetricView, PredictionView, Profile, RoleView, ScenarioView,
    StepPhase, StepRecord, StepSummary, StepView, TermView, VerdictView,
};
pub use docker::{DockerView, EngineView, ImageView, ImageWork, ImageWorkKind, ObserversView, PresentImage};
pub use event::{CommandKind, Event, ShownCommand};
pub use fault::{FailpointView, FaultsView, LinkShape, LinkView, MemberFailpoint};
pub use frame::{ArrowFrame, ArrowValue, DiagramFrame, Frame, PanelFrame, SeriesFrame};
pub use problem::Problem;
pub use view::{
    AlarmView, ClusterView, DashboardView, DoctorLine, ErrorCount, LabInfo, LoadPoint, LoadState, LoadView,
    MappingView, MemberLoad, MemberState, MemberView, PanelKind, PanelView, Phase, RowView, Snapshot,
    TargetView, WaitingFor,
};

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ts_rs::{Config, TS};

    /// The committed TypeScript equals what the types say. `UPDATE_BINDINGS=1` writes it anew.
    #[test]
    fn typescript_is_up_to_date() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::new().with_large_int("number").with_out_dir(dir.path());
        super::Command::export_all(&config).unwrap();
        super::Reply::export_all(&config).unwrap();
        super::Event::export_all(&config).unwrap();
        let fresh = std::fs::read_to_string(dir.path().join("lab.ts")).unwrap();
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/src/shared/api/lab.ts");
        if std::env::var_os("UPDATE_BINDINGS").is_some() {
            std::fs::create_dir_all(committed.parent().unwrap()).unwrap();
            std::fs::write(&committed, &fresh).unwrap();
        }
        let found = std::fs::read_to_string(&committed).unwrap_or_default();
        assert!(found == fresh, "{} is stale: run `make bindings`", committed.display());
    }
}
