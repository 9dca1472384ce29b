//! How batches travel: one HTTP/1.1 request each, over a connection of its own.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// A collector that takes longer does not get this batch.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer that is read; a collector's says little.
const LONGEST_ANSWER: usize = 64 << 10;

/// Sends on the runtime on which it was made: the exporter's own thread has none.
#[derive(Debug)]
pub(super) struct Client(Handle);

impl Client {
    /// A client on the current runtime.
    pub(super) fn here() -> Self {
        Self(Handle::current())
    }
}

impl HttpClient for Client {
    fn send_bytes<'s, 'f>(
        &'s self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        let sent = self.0.spawn(async move { timeout(PATIENCE, exchange(request)).await? });
        Box::pin(async move { sent.await? })
    }
}

async fn exchange(mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let authority = request.uri().authority().cloned().ok_or("a collector's URL without a host")?;
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driven = tokio::spawn(connection);
    request.headers_mut().insert(HOST, HeaderValue::try_from(authority.as_str())?);
    let path = request.uri().path_and_query().cloned().ok_or("a collector's URL without a path")?;
    *request.uri_mut() = Uri::from(path);
    let response = sender.send_request(request.map(Full::new)).await?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, LONGEST_ANSWER).collect().await?.to_bytes();
    driven.abort();
    Ok(Response::from_parts(head, body))
}
