//! The chat's consumer: a member of its room's group, which tells the group what its page says.

use solent::Result;
use solent::consumer::{Context, WebsocketConsumer};
use solent::layers::{Event, GroupName};
use solent::websocket::Message;

use super::wire::{ChatEvent, is_as_pages_expect, stamped, text_of};

pub struct ChatConsumer {
    group: GroupName,
}

impl WebsocketConsumer for ChatConsumer {
    type Event = ChatEvent;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let course_id: i64 = ctx.url_route().get("course_id")?;
        let group = GroupName::new(format!("chat_{course_id}"))?;
        ctx.group_add(&group).await?;
        ctx.accept().await?;
        Ok(Self { group })
    }

    async fn receive(&mut self, ctx: &mut Context, frame: Message) -> Result<()> {
        let event = stamped(text_of(&frame)?, ctx.user().username());
        ctx.group_send(&self.group, &event).await?;
        Ok(())
    }

    async fn event(&mut self, ctx: &mut Context, event: Event<ChatEvent>) -> Result<()> {
        if is_as_pages_expect(&event) {
            ctx.send_event(&event).await
        } else {
            ctx.send_json(event.get()).await
        }
    }
}
