//! Where panels stand: each on Grafana's grid, and no two in one place. Grafana moves those that overlap down, so
//! that a dashboard looks otherwise than it was written.

use crate::grafana::{GridPos, Panel};

/// Columns of Grafana's grid.
const COLUMNS: u32 = 24;

/// What is wrong with the places of `panels`, which lie on one grid.
pub fn check(panels: &[Panel]) -> Vec<(&Panel, String)> {
    let mut wrong = Vec::new();
    let mut placed: Vec<&Panel> = Vec::new();
    for panel in panels {
        let GridPos { x, w, h, .. } = panel.grid_pos;
        if w == 0 || h == 0 {
            wrong.push((panel, "it has no place on the grid".to_owned()));
            continue;
        }
        if x.saturating_add(w) > COLUMNS {
            let reason = format!("it reaches from column {x} over {w} columns; the grid has {COLUMNS}");
            wrong.push((panel, reason));
        }
        if let Some(other) = placed.iter().find(|other| overlap(other.grid_pos, panel.grid_pos)) {
            wrong.push((panel, format!("it overlaps with \"{}\"", super::name(other))));
        }
        placed.push(panel);
    }
    wrong
}

fn overlap(a: GridPos, b: GridPos) -> bool {
    let meet = |a: u32, along_a: u32, b: u32, along_b: u32| {
        a < b.saturating_add(along_b) && b < a.saturating_add(along_a)
    };
    meet(a.x, a.w, b.x, b.w) && meet(a.y, a.h, b.y, b.h)
}
