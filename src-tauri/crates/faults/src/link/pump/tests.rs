use std::time::Duration;

use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::*;

/// A pump under test: what is written to `near` comes out at `far`.
struct Line {
    near: DuplexStream,
    far: DuplexStream,
    link: std::sync::Arc<Link>,
    pump: JoinHandle<io::Result<()>>,
}

fn line(shape: Shape, carries: Carries, vary: impl FnMut() -> f64 + Send + 'static) -> Line {
    let link = std::sync::Arc::new(Link::new("etcd-1", "etcd-2"));
    link.set(shape, Instant::now());
    let (near, from) = duplex(1 << 20);
    let (to, far) = duplex(1 << 20);
    let shared = std::sync::Arc::clone(&link);
    let pump = tokio::spawn(async move { pump(from, to, &shared, carries, vary).await });
    Line { near, far, link, pump }
}

fn delayed(ms: u64) -> Shape {
    Shape { delay: Duration::from_millis(ms), ..Shape::default() }
}

fn limited(bytes_s: u64) -> Shape {
    Shape { bandwidth_bytes_s: Some(bytes_s), ..Shape::default() }
}

/// Milliseconds from `start` until `bytes` more came out.
async fn reached(line: &mut Line, start: Instant, bytes: usize) -> u128 {
    let mut read = vec![0; bytes];
    line.far.read_exact(&mut read).await.unwrap();
    start.elapsed().as_millis()
}

#[tokio::test(start_paused = true)]
async fn a_delay_makes_bytes_late_and_not_slow() {
    let mut line = line(delayed(1_000), Carries::Requests, || 0.0);
    let start = Instant::now();
    // A chunk each 10 ms. Were each held after the one before it, the last would take 100 s.
    for _ in 0..100 {
        line.near.write_all(&[7; 100]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let first = reached(&mut line, start, 100).await;
    let last = reached(&mut line, start, 9_900).await;
    assert!((1_000..=1_002).contains(&first), "{first}");
    assert!((1_990..=1_993).contains(&last), "{last}");
    let figures = line.link.state(Instant::now());
    assert_eq!(figures.bytes, 10_000);
    let held = figures.held.unwrap().as_millis();
    assert!((1_000..=1_002).contains(&held), "{held}");
}

#[tokio::test(start_paused = true)]
async fn jitter_keeps_the_order() {
    let shape = Shape { jitter: Duration::from_millis(90), ..delayed(100) };
    let mut turns = [1.0, -1.0, 0.0, 1.0, -0.5].into_iter().cycle();
    let mut line = line(shape, Carries::Requests, move || turns.next().unwrap_or(0.0));
    let sent: Vec<u8> = (0..=255).collect();
    for byte in &sent {
        line.near.write_all(&[*byte]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let mut received = vec![0; sent.len()];
    line.far.read_exact(&mut received).await.unwrap();
    assert_eq!(received, sent);
}

#[tokio::test(start_paused = true)]
async fn a_limit_holds_for_all_connections_of_a_link_together() {
    let mut one = line(limited(10_000), Carries::Requests, || 0.0);
    let (mut near, from) = duplex(1 << 20);
    let (to, mut far) = duplex(1 << 20);
    let link = std::sync::Arc::clone(&one.link);
    tokio::spawn(async move { pump(from, to, &link, Carries::Requests, || 0.0).await });
    let start = Instant::now();
    one.near.write_all(&[1; 10_000]).await.unwrap();
    near.write_all(&[2; 10_000]).await.unwrap();
    let first = reached(&mut one, start, 10_000).await;
    let mut read = vec![0; 10_000];
    far.read_exact(&mut read).await.unwrap();
    let both = start.elapsed().as_millis().max(first);
    assert!((1_990..=2_050).contains(&both), "20,000 bytes at 10,000 a second: {both} ms");
}

#[tokio::test(start_paused = true)]
async fn a_new_shape_holds_for_what_waits_already() {
    let mut delayed_line = line(delayed(60_000), Carries::Requests, || 0.0);
    let mut limited_line = line(limited(1), Carries::Requests, || 0.0);
    let start = Instant::now();
    for line in [&mut delayed_line, &mut limited_line] {
        line.near.write_all(&[0; 1_000]).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    for line in [&mut delayed_line, &mut limited_line] {
        line.link.set(Shape::default(), Instant::now());
        let after = reached(line, start, 1_000).await;
        assert!((500..=502).contains(&after), "{after}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_breaks_what_receives_at_once_and_what_sends_when_it_sends() {
    let receiving = line(Shape::default(), Carries::Responses, || 0.0);
    let mut sending = line(Shape::default(), Carries::Requests, || 0.0);
    let cut = Shape { cut: true, ..Shape::default() };
    receiving.link.set(cut, Instant::now());
    let error = receiving.pump.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the link from etcd-1 to etcd-2 is cut");

    sending.link.set(cut, Instant::now());
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(!sending.pump.is_finished(), "it has nothing to send");
    assert_eq!(sending.link.state(Instant::now()).connections, 1);
    sending.near.write_all(b"now").await.unwrap();
    sending.pump.await.unwrap().unwrap_err();
    assert_eq!(sending.far.read(&mut [0; 3]).await.unwrap(), 0, "nothing got through");
    assert_eq!(sending.link.state(Instant::now()).connections, 0);
}

#[tokio::test(start_paused = true)]
async fn a_cut_drops_what_is_held() {
    let mut line = line(delayed(1_000), Carries::Requests, || 0.0);
    line.near.write_all(b"late").await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    line.link.set(Shape { cut: true, ..Shape::default() }, Instant::now());
    line.pump.await.unwrap().unwrap_err();
    assert_eq!(line.link.state(Instant::now()).bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stream_is_held_like_all_before_it() {
    let mut line = line(delayed(200), Carries::Requests, || 0.0);
    let start = Instant::now();
    line.near.write_all(b"end").await.unwrap();
    line.near.shutdown().await.unwrap();
    let mut read = Vec::new();
    line.far.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, b"end");
    let after = start.elapsed().as_millis();
    assert!((200..=202).contains(&after), "{after}");
    line.pump.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_sends_more_than_the_window_waits() {
    let mut line = line(delayed(10_000), Carries::Requests, || 0.0);
    let mut sent = 0;
    let block = vec![0; 1 << 20];
    let pushed = async {
        loop {
            line.near.write_all(&block).await.unwrap();
            sent += block.len();
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(5), pushed).await.is_err());
    // The window, what was read when it was nearly full, and the test's own pipe.
    assert!((WINDOW_BYTES..WINDOW_BYTES + (3 << 20)).contains(&sent), "{sent}");
}
