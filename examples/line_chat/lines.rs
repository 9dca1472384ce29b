//! The protocol: a connection's first line is the path of what it wants, and every line after that a message.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use solent::routing::ProtocolTypeRouter;
use solent::websocket::{Acceptance, Accepted, Connection, Refusal, Socket, Stream, Transport};
use solent::{Environment, Error, Protocol, Scope};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// The scope's type, under which the router finds the application.
pub const PROTOCOL: &str = "line";

/// The longest line, in bytes.
const LONGEST: usize = 1000;

/// How long the first line may take.
const OPENING: Duration = Duration::from_secs(10);

/// A client's lines, and the way back.
pub type Lines = BufReader<Pin<Box<dyn Stream>>>;

/// Gives every connection of `listener` to the application, until the runtime ends.
pub async fn listen(listener: TcpListener, app: ProtocolTypeRouter, env: Arc<Environment>) {
    loop {
        match listener.accept().await {
            Ok((stream, client)) => drop(tokio::spawn(open(stream, client, app.clone(), env.clone()))),
            // No more descriptors, say: they come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// One connection's opening: what it asks for becomes a scope, and the router decides.
async fn open(stream: TcpStream, client: SocketAddr, app: ProtocolTypeRouter, env: Arc<Environment>) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    let Ok(Ok(Some(path))) = timeout(OPENING, next_line(&mut stream, &mut line)).await else { return };
    let mut scope = Scope::new(Protocol::new(PROTOCOL), path);
    scope.client = Some(client);
    scope.env = env;
    // Any other refusal drops the transport, and with it the connection; an unknown path hands it back.
    if let Err(Refusal::NotFound(connection)) = app.call(Connection::new(scope, Line(stream))).await
        && let Ok(mut lines) = accept(connection.into_parts().1)
    {
        let _ = lines.write_all(b"no such room\n").await;
    }
}

/// The transport of this protocol: no answer to a handshake, so that accepting gives the stream as it is.
struct Line(BufReader<TcpStream>);

impl Transport for Line {
    fn accept(self: Box<Self>, _: Acceptance) -> Result<Accepted, Error> {
        Ok(Accepted::new(Socket::Stream { stream: Box::pin(self.0), read_ahead: Default::default() }))
    }
}

/// The lines of a connection that was routed here.
pub fn accept(transport: Box<dyn Transport>) -> Result<Lines, Error> {
    match transport.accept(Acceptance::default())?.socket {
        Socket::Stream { stream, .. } => Ok(BufReader::new(stream)),
        other => Err(Error::msg(format!("expected a stream of lines, found {other:?}"))),
    }
}

/// The next line without its end; `None` at the end of the stream, and for one that is too long or no text.
///
/// Cancel safe: what was read of a line waits in `line`.
pub async fn next_line(
    lines: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> io::Result<Option<String>> {
    let room = LONGEST.saturating_sub(line.len()) as u64;
    lines.take(room).read_until(b'\n', line).await?;
    let whole = std::mem::take(line);
    let text = whole.strip_suffix(b"\n").map(|text| text.strip_suffix(b"\r").unwrap_or(text));
    Ok(text.and_then(|text| String::from_utf8(text.to_vec()).ok()))
}
