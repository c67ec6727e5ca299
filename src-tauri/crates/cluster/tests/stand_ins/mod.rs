//! Images for Prometheus and Grafana where no registry can be reached.

use std::path::PathBuf;
use std::process::Command;

/// Those that this made; they go when it goes.
pub struct StandIns {
    made: Vec<String>,
}

impl StandIns {
    /// Makes an image for each that `compose/metrics.yaml` pins and the engine doesn't have.
    pub fn make() -> Self {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../scripts/stand-ins.sh");
        let output = Command::new(script).arg("make").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { made: String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect() }
    }
}

impl Drop for StandIns {
    fn drop(&mut self) {
        for reference in &self.made {
            // While something goes wrong, one that is still in use stays; the next that makes them finds it.
            let _ = Command::new("docker").args(["image", "rm", reference]).output();
        }
    }
}
