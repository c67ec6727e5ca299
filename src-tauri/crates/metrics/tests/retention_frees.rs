//! Retention really frees: the bytes that are allocated stay level however long samples keep coming, whether the
//! series stay the same or are new ones all the time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;

use lab_metrics::{Labels, METRIC_NAME, MemoryStore, Sample, Storage, StoreConfig};

/// The system's allocator, keeping count of the bytes in use.
struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: every call is passed on to `System` as it is; the counter has no part in it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller keeps to `alloc`'s contract, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as above; `at` came from `alloc`, and so from `System`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Plays `periods` retentions of scrapes and yields the bytes in use after each.
fn play(periods: i64, labels: impl Fn(i64, usize) -> Labels) -> Vec<isize> {
    const RETENTION_S: i64 = 600;
    let before = LIVE.load(Ordering::Relaxed);
    let retention = Some(Duration::from_secs(RETENTION_S as u64));
    let store = MemoryStore::new(StoreConfig { retention, ..StoreConfig::default() });
    let mut levels = Vec::new();
    for scrape in 0..periods * RETENTION_S {
        for series in 0..50 {
            let id = store.resolve(&labels(scrape, series)).expect("room for the series");
            let value = (scrape * 37 % 1001) as f64 * 0.1;
            store.append(&[(id, Sample { t_ms: scrape * 1000, value })]);
        }
        if (scrape + 1) % RETENTION_S == 0 {
            levels.push(LIVE.load(Ordering::Relaxed) - before);
        }
    }
    levels
}

fn level(bytes: &[isize]) -> bool {
    let settled = &bytes[2..];
    let (least, most) =
        settled.iter().fold((isize::MAX, 0), |(least, most), n| (least.min(*n), most.max(*n)));
    println!("bytes in use after each retention: {bytes:?}");
    most - least <= least / 4
}

#[test]
fn memory_stays_level() {
    let steady =
        |_, series: usize| Labels::from_pairs([(METRIC_NAME, "a".to_owned()), ("n", series.to_string())]);
    assert!(level(&play(10, steady)));
    // Each series lives for a minute.
    let churning = |scrape: i64, series: usize| {
        let name = format!("{series}-{}", scrape / 60);
        Labels::from_pairs([(METRIC_NAME, "a".to_owned()), ("n", name)])
    };
    assert!(level(&play(10, churning)));
}
