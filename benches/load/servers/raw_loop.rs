//! The ceiling: a server that does nothing but one `send()` per member, in one thread.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use tokio::net::TcpStream as Tokio;

/// All sockets of the one room.
type Members = Arc<Mutex<Vec<Arc<Tokio>>>>;

/// What every member gets: a frame as long as the chat's event, which is the message of 100 bytes with user and time.
const PAYLOAD: u8 = 174;

/// How the loop answers.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// One `send()` per member and message.
    Plain,
    /// What came in one read goes out in one write per member.
    Merged,
    /// Only the sender is answered.
    Echo,
}

/// Serves one room.
pub fn serve(kind: &str) {
    let kind = match kind {
        "plain" => Kind::Plain,
        "merged" => Kind::Merged,
        "echo" => Kind::Echo,
        other => panic!("no such loop: {other}"),
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    super::announce(listener.local_addr().expect("an address"), "");
    super::runtime().block_on(room(listener, kind));
}

async fn room(listener: TcpListener, kind: Kind) {
    listener.set_nonblocking(true).expect("TCP");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime");
    let members = Members::default();
    loop {
        let (stream, _) = listener.accept().await.expect("a client");
        let stream = Arc::new(shake_hands(stream));
        members.lock().expect("one thread").push(stream.clone());
        tokio::spawn(relay(stream, members.clone(), kind));
    }
}

/// Any handshake will do: the answer's key is not looked at.
fn shake_hands(stream: Tokio) -> Tokio {
    let mut stream = stream.into_std().expect("a stream");
    stream.set_nonblocking(false).expect("TCP");
    stream.set_nodelay(true).expect("TCP");
    answer(&mut stream);
    stream.set_nonblocking(true).expect("TCP");
    Tokio::from_std(stream).expect("a runtime")
}

fn answer(stream: &mut TcpStream) {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => head.extend_from_slice(&buffer[..read]),
        }
    }
    let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
}

/// Every 106 bytes of a sender's are one message to all.
async fn relay(stream: Arc<Tokio>, members: Members, kind: Kind) {
    let frame = [&[0x81, 126, 0, PAYLOAD][..], &[b'x'; PAYLOAD as usize]].concat();
    let mut buffer = vec![0; 64 << 10];
    loop {
        if stream.readable().await.is_err() {
            break;
        }
        match stream.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                // A breath is six bytes, and no message.
                let messages = read / 106;
                if messages == 0 {
                    continue;
                }
                let (writes, bytes) = if kind == Kind::Merged {
                    (1, frame.repeat(messages))
                } else {
                    (messages, frame.clone())
                };
                let members = members.lock().expect("one thread");
                let members = if kind == Kind::Echo { std::slice::from_ref(&stream) } else { &members[..] };
                for _ in 0..writes {
                    for member in members.iter() {
                        let _ = member.try_write(&bytes);
                    }
                }
            }
            Err(_) => {}
        }
    }
    members.lock().expect("one thread").retain(|member| !Arc::ptr_eq(member, &stream));
}
