//! What answers requests now. A reload puts another application in its place, and no connection notices.

use std::sync::{Arc, PoisonError, RwLock};

use super::request::Handler;
use crate::Environment;
use crate::routing::{ProtocolTypeRouter, RouteError};

/// What answers requests now.
#[derive(Debug)]
pub(super) struct Current(RwLock<Arc<Handler>>);

impl Current {
    pub(super) fn new(handler: Handler) -> Self {
        Self(RwLock::new(Arc::new(handler)))
    }

    /// For one request.
    pub(super) fn get(&self) -> Arc<Handler> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets another application answer from the next request on. Sockets, limits and layers stay the same ones.
    pub(super) fn replace(&self, app: ProtocolTypeRouter) -> Result<(), RouteError> {
        let names = Arc::new(app.names()?);
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut env = Environment::clone(&current.env);
        env.names = names;
        *current = Arc::new(Handler { app, env: Arc::new(env), ..Handler::clone(&current) });
        Ok(())
    }
}
