//! One listener of the proxy: takes a member's requests one by one and passes each to the member it names.
//!
//! Go shares idle connections to a proxy between all hosts behind it (`net/http`, `connectMethodKey`), so no
//! connection is bound to the host of its first request. The connection to the member named is this listener's own,
//! and it is the one whose bytes are shaped: its two directions are two links.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, HeaderName, PROXY_AUTHORIZATION, TE, UPGRADE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self as client, SendRequest};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::pump::{Carries, pump};
use super::{Dial, Link, Pairs, locked};

/// Bytes between the HTTP client and what shapes them.
const PIPE_BYTES: usize = 64 << 10;
/// After a connection couldn't be accepted, which only happens when the system is short of something.
const BREATH: Duration = Duration::from_millis(100);
/// How long a member may take to accept a connection. Its host may be gone, so that nobody says no.
const DIAL_WITHIN: Duration = Duration::from_secs(5);
/// Headers that concern one hop only (RFC 9110, 7.6.1).
const OF_ONE_HOP: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHORIZATION,
    TE,
    UPGRADE,
];

type Body = Either<Incoming, Full<Bytes>>;

/// Takes connections of the member `from` until the proxy ends.
pub(super) async fn listen(
    listener: TcpListener,
    from: String,
    links: Arc<Pairs>,
    dial: Dial,
    end: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = end.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                drop(tokio::spawn(serve(stream, from.clone(), Arc::clone(&links), dial, end.clone())))
            }
            Err(error) => {
                tracing::warn!(%error, from, "a member's connection can't be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, from: String, links: Arc<Pairs>, dial: Dial, end: CancellationToken) {
    // A delay that wasn't asked for, otherwise.
    let _ = stream.set_nodelay(true);
    let route = Route { from, links, dial, end: end.clone(), members: Mutex::default() };
    let answer = service_fn(|request| async { Ok::<_, Infallible>(route.pass(request).await) });
    let connection = server::Builder::new().serve_connection(TokioIo::new(stream), answer);
    tokio::select! {
        () = end.cancelled() => {}
        ended = connection => if let Err(error) = ended {
            tracing::debug!(%error, from = route.from, "a member's connection broke");
        }
    }
}

/// One connection that a member opened to its listener.
struct Route {
    from: String,
    links: Arc<Pairs>,
    dial: Dial,
    end: CancellationToken,
    /// Its connections to other members, kept for the next request.
    members: Mutex<HashMap<(String, u16), SendRequest<Incoming>>>,
}

/// Where a request goes.
struct Towards {
    to: String,
    port: u16,
    requests: Arc<Link>,
    responses: Arc<Link>,
}

impl Route {
    async fn pass(&self, mut request: Request<Incoming>) -> Response<Body> {
        let Some(towards) = self.towards(&request) else {
            return refusal(StatusCode::FORBIDDEN, "This proxy is for requests from member to member only.");
        };
        // A response couldn't come without a request, nor a request be of use without its response.
        if towards.requests.is_cut() || towards.responses.is_cut() {
            return refusal(StatusCode::BAD_GATEWAY, "The link is cut.");
        }
        to_origin(&mut request);
        match self.send(&towards, request).await {
            Ok(mut response) => {
                OF_ONE_HOP.iter().for_each(|name| drop(response.headers_mut().remove(name)));
                response.map(Either::Left)
            }
            Err(error) => {
                tracing::debug!(%error, from = self.from, to = towards.to, "a request wasn't answered");
                refusal(StatusCode::BAD_GATEWAY, "The member doesn't answer.")
            }
        }
    }

    /// `None` when it isn't a request from member to member.
    fn towards(&self, request: &Request<Incoming>) -> Option<Towards> {
        if request.method() == Method::CONNECT || request.uri().scheme() != Some(&Scheme::HTTP) {
            return None;
        }
        let authority = request.uri().authority()?;
        let (to, port) = (authority.host(), authority.port_u16()?);
        Some(Towards {
            to: to.to_owned(),
            port,
            requests: Arc::clone(self.links.get(&self.from, to)?),
            responses: Arc::clone(self.links.get(to, &self.from)?),
        })
    }

    async fn send(
        &self,
        towards: &Towards,
        request: Request<Incoming>,
    ) -> Result<Response<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
        let key = (towards.to.clone(), towards.port);
        let kept = locked(&self.members).remove(&key);
        let mut member = match kept {
            // Ready once the last answer is read to its end, or never: then the member closed it.
            Some(mut kept) => match kept.ready().await {
                Ok(()) => kept,
                Err(_) => self.dial(towards).await?,
            },
            None => self.dial(towards).await?,
        };
        let response = member.send_request(request).await?;
        locked(&self.members).insert(key, member);
        Ok(response)
    }

    async fn dial(
        &self,
        towards: &Towards,
    ) -> Result<SendRequest<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
        let stream = timeout(DIAL_WITHIN, self.dial.connect(&towards.to, towards.port)).await??;
        stream.set_nodelay(true)?;
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let (sender, connection) = client::handshake(TokioIo::new(near)).await?;
        // It ends when the other end of its pipe does; who waits for an answer is told why.
        tokio::spawn(async move { drop(connection.await) });
        let (requests, responses) = (Arc::clone(&towards.requests), Arc::clone(&towards.responses));
        let end = self.end.clone();
        tokio::spawn(async move {
            let (from_near, to_near) = tokio::io::split(far);
            let (from_member, to_member) = stream.into_split();
            // Both directions end with the first of them: neither side can do with half a connection.
            let ended = tokio::select! {
                () = end.cancelled() => Ok(()),
                ended = pump(from_near, to_member, &requests, Carries::Requests, any) => ended,
                ended = pump(from_member, to_near, &responses, Carries::Responses, any) => ended,
            };
            if let Err(error) = ended {
                tracing::debug!(%error, from = requests.from, to = requests.to, "a connection ended");
            }
        });
        Ok(sender)
    }
}

/// Evenly from -1 to 1.
fn any() -> f64 {
    rand::random_range(-1.0..=1.0)
}

/// From the form a proxy is sent to the one a server is (RFC 9112, 3.2).
fn to_origin(request: &mut Request<Incoming>) {
    let host =
        request.uri().authority().map(Authority::as_str).and_then(|host| HeaderValue::from_str(host).ok());
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    let headers = request.headers_mut();
    OF_ONE_HOP.iter().for_each(|name| drop(headers.remove(name)));
    if let Some(host) = host {
        headers.insert(HOST, host);
    }
}

fn refusal(status: StatusCode, sentence: &'static str) -> Response<Body> {
    let mut response = Response::new(Either::Right(Full::new(Bytes::from_static(sentence.as_bytes()))));
    *response.status_mut() = status;
    response
}
