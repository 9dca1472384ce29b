//! What a layer promises of messages on their way, and of receiving them.

use super::*;

pub async fn a_message_to_test_channel_is_received_back(rig: Rig) {
    let test_channel = channel("test_channel");
    let mut listener = rig.layer.listen(&test_channel, MailboxOptions::default()).await.expect("a listener");
    rig.handle().send(&test_channel, &json!({"message": "Hello"})).await.expect("sent");
    let received = next(&mut listener).await.decode::<serde_json::Value>().expect("decodes");
    assert_eq!(received.get(), &json!({"message": "Hello"}));
}

pub async fn every_kind_of_value_arrives_as_it_was_sent(rig: Rig) {
    let deep = (0..30).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let mut map = Map::new();
    map.insert("type", "kinds");
    map.insert("null", Value::Null);
    map.insert("bools", vec![Value::Bool(true), Value::Bool(false)]);
    map.insert(
        "integers",
        [0, 1, -1, 127, 128, -32, -33, 65_536, i64::MAX, i64::MIN].map(Value::I64).to_vec(),
    );
    map.insert("unsigned", Value::U64(u64::MAX));
    map.insert("floats", [0.0, -0.5, 1e300, f64::MIN_POSITIVE].map(Value::F64).to_vec());
    map.insert("text", "ünïcödé 中文 🦀 \u{0} \"quoted\"");
    map.insert("bytes", Value::from(bytes::Bytes::from_static(&[0, 1, 254, 255])));
    map.insert("", "an empty key");
    map.insert("deep", deep);
    map.insert("map", Map::from_iter([("z".into(), Value::I64(1)), ("a".into(), Value::I64(2))]));
    let sent = Value::Map(map);
    let mut mailbox = rig.mailbox().await;
    let room = group("kinds");
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    rig.layer.group_send(&room, Event::from_value(sent.clone()).expect("a map")).await.expect("sent");
    assert_eq!(next(&mut mailbox).await.value(), &sent);
    rig.layer.send(mailbox.name(), Event::from_value(sent.clone()).expect("a map")).await.expect("sent");
    assert_eq!(next(&mut mailbox).await.value(), &sent);
}

pub async fn a_megabyte_arrives(rig: Rig) {
    let mut mailbox = rig.mailbox().await;
    let room = group("large");
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    let large = event(&json!({"type": "large", "text": "ü".repeat(500_000)}));
    rig.layer.group_send(&room, large.clone()).await.expect("sent");
    assert_eq!(next(&mut mailbox).await, large);
}

pub async fn a_thread_without_a_runtime_sends_too(rig: Rig) {
    let room = group("threads");
    let mut mailbox = rig.mailbox().await;
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    let (blocking, to) = (rig.handle().blocking(), room.clone());
    let thread = std::thread::spawn(move || blocking.group_send(&to, &json!({"type": "number", "n": 5})));
    assert_eq!(number_of(&next(&mut mailbox).await), 5);
    thread.join().expect("no panic").expect("sent");
}

pub async fn what_a_listener_did_not_take_in_time_is_not_lost_by_cancelling(rig: Rig) {
    let worker = channel("patient");
    let mut listener = rig.layer.listen(&worker, MailboxOptions::default()).await.expect("a listener");
    for number in 0..20 {
        let cancelled = tokio::time::timeout(Duration::from_micros(50 * number), listener.recv()).await;
        assert!(cancelled.is_err(), "nothing was sent yet");
        rig.layer.send(&worker, numbered(number as i64)).await.expect("sent");
        assert_eq!(number_of(&next(&mut listener).await), number as i64);
    }
}

pub async fn only_plain_channels_are_received_from_by_name(rig: Rig) {
    let mailbox = rig.mailbox().await;
    let refused = rig.layer.receive(mailbox.name()).await;
    assert!(matches!(refused, Err(LayerError::NotReceivable { .. })), "{refused:?}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Chat {
    #[serde(rename = "chat.message")]
    Message { message: String },
}

pub async fn a_typed_message_arrives_typed(rig: Rig) {
    let room = group("typed");
    let mut mailbox = rig.mailbox().await;
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    let sent = Chat::Message { message: "hi".to_owned() };
    rig.handle().group_send(&room, &sent).await.expect("sent");
    assert_eq!(next(&mut mailbox).await.decode::<Chat>().expect("decodes").get(), &sent);
    rig.handle().group_send(&room, &json!({"type": "chat_message", "message": "hi"})).await.expect("sent");
    assert_eq!(next(&mut mailbox).await.decode::<Chat>().expect("decodes").get(), &sent);
}

/// Polls a future so many times at most, and drops it then.
async fn polled<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let (mut future, mut left) = (std::pin::pin!(future), times);
    std::future::poll_fn(|context| {
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

pub async fn a_receive_that_is_dropped_at_any_await_loses_nothing(rig: Rig) {
    const MESSAGES: i64 = 60;
    let work = channel("work");
    // From the first message that is heard on, the layer listens.
    let mut first = std::pin::pin!(rig.layer.receive(&work));
    while tokio::time::timeout(Duration::from_millis(20), first.as_mut()).await.is_err() {
        let _ = rig.layer.send(&work, numbered(-1)).await;
    }
    let sending = tokio::spawn({
        let (layer, work) = (rig.layer.clone(), work.clone());
        async move {
            let mut pace = Pace::every(Duration::from_millis(1));
            for number in 0..MESSAGES {
                while layer.send(&work, numbered(number)).await.is_err() {
                    tokio::task::yield_now().await;
                }
                pace.next().await;
            }
        }
    });
    let mut found = Vec::new();
    within(async {
        for times in (1..=6).cycle() {
            match polled(rig.layer.receive(&work), times).await {
                Some(event) => found.push(number_of(&event.expect("received"))),
                None => tokio::task::yield_now().await,
            }
            found.retain(|number| *number >= 0);
            if found.len() >= usize::try_from(MESSAGES).expect("small") {
                break;
            }
        }
    })
    .await;
    within(sending).await.expect("no panic");
    found.sort_unstable();
    assert_eq!(found, (0..MESSAGES).collect::<Vec<_>>(), "each message once");
}
