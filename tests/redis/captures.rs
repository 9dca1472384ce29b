//! What Python's pub/sub layer was seen to publish: it reaches whom it is for, and is published here byte for byte.

use bytes::Bytes;
use solent::layers::redis::RedisPubSubChannelLayer;
use solent::layers::{ChannelLayer, Event, Mailbox, MailboxOptions, Value};

use crate::layer_suite::{channel, group, next};
use crate::redis_server::RedisServer;
use crate::rigs::settings;
use crate::vectors::{at, bytes, file, list, map, texts};

/// Publishes bytes as they are.
fn publish(server: &RedisServer, to: &str, payload: &[u8]) {
    let client = redis::Client::open(server.url()).expect("a client");
    let mut connection = client.get_connection().expect("a connection");
    redis::cmd("PUBLISH").arg(to).arg(payload).exec(&mut connection).expect("published");
}

/// A mailbox that should hear what is published on a captured channel, and the channel's name on this side.
async fn hearer(layer: &RedisPubSubChannelLayer, prefix: &str, captured: &str) -> (Mailbox, String) {
    if !captured.starts_with(prefix) {
        let plain = channel(captured);
        let listener = layer.listen(&plain, MailboxOptions::default()).await.expect("a listener");
        return (listener, captured.to_owned());
    }
    let mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    match captured.strip_prefix(&format!("{prefix}__group__")) {
        Some(name) => {
            layer.group_add(&group(name), &mailbox).await.expect("joined");
            (mailbox, captured.to_owned())
        }
        // The channel of a Python consumer; here it is the mailbox's own.
        None => {
            let name = mailbox.name().as_str().to_owned();
            (mailbox, name)
        }
    }
}

/// Sends a message as its captured twin was, and gives what Redis was told.
async fn published(
    server: &RedisServer,
    layer: &RedisPubSubChannelLayer,
    to: &str,
    message: &Event,
) -> Bytes {
    let mut connection =
        redis::Client::open(server.url()).expect("a client").get_connection().expect("a connection");
    let mut subscribed = connection.as_pubsub();
    subscribed.subscribe(to).expect("subscribed");
    match to.split_once("__group__") {
        Some((_, name)) => drop(layer.group_send(&group(name), message.clone()).await.expect("sent")),
        None => layer.send(&channel(to), message.clone()).await.expect("sent"),
    }
    subscribed.get_message().expect("it was published").get_payload_bytes().to_vec().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_python_was_seen_to_publish_arrives_and_is_written_alike() {
    let server = RedisServer::start();
    let (mut ran, mut compared) = (0, 0);
    for step in list(at(&file("pubsub_layer"), "steps")) {
        let options = at(at(step, "input"), "options");
        let mut settings = settings(std::slice::from_ref(&server));
        if let Some(prefix) = options.get("prefix").and_then(Value::as_str) {
            prefix.clone_into(&mut settings.prefix);
        }
        if let Some(format) = options.get("serializer_format").and_then(Value::as_str) {
            format.clone_into(&mut settings.serializer_format);
        }
        let keys = texts(at(options, "symmetric_encryption_keys"));
        settings.symmetric_encryption_keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let prefix = settings.prefix.clone();
        let layer = RedisPubSubChannelLayer::new(settings).expect("settings");
        layer.start().await.expect("connected");
        for command in list(at(step, "commands")) {
            let arguments = list(at(command, "args"));
            if arguments[0].as_str() != Some("PUBLISH") {
                continue;
            }
            let message = Event::from_value(map(at(at(step, "input"), "message")).into()).expect("a map");
            let (captured, payload) = (arguments[1].as_str().expect("text"), bytes(&arguments[2]));
            let (mut mailbox, name) = hearer(&layer, &prefix, captured).await;
            publish(&server, &name, &payload);
            assert_eq!(next(&mut mailbox).await, message, "{step:?}");
            ran += 1;
            if keys.is_empty() {
                assert_eq!(published(&server, &layer, &name, &message).await, payload, "{step:?}");
                compared += 1;
            }
        }
    }
    assert_eq!((ran, compared), (9, 7));
}
