//! `chat`: what a member says goes to its group, with the member's name and the time.

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};

use super::{Groups, LAYER_GAP, join};
use crate::consumer::{Context, WebsocketConsumer};
use crate::layers::{GroupName, LayerGap, Value};
use crate::websocket::Message;
use crate::{ClientError, Result};

/// The longest message, in characters.
const MAX_CHARACTERS: usize = 4096;

pub(super) struct Chat {
    group: Option<GroupName>,
}

/// What a client sends.
#[derive(Deserialize)]
struct Incoming {
    message: String,
}

/// What members hear. Python members may say `chat_message` and `username`; all else goes out as it comes in.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
pub(super) enum Said {
    #[serde(rename = "chat.message")]
    Message {
        message: String,
        #[serde(alias = "username")]
        user: String,
        time: DateTime<Utc>,
    },
}

impl WebsocketConsumer<Groups> for Chat {
    type Event = Value;

    async fn connect(ctx: &mut Context<Groups>) -> Result<Self> {
        let group = join(ctx).await?.into_iter().next();
        ctx.accept().await?;
        Ok(Self { group })
    }

    async fn receive(&mut self, ctx: &mut Context<Groups>, message: Message) -> Result<()> {
        let Incoming { message } = message.json()?;
        refuse_what_is_no_message(&message)?;
        let (user, time) = (ctx.user().username().to_owned(), Utc::now().trunc_subsecs(3));
        let said = Said::Message { message, user, time };
        if let Some(group) = &self.group {
            ctx.group_send(group, &said).await?;
        }
        Ok(())
    }

    async fn layer_gap(&mut self, ctx: &mut Context<Groups>, _: LayerGap) -> Result<()> {
        ctx.send(LAYER_GAP).await
    }
}

fn refuse_what_is_no_message(message: &str) -> Result<(), ClientError> {
    if message.trim().is_empty() {
        return Err(ClientError::new("empty", "A message needs some text."));
    }
    let length = message.chars().count();
    if length > MAX_CHARACTERS {
        let told = format!("A message can have {MAX_CHARACTERS} characters; this one has {length}.");
        return Err(ClientError::new("too_long", told));
    }
    Ok(())
}
