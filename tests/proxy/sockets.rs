//! WebSockets that a server behind answers.

use std::time::Duration;

use solent::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tungstenite::handshake::derive_accept_key;

use crate::raw::{Raw, close, frame, handshake};
use crate::site::{Behind, Peer, serve, serve_with};
use crate::waiting::{standstill, until};

/// A connection whose handshake was answered: frames by hand, on the server's side.
struct Socket {
    peer: Peer,
    request: String,
}

impl Socket {
    /// Answers the handshake, with further fields.
    async fn accept(mut peer: Peer, fields: &str) -> Option<Self> {
        let request = peer.request().await?;
        let key = request.split("sec-websocket-key: ").nth(1)?.lines().next()?;
        let accept = derive_accept_key(key.as_bytes());
        peer.send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: WebSocket\r\n\
             sec-websocket-accept: {accept}\r\n{fields}\r\n"
        ))
        .await;
        Some(Self { peer, request })
    }

    /// The next frame's first byte and payload; `None` at the end.
    async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let stream = &mut self.peer.stream;
        let first = stream.read_u8().await.ok()?;
        let second = stream.read_u8().await.ok()?;
        assert_ne!(second & 0x80, 0, "a client's frame is masked");
        let length = match second & 0x7f {
            126 => u64::from(stream.read_u16().await.ok()?),
            127 => stream.read_u64().await.ok()?,
            length => u64::from(length),
        };
        let mut mask = [0; 4];
        stream.read_exact(&mut mask).await.ok()?;
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload).await.ok()?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        Some((first, payload))
    }

    async fn send(&mut self, first: u8, payload: &[u8]) {
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..=125 => bytes.push(length as u8),
            length @ 126..=0xffff => {
                bytes.push(126);
                bytes.extend((length as u16).to_be_bytes());
            }
            length => {
                bytes.push(127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(payload);
        let _ = self.peer.stream.write_all(&bytes).await;
    }
}

/// A server that echoes, and notes what ends a socket.
async fn echoing(fields: &'static str) -> Behind {
    Behind::with(move |peer| async move {
        let Some(mut socket) = Socket::accept(peer, fields).await else { return };
        while let Some((first, payload)) = socket.next().await {
            match first {
                0x88 => socket.peer.note(format!("CLOSE {payload:?}")),
                0x8a => socket.peer.note(format!("PONG {}", String::from_utf8_lossy(&payload))),
                _ => {}
            }
            match payload.as_slice() {
                b"ping me" => socket.send(0x89, b"are you there").await,
                b"close" => socket.send(0x88, &[&4000_u16.to_be_bytes()[..], b"as you wish"].concat()).await,
                b"close without" => socket.send(0x88, b"").await,
                b"die" => return,
                b"mask" => socket.peer.send(frame(0x81, b"masked")).await,
                b"pieces" => {
                    socket.send(0x01, b"one ").await;
                    socket.send(0x89, b"between").await;
                    socket.send(0x80, b"two").await;
                }
                _ => socket.send(first, &payload).await,
            }
        }
        socket.peer.note("END");
    })
    .await
}

#[tokio::test]
async fn messages_pass_in_both_directions() {
    let behind = echoing("").await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::websocket(running.addresses()[0], "/ws/").await;
    raw.send_text("hello").await;
    assert_eq!(raw.text().await, "hello");
    let large = vec![7; 300_000];
    raw.send(frame(0x82, &large)).await;
    let echoed = raw.frame().await;
    assert!(echoed.first == 0x82 && echoed.payload == large);
    raw.send_text("pieces").await;
    assert_eq!(raw.text().await, "one two", "a message is passed on whole");
    assert_eq!(running.env().sockets.len(), 1);
}

#[tokio::test]
async fn the_handshake_is_the_clients_but_for_its_key_and_extensions() {
    let behind =
        echoing("sec-websocket-protocol: b\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-room: 7\r\n").await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    let fields = "Origin: http://127.0.0.1\r\nCookie: sessionid=x\r\nSec-WebSocket-Protocol: a, b\r\n\
                  Sec-WebSocket-Extensions: permessage-deflate\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\n";
    raw.send(handshake("/ws/a%2Fb/?token=%20x", fields)).await;
    let head = raw.head().await;
    assert_eq!(head.status, 101, "{}", head.text);
    assert_eq!(head.header("sec-websocket-protocol"), Some("b"));
    assert!(
        head.text.contains("set-cookie: a=1\r\n") && head.text.contains("set-cookie: b=2\r\n"),
        "{}",
        head.text
    );
    assert_eq!(head.header("x-room"), Some("7"));
    assert_eq!(head.text.matches("sec-websocket-accept").count(), 1);
    let got = behind.log.all().remove(0);
    assert!(got.starts_with("GET /ws/a%2Fb/?token=%20x HTTP/1.1\r\n"), "{got}");
    for line in [
        "host: 127.0.0.1",
        "origin: http://127.0.0.1",
        "cookie: sessionid=x",
        "sec-websocket-protocol: a, b",
        "sec-websocket-version: 13",
        "connection: upgrade",
        "upgrade: websocket",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-proto: http",
    ] {
        assert_eq!(got.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line}: {got}");
    }
    for gone in [crate::raw::KEY, "permessage-deflate", "6.6.6.6"] {
        assert!(!got.contains(gone), "{gone}: {got}");
    }
}

#[tokio::test]
async fn refusals_are_passed_on_as_they_stand() {
    for (answer, status, field, text) in [
        (
            "HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\ncontent-length: 8\r\n\r\nnot here",
            403,
            ("x-nothing", None),
            "not here",
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<p/>",
            401,
            ("www-authenticate", Some("Bearer")),
            "Unauthorized",
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: /login/\r\ncontent-length: 0\r\n\r\n",
            302,
            ("location", Some("/login/")),
            "Found",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 502, ("x-nothing", None), "Bad Gateway"),
        ("", 502, ("x-nothing", None), "The server behind this one does not answer properly."),
    ] {
        let behind = Behind::ending(answer).await;
        let running = serve(behind.proxy()).await;
        let mut raw = Raw::connect(running.addresses()[0]).await;
        raw.send(handshake("/ws/", "")).await;
        let (head, body) = raw.response().await;
        assert_eq!((head.status, &*body), (status, text), "{answer}");
        assert_eq!(head.header(field.0), field.1, "{answer}");
    }
}

#[tokio::test]
async fn an_acceptance_that_is_none_is_a_502() {
    for fields in [
        "sec-websocket-accept: wrong\r\nconnection: upgrade\r\nupgrade: websocket\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\n",
        "connection: upgrade\r\nupgrade: h2c\r\n",
    ] {
        let behind = Behind::ending(format!("HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n")).await;
        let running = serve(behind.proxy()).await;
        let mut raw = Raw::connect(running.addresses()[0]).await;
        raw.send(handshake("/ws/", "")).await;
        assert_eq!(raw.head().await.status, 502, "{fields}");
    }
    for fields in ["sec-websocket-protocol: c\r\n", "sec-websocket-extensions: permessage-deflate\r\n"] {
        let behind = echoing(fields).await;
        let running = serve(behind.proxy()).await;
        let mut raw = Raw::connect(running.addresses()[0]).await;
        raw.send(handshake("/ws/", "Sec-WebSocket-Protocol: a, b\r\n")).await;
        assert_eq!(raw.head().await.status, 502, "{fields}");
    }
}

#[tokio::test]
async fn a_handshake_that_is_not_answered_is_a_504() {
    let behind = Behind::with(|mut peer| async move { peer.closed().await }).await;
    let running = serve(behind.proxy().response_time(Duration::from_millis(100))).await;
    let mut raw = Raw::connect(running.addresses()[0]).await;
    raw.send(handshake("/ws/", "")).await;
    assert_eq!(raw.head().await.status, 504);
}

#[tokio::test]
async fn close_codes_pass_in_both_directions() {
    let behind = echoing("").await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::websocket(running.addresses()[0], "/ws/").await;
    raw.send_text("close").await;
    let closed = raw.frame().await;
    assert_eq!((closed.close_code(), &closed.payload[2..]), (4000, &b"as you wish"[..]));
    let mut raw = Raw::websocket(running.addresses()[0], "/ws/").await;
    raw.send_text("close without").await;
    let closed = raw.frame().await;
    assert_eq!((closed.first, closed.payload.len()), (0x88, 0));
    let mut raw = Raw::websocket(running.addresses()[0], "/ws/").await;
    raw.send(close(4321, "bye")).await;
    let told = format!("CLOSE {:?}", [&4321_u16.to_be_bytes()[..], b"bye"].concat());
    until(|| behind.log.all().contains(&told)).await;
    assert_eq!(raw.frame().await.close_code(), 4321);
}

#[tokio::test]
async fn a_server_that_dies_or_breaks_the_protocol_is_a_1014() {
    for how in ["die", "mask"] {
        let behind = echoing("").await;
        let running = serve(behind.proxy()).await;
        let mut raw = Raw::websocket(running.addresses()[0], "/ws/").await;
        raw.send_text(how).await;
        assert_eq!(raw.frame().await.close_code(), 1014, "{how}");
        raw.send(close(1014, "")).await;
        until(|| running.env().sockets.is_empty()).await;
    }
}

#[tokio::test]
async fn a_client_that_is_lost_ends_the_servers_socket() {
    let behind = echoing("").await;
    let running = serve(behind.proxy()).await;
    let raw = Raw::websocket(running.addresses()[0], "/ws/").await;
    drop(raw);
    until(|| behind.log.all().iter().any(|entry| entry == "END")).await;
    until(|| running.env().sockets.is_empty()).await;
}

#[tokio::test]
async fn each_side_answers_its_own_pings() {
    let behind = echoing("").await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::websocket(running.addresses()[0], "/ws/").await;
    raw.send_text("ping me").await;
    until(|| behind.log.all().iter().any(|entry| entry == "PONG are you there")).await;
    raw.send(frame(0x89, b"and you")).await;
    assert_eq!((raw.frame().await.first, behind.log.all().len()), (0x8a, 2));
}

#[tokio::test]
async fn a_drain_closes_proxied_sockets_too() {
    let behind = echoing("").await;
    let mut limits = Limits::default();
    limits.drain_time = Duration::from_millis(100);
    let running = serve_with(behind.proxy(), |server| server.limits(limits)).await;
    let mut raw = Raw::websocket(running.addresses()[0], "/ws/").await;
    let draining = tokio::spawn(running.shutdown());
    assert_eq!(raw.frame().await.close_code(), 1012);
    raw.send(close(1012, "")).await;
    draining.await.unwrap().unwrap();
    until(|| behind.log.all().iter().any(|entry| entry.starts_with("CLOSE"))).await;
}

#[tokio::test]
async fn a_message_over_the_limit_ends_the_socket_on_either_side() {
    let behind = echoing("").await;
    let mut limits = Limits::default();
    limits.message_bytes = 1000;
    let running = serve_with(behind.proxy(), |server| server.limits(limits)).await;
    let mut raw = Raw::websocket(running.addresses()[0], "/ws/").await;
    raw.send(frame(0x81, &[b'x'; 1001])).await;
    assert_eq!(raw.frame().await.close_code(), 1009);
    let large = Behind::with(|peer| async move {
        let mut socket = Socket::accept(peer, "").await.unwrap();
        assert!(socket.request.starts_with("GET /ws/"));
        socket.send(0x81, &[b'x'; 1001]).await;
        let (first, payload) = socket.next().await.unwrap();
        socket.peer.note(format!("{first} {}", u16::from_be_bytes([payload[0], payload[1]])));
    })
    .await;
    let mut limits = Limits::default();
    limits.message_bytes = 1000;
    let running = serve_with(large.proxy(), |server| server.limits(limits)).await;
    let mut raw = Raw::websocket(running.addresses()[0], "/ws/").await;
    assert_eq!(raw.frame().await.close_code(), 1014);
    until(|| large.log.all().iter().any(|entry| entry == "136 1009")).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_makes_the_server_wait() {
    let written = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&written);
    let behind = Behind::with(move |peer| {
        let counter = std::sync::Arc::clone(&counter);
        async move {
            let mut socket = Socket::accept(peer, "").await.unwrap();
            for _ in 0..4000 {
                socket.send(0x82, &[b'x'; 32 << 10]).await;
                counter.fetch_add(32 << 10, std::sync::atomic::Ordering::Relaxed);
            }
        }
    })
    .await;
    let running = serve(behind.proxy()).await;
    let mut raw = Raw::websocket(running.addresses()[0], "/ws/").await;
    let before = standstill(|| written.load(std::sync::atomic::Ordering::Relaxed)).await;
    assert!(before < 32 << 20, "{before} bytes are on their way");
    for _ in 0..4000 {
        assert_eq!(raw.frame().await.payload.len(), 32 << 10, "nothing is dropped");
    }
}
