//! Two kinds of members in one group: browsers by WebSocket, terminals by lines.

use serde::{Deserialize, Serialize};
use solent::Result;
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::http::{Request, html};
use solent::layers::{Delivery, Event, GroupName, LayerHandle, Mailbox, MailboxOptions};
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, mount, path};
use solent::websocket::{Connection, Message, Refusal};
use solent::{Error, UrlRoute};
use tokio::io::AsyncWriteExt;

use super::lines::{self, Lines};

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum ChatEvent {
    #[serde(rename = "chat.message")]
    Message { message: String },
}

/// The same rooms for every protocol.
pub fn application() -> Result<ProtocolTypeRouter> {
    let views = ViewRouter::new([path("", async |_: Request| html(PAGE))])?;
    let browsers = UrlRouter::new([path("ws/room/<int:room>/", consumer::<Browser>())])?;
    let terminals = UrlRouter::new([path("room/<int:room>/", mount(tower::service_fn(terminal)))])?;
    Ok(ProtocolTypeRouter::new().http(views).websocket(browsers).protocol(lines::PROTOCOL, terminals))
}

fn group_of(route: &UrlRoute) -> Result<GroupName> {
    Ok(GroupName::new(format!("room_{}", route.get::<u32>("room")?))?)
}

struct Browser {
    group: GroupName,
}

impl WebsocketConsumer for Browser {
    type Event = ChatEvent;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let group = group_of(ctx.url_route())?;
        ctx.group_add(&group).await?;
        ctx.accept().await?;
        Ok(Self { group })
    }

    async fn receive(&mut self, ctx: &mut Context, frame: Message) -> Result<()> {
        let message = frame.as_text()?.to_owned();
        ctx.group_send(&self.group, &ChatEvent::Message { message }).await?;
        Ok(())
    }

    async fn event(&mut self, ctx: &mut Context, event: Event<ChatEvent>) -> Result<()> {
        ctx.send_event(&event).await
    }
}

/// An application for connections of the line protocol, as a router calls it.
async fn terminal(connection: Connection) -> Result<(), Refusal> {
    let (scope, transport) = connection.into_parts();
    let member = async {
        let layer = scope.env.layers.default_handle()?;
        let group = group_of(&scope.url_route)?;
        let mailbox = layer.new_channel(MailboxOptions::default()).await?;
        layer.group_add(&group, &mailbox).await?;
        Ok::<_, Error>(Terminal { lines: lines::accept(transport)?, layer, group, mailbox })
    };
    let member = member.await.map_err(|error| Refusal::unavailable("layer").with_detail(error.chain()))?;
    // Accepted: the connection goes on in a task of its own. Its membership dies with its mailbox.
    tokio::spawn(member.talk());
    Ok(())
}

struct Terminal {
    lines: Lines,
    layer: LayerHandle,
    group: GroupName,
    mailbox: Mailbox,
}

impl Terminal {
    async fn talk(mut self) -> Result<()> {
        let mut line = Vec::new();
        loop {
            tokio::select! {
                said = lines::next_line(&mut self.lines, &mut line) => {
                    let Some(message) = said? else { return Ok(()) };
                    self.layer.group_send(&self.group, &ChatEvent::Message { message }).await?;
                }
                delivery = self.mailbox.recv() => {
                    let Delivery::Event(event) = delivery else { continue };
                    let event = event.decode::<ChatEvent>()?;
                    let ChatEvent::Message { message } = event.get();
                    self.lines.write_all(format!("{}\n", message.replace('\n', " ")).as_bytes()).await?;
                }
            }
        }
    }
}

const PAGE: &str = r#"<!doctype html>
<meta charset="utf-8">
<title>Room 1</title>
<form><input autofocus><button>Say</button></form>
<ul></ul>
<script>
  const socket = new WebSocket(`ws://${location.host}/ws/room/1/`);
  socket.onmessage = ({ data }) => {
    const line = document.createElement("li");
    line.textContent = JSON.parse(data).message;
    document.querySelector("ul").append(line);
  };
  document.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    const input = document.querySelector("input");
    socket.send(input.value);
    input.value = "";
  };
</script>
"#;
