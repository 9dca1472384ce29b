//! One connection while a request and its answer have it.

use std::sync::Arc;

use ::http::Request;
use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;

use super::body::Upload;
use super::pool::{Link, Pool};

/// A connection in use. Dropped before its answer was read to the end, it is closed: nothing else may be sent on it.
#[derive(Debug)]
pub(super) struct Lease {
    link: Link,
    pool: Arc<Pool>,
    /// Whether it has served before: the server may have closed it meanwhile.
    pub(super) reused: bool,
}

impl Lease {
    pub(super) fn new(link: Link, pool: Arc<Pool>, reused: bool) -> Self {
        Self { link, pool, reused }
    }

    pub(super) async fn send(
        &mut self,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Upload>>> {
        self.link.sender.try_send_request(request).await
    }

    /// The answer has been read to its end, and the request was sent to its end.
    pub(super) fn give_back(self) {
        self.pool.give_back(self.link);
    }
}
