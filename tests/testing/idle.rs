//! What a socket keeps of its handshake once it is open.

use solent::Result;
use solent::consumer::{ConsumerService, Context, WebsocketConsumer, consumer};
use solent::layers::Value;
use solent::middleware::CookieLayer;
use solent::testing::WebsocketCommunicator;
use solent::websocket::Message;
use tower::Layer;

/// Tells how many headers and cookies it sees: before accept, and with every message.
struct Witness(String);

fn seen(ctx: &Context) -> String {
    let scope = ctx.scope();
    format!("{} headers, theme {:?}", scope.headers.len(), scope.cookies.get("theme"))
}

impl WebsocketConsumer for Witness {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let before = seen(ctx);
        ctx.accept().await?;
        Ok(Self(before))
    }

    async fn receive(&mut self, ctx: &mut Context, _: Message) -> Result<()> {
        let now = seen(ctx);
        ctx.send(format!("{}; now {now}", self.0)).await
    }
}

async fn told_by(witness: ConsumerService<Witness>) -> String {
    let app = CookieLayer::new().layer(witness);
    let mut client = WebsocketCommunicator::new(app, "/").header("cookie", "theme=dark");
    client.connect().await.unwrap();
    client.send_text("what do you see?").await;
    client.receive_text().await
}

#[tokio::test(start_paused = true)]
async fn an_open_socket_holds_no_headers_and_no_cookies_unless_its_route_keeps_them() {
    assert_eq!(told_by(consumer()).await, r#"2 headers, theme Some("dark"); now 0 headers, theme None"#);
    assert_eq!(
        told_by(consumer().keep_headers()).await,
        r#"2 headers, theme Some("dark"); now 2 headers, theme Some("dark")"#
    );
}
