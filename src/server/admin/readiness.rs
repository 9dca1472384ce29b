//! Whether a server is ready for requests, and if not, why.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use tokio::time::timeout;

use crate::{Environment, Error};

/// A check that takes longer has failed: whoever asks does not wait for long either.
const PATIENCE: Duration = Duration::from_secs(2);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

/// What a server depends on beside its channel layers, by name.
#[derive(Clone, Default)]
pub(in crate::server) struct Checks(Vec<(String, Check)>);

/// The answer as a whole.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    pub(super) ready: bool,
    checks: Vec<Outcome>,
}

#[derive(Debug, Serialize)]
struct Outcome {
    name: String,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Checks {
    pub(in crate::server) fn add<F>(&mut self, name: String, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.0.push((name, Arc::new(move || Box::pin(check()))));
    }

    pub(super) async fn run(&self, env: &Environment, draining: bool) -> Told {
        let draining = draining.then(|| "draining: the server is about to end".to_owned());
        let mut checks = vec![Outcome::new("server".to_owned(), draining)];
        for (alias, layer) in env.layers.iter() {
            let reason = (!layer.is_ready()).then(|| format!("{} cannot deliver", layer.describe()));
            checks.push(Outcome::new(format!("layer {alias}"), reason));
        }
        checks.extend(join_all(self.0.iter().map(|(name, check)| outcome(name, check()))).await);
        Told { ready: checks.iter().all(|check| check.ready), checks }
    }
}

async fn outcome(name: &str, check: BoxFuture<'static, Result<(), Error>>) -> Outcome {
    let reason = match timeout(PATIENCE, check).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.chain()),
        Err(_) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    Outcome::new(name.to_owned(), reason)
}

impl Outcome {
    fn new(name: String, reason: Option<String>) -> Self {
        Self { name, ready: reason.is_none(), reason }
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
