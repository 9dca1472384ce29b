//! The immediate way: one group of the deployment, on which processes tell each other whose sockets to close. It
//! carries tags, never a session's key.

use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::registry::Ear;
use crate::Environment;
use crate::auth::authenticator::{Auth, Inner};
use crate::layers::{ChannelLayer, DEFAULT_ALIAS, Delivery, Event, GroupName, LayerError, MailboxOptions};

/// The group's name.
const GROUP: &str = "solent.sessions";

/// The first pause before the layer is tried again; it doubles up to a minute.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Whose sockets to close.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "solent.sessions.ended")]
pub(super) struct Ended {
    #[serde(default)]
    pub(super) sessions: Vec<u64>,
    #[serde(default)]
    pub(super) users: Vec<u64>,
}

/// Tells the other processes. When the layer is away they find out by themselves, by comparing.
pub(super) async fn tell(env: &Environment, ended: &Ended) {
    let Some(layer) = env.layers.get(DEFAULT_ALIAS) else { return };
    let told = async {
        layer.group_send(&GroupName::new(GROUP)?, Event::new(ended)?).await?;
        Ok::<_, LayerError>(())
    };
    if let Err(error) = told.await {
        tracing::warn!(%error, "the other processes were not told of an ended session; their next comparison finds it");
    }
}

/// Listens to the other processes until the drain begins, when there is a layer to listen on.
pub(super) fn spawn(auth: &Auth, env: &Environment) -> Option<JoinHandle<()>> {
    let layer = Arc::clone(env.layers.get(DEFAULT_ALIAS)?);
    let (auth, closing) = (Arc::downgrade(auth.inner()), env.closing.clone());
    Some(env.tasks.spawn(async move {
        closing.run_until_cancelled(listen(auth, layer)).await;
    }))
}

async fn listen(auth: Weak<Inner>, layer: Arc<dyn ChannelLayer>) {
    let mut pause = FIRST_PAUSE;
    while auth.strong_count() > 0 {
        match hear(&auth, &*layer).await {
            Ok(()) => pause = FIRST_PAUSE,
            Err(error) => {
                tracing::debug!(%error, "no channel for ended sessions; trying again");
                if let Some(auth) = auth.upgrade() {
                    auth.following.registry.hears(Ear::Deaf);
                }
                sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
                pause = (pause * 2).min(Duration::from_secs(60));
            }
        }
    }
}

async fn hear(auth: &Weak<Inner>, layer: &dyn ChannelLayer) -> Result<(), LayerError> {
    let mut mailbox = layer.new_channel("specific", MailboxOptions::default()).await?;
    layer.group_add(&GroupName::new(GROUP)?, &mailbox).await?;
    if let Some(auth) = auth.upgrade() {
        auth.following.registry.hears(Ear::Listening);
    }
    loop {
        let delivery = mailbox.recv().await;
        let Some(auth) = auth.upgrade() else { return Ok(()) };
        match delivery {
            Delivery::Event(event) => match event.decode::<Ended>() {
                Ok(ended) => {
                    auth.following.registry.end_sessions(&ended.get().sessions);
                    auth.following.registry.end_users(&ended.get().users);
                }
                Err(error) => tracing::warn!(%error, "a message about ended sessions was not understood"),
            },
            // What was missed meanwhile, the next comparison finds.
            Delivery::Gap(_) => {}
            Delivery::Overflow => return Ok(()),
        }
    }
}
