//! Links between members: shaped, healed, shown.

use std::time::Duration;

use lab_cluster::Node;
use lab_faults::{LinkError, LinkState, Links, LinksError, Shape};
use tokio::time::timeout;

use super::{Keeper, LOOK_WITHIN};
use crate::api::{LinkShape, LinkView, Problem, Reply};
use crate::{problems, shown};

impl Keeper {
    pub(super) async fn set_links(
        &mut self,
        from: &[String],
        to: &[String],
        shape: LinkShape,
    ) -> Result<Reply, Problem> {
        let shaped = self.links()?;
        let (senders, receivers) = (self.chosen(from)?, self.chosen(to)?);
        let wanted = Shape::from(shape);
        wanted.check().map_err(|error| problems::link(&error))?;
        let links: Vec<_> = senders
            .iter()
            .flat_map(|from| receivers.iter().map(move |to| (&from.name, &to.name)))
            .filter(|(from, to)| from != to)
            .collect();
        if let ([], [one, ..]) = (links.as_slice(), senders.as_slice()) {
            let error = LinkError::NoSuchLink { from: one.name.clone(), to: one.name.clone() };
            return Err(problems::link(&error));
        }
        for (from, to) in links {
            shaped.shape(from, to, wanted).await.map_err(|error| problems::links(&error))?;
        }
        let names = |named: &[String], of: usize| {
            if named.is_empty() || named.len() == of { "all".to_owned() } else { named.join(" and ") }
        };
        let (of_from, of_to) = (names(from, self.nodes.len()), names(to, self.nodes.len()));
        self.show(shown::set_links(from, to, &shape, self.nodes.len())).await;
        self.mark(format!("{of_from} → {of_to}: {}", said(&shape))).await;
        Ok(Reply::Done)
    }

    pub(super) async fn heal_links(&mut self) -> Result<Reply, Problem> {
        self.links()?.heal().await.map_err(|error| problems::links(&error))?;
        self.show(shown::heal_links()).await;
        self.mark("links healed".into()).await;
        Ok(Reply::Done)
    }

    /// Takes over what the links are now.
    pub(super) async fn look_at_links(&mut self) {
        let (Some(links), Some(seen)) = (&self.links, &mut self.links_seen) else { return };
        match timeout(LOOK_WITHIN, links.links()).await {
            Ok(Ok(states)) => *seen = states.into_iter().map(view).collect(),
            // With the proxy its connections are gone, and nobody took back what was asked of it.
            Ok(Err(LinksError::Gone { .. })) => seen.iter_mut().for_each(silence),
            Ok(Err(_)) | Err(_) => {}
        }
    }

    fn links(&self) -> Result<Links, Problem> {
        self.links.clone().ok_or_else(problems::no_links)
    }
}

/// What charts write.
fn said(shape: &LinkShape) -> String {
    if shape.cut {
        return "cut".into();
    }
    let limit = shape.bandwidth_bytes_s.map(|bytes| format!("{bytes} B/s"));
    let words: Vec<String> = shape.delay().into_iter().chain(limit).collect();
    if words.is_empty() { "healed".into() } else { words.join(", ") }
}

impl From<LinkShape> for Shape {
    fn from(shape: LinkShape) -> Self {
        Self {
            delay: Duration::from_millis(shape.delay_ms.into()),
            jitter: Duration::from_millis(shape.jitter_ms.into()),
            bandwidth_bytes_s: shape.bandwidth_bytes_s,
            cut: shape.cut,
        }
    }
}

/// All links of members to which nothing was done yet.
pub(super) fn untouched(nodes: &[Node]) -> Vec<LinkView> {
    let pairs = nodes.iter().flat_map(|from| nodes.iter().map(move |to| (&from.name, &to.name)));
    let link = |(from, to): (&String, &String)| LinkView {
        from: from.clone(),
        to: to.clone(),
        shape: LinkShape::default(),
        rate_bytes_s: 0.0,
        held_ms: None,
        connections: 0,
    };
    pairs.filter(|(from, to)| from != to).map(link).collect()
}

/// Nothing flows.
fn silence(link: &mut LinkView) {
    (link.rate_bytes_s, link.held_ms, link.connections) = (0.0, None, 0);
}

fn view(link: LinkState) -> LinkView {
    let millis = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    LinkView {
        from: link.from,
        to: link.to,
        shape: LinkShape {
            delay_ms: millis(link.shape.delay),
            jitter_ms: millis(link.shape.jitter),
            bandwidth_bytes_s: link.shape.bandwidth_bytes_s,
            cut: link.shape.cut,
        },
        rate_bytes_s: link.last_second_bytes as f64,
        held_ms: link.held.map(|held| held.as_secs_f64() * 1_000.0),
        connections: link.connections,
    }
}

#[cfg(test)]
mod tests {
    use lab_faults::LinkProxy;

    use super::*;

    #[tokio::test]
    async fn links_are_known_before_their_proxy_was_asked_and_when_it_is_gone() {
        let names = ["etcd-1", "etcd-2", "etcd-3"].map(String::from);
        let nodes = names.each_ref().map(|name| Node {
            name: name.clone(),
            client: String::new(),
            peer: String::new(),
            gofail: String::new(),
            pid: None,
            container: None,
        });
        let proxy = LinkProxy::start(&names).await.unwrap();
        let mut views: Vec<LinkView> = proxy.links().into_iter().map(view).collect();
        assert_eq!(untouched(&nodes), views);

        views[0].shape.delay_ms = 100;
        (views[0].rate_bytes_s, views[0].held_ms, views[0].connections) = (10.0, Some(100.0), 2);
        views.iter_mut().for_each(silence);
        assert_eq!((views[0].rate_bytes_s, views[0].held_ms, views[0].connections), (0.0, None, 0));
        assert_eq!(views[0].shape.delay_ms, 100, "nobody took it back");
    }

    #[test]
    fn a_mark_says_what_is_done_to_a_link() {
        let plain = LinkShape::default();
        for (shape, words) in [
            (plain, "healed"),
            (LinkShape { delay_ms: 100, ..plain }, "100 ms"),
            (LinkShape { delay_ms: 100, jitter_ms: 10, ..plain }, "100 ± 10 ms"),
            (LinkShape { delay_ms: 5, bandwidth_bytes_s: Some(1_000), ..plain }, "5 ms, 1000 B/s"),
            (LinkShape { delay_ms: 100, cut: true, ..plain }, "cut"),
        ] {
            assert_eq!(said(&shape), words);
        }
    }
}
