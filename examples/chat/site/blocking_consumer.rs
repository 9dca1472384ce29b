//! The same consumer with blocking handlers: what it does is the same, and so are its tests.

use solent::Result;
use solent::consumer::blocking::{Context, WebsocketConsumer};
use solent::layers::{Event, GroupName};
use solent::websocket::Message;

use super::wire::{ChatEvent, is_as_pages_expect, stamped, text_of};

pub struct BlockingChatConsumer {
    group: GroupName,
}

impl WebsocketConsumer for BlockingChatConsumer {
    type Event = ChatEvent;

    fn connect(ctx: &mut Context) -> Result<Self> {
        let course_id: i64 = ctx.url_route().get("course_id")?;
        let group = GroupName::new(format!("chat_{course_id}"))?;
        ctx.group_add(&group)?;
        ctx.accept()?;
        Ok(Self { group })
    }

    fn receive(&mut self, ctx: &mut Context, frame: Message) -> Result<()> {
        let event = stamped(text_of(&frame)?, ctx.user().username());
        ctx.group_send(&self.group, &event)?;
        Ok(())
    }

    fn event(&mut self, ctx: &mut Context, event: Event<ChatEvent>) -> Result<()> {
        if is_as_pages_expect(&event) { ctx.send_event(&event) } else { ctx.send_json(event.get()) }
    }
}
