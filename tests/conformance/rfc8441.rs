//! RFC 8441, WebSockets over HTTP/2: the message cases of RFC 6455 once more, sent by hyper's client.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Empty;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::ext::Protocol;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http2::{Http2, PREFACE, SETTINGS, frame, setting};
use crate::raw::{PATIENCE, Raw};
use crate::rfc6455::{Expect, FRAMES, frames};
use crate::site::start;

type Stream = TokioIo<Upgraded>;

async fn open(sender: &mut SendRequest<Empty<Bytes>>) -> Stream {
    let request = Request::builder()
        .method(Method::CONNECT)
        .uri("http://127.0.0.1/ws/small/")
        .extension(Protocol::from_static("websocket"))
        .header("sec-websocket-version", "13");
    let response = sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    TokioIo::new(hyper::upgrade::on(response).await.unwrap())
}

/// The next frame of a server: its first byte and its payload, which is short in all cases.
async fn next(stream: &mut Stream) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    timeout(PATIENCE, stream.read_exact(&mut head)).await.expect("in time").expect("a frame");
    assert!(head[1] <= 125);
    let mut payload = vec![0; usize::from(head[1])];
    stream.read_exact(&mut payload).await.expect("its payload");
    (head[0], payload)
}

/// All cases are streams of one connection, which none of them ends.
#[tokio::test]
async fn the_message_cases_come_out_the_same() {
    let server = start().await;
    let stream = TokioIo::new(TcpStream::connect(server.addresses()[0]).await.unwrap());
    let (mut sender, connection) = Builder::new(TokioExecutor::new()).handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let cases = frames();
    assert_eq!(cases.len(), FRAMES);
    for (rule, bytes, expect) in cases {
        let mut stream = open(&mut sender).await;
        stream.write_all(&bytes).await.expect(rule);
        match expect {
            Expect::Frames(frames) => {
                for (first, payload) in frames {
                    let found = next(&mut stream).await;
                    assert_eq!((found.0, &*found.1), (*first, payload.as_bytes()), "{rule}");
                }
            }
            Expect::Close(code) => {
                let (first, payload) = next(&mut stream).await;
                let found = payload.get(..2).map_or(0, |code| u16::from_be_bytes([code[0], code[1]]));
                assert_eq!((first, found), (0x88, code), "{rule}");
                let end = timeout(PATIENCE, stream.read(&mut [0])).await.expect("in time");
                assert!(!matches!(end, Ok(1..)), "{rule}: the stream ends");
            }
        }
    }
}

/// Section 3: the server says that it takes an extended CONNECT, before any client may send one.
#[tokio::test]
async fn an_extended_connect_is_announced() {
    let server = start().await;
    let mut raw = Raw::connect(server.addresses()[0]).await;
    raw.send([PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
    let settings = Http2 { raw }.next().await;
    assert_eq!(settings.kind, SETTINGS);
    let enabled = setting(8, 1);
    assert!(settings.payload.chunks(6).any(|found| found == enabled), "{settings:?}");
}
