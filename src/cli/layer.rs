//! `layer`: sends to channels and groups of the site's channel layers, and hears what comes.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json, json};
use tokio::time::timeout;

use super::print::say;
use super::{CliError, Command, Context, logging};
use crate::layers::{
    ChannelName, Delivery, DropCause, Event, GroupName, Key, LayerHandle, Mailbox, MailboxOptions, Value,
};

/// The channel that `check` sends to, and what it sends.
const TEST_CHANNEL: &str = "test_channel";
/// How long `check` waits for its own message.
const CHECK_TIME: Duration = Duration::from_secs(5);

pub(super) struct Layer;

impl Command for Layer {
    fn definition(&self) -> clap::Command {
        clap::Command::new("layer")
            .about("Sends to channels and groups, and hears what comes")
            .subcommand_required(true)
            .arg(
                Arg::new("layer")
                    .long("layer")
                    .value_name("ALIAS")
                    .default_value("default")
                    .global(true)
                    .help("The channel layer"),
            )
            .subcommands([
                clap::Command::new("send")
                    .about("Sends a message to one channel")
                    .args([channel(), message()]),
                clap::Command::new("receive").about("Prints the next message of a channel").args([
                    channel(),
                    Arg::new("timeout")
                        .long("timeout")
                        .value_name("SECONDS")
                        .value_parser(value_parser!(f64))
                        .help("How long to wait; for ever when left out"),
                ]),
                clap::Command::new("group-send")
                    .about("Sends a message to all members of a group; says when nobody is known to be in it")
                    .args([group(), message()]),
                clap::Command::new("listen").about("Prints what a group's members hear").arg(group()),
                clap::Command::new("flush").about("Forgets all messages and memberships of the layer"),
                clap::Command::new("check")
                    .about("Sends {\"message\": \"Hello\"} to test_channel on every layer, and receives it")
                    .arg(
                        Arg::new("only")
                            .long("only")
                            .action(ArgAction::SetTrue)
                            .help("Checks the layer of --layer alone"),
                    ),
            ])
    }

    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move {
            let loaded = context.load()?;
            // Its spans are nobody's business: it asks one thing and ends.
            logging::begin(&loaded)?;
            let layers = loaded.layers()?;
            let Some((action, arguments)) = context.arguments().subcommand() else { return Ok(()) };
            let alias = text(arguments, "layer");
            if action == "check" && !arguments.get_flag("only") {
                for (alias, layer) in layers.iter() {
                    check(alias, &LayerHandle::new(layer.clone())).await?;
                }
                return Ok(());
            }
            let layer = layers.handle(alias).map_err(CliError::of)?;
            match action {
                "check" => check(alias, &layer).await,
                "send" => send(&layer, &channel_of(arguments)?, &message_of(arguments)?).await,
                "receive" => receive(&layer, &channel_of(arguments)?, arguments.get_one("timeout")).await,
                "group-send" => group_send(&layer, &group_of(arguments)?, &message_of(arguments)?).await,
                "listen" => listen(&layer, &group_of(arguments)?).await,
                _ => flush(&layer).await,
            }
        })
    }
}

fn channel() -> Arg {
    Arg::new("channel").value_name("CHANNEL").required(true).help("The channel's name")
}

fn group() -> Arg {
    Arg::new("group").value_name("GROUP").required(true).help("The group's name")
}

fn message() -> Arg {
    Arg::new("message").value_name("JSON").required(true).help("The message, a JSON object")
}

fn text<'a>(arguments: &'a ArgMatches, name: &str) -> &'a str {
    arguments.get_one::<String>(name).map_or("", String::as_str)
}

fn channel_of(arguments: &ArgMatches) -> Result<ChannelName, CliError> {
    ChannelName::parse(text(arguments, "channel")).map_err(CliError::of)
}

fn group_of(arguments: &ArgMatches) -> Result<GroupName, CliError> {
    GroupName::parse(text(arguments, "group")).map_err(CliError::of)
}

fn message_of(arguments: &ArgMatches) -> Result<Map<String, Json>, CliError> {
    let message = serde_json::from_str(text(arguments, "message"));
    message.map_err(|error| CliError::new(format!("the message must be a JSON object: {error}")))
}

/// Connects; what is wrong with the layer is told before anything is sent.
async fn started(layer: &LayerHandle) -> Result<String, CliError> {
    layer.layer().start().await.map_err(CliError::of)?;
    Ok(layer.layer().describe())
}

/// Memory is one process, and this one has no consumers.
fn warn_of_memory(name: &str) {
    if name.starts_with("memory") {
        eprintln!("note: the layer is {name}: it is one process's own, and no other hears of this");
    }
}

async fn send(
    layer: &LayerHandle,
    channel: &ChannelName,
    message: &Map<String, Json>,
) -> Result<(), CliError> {
    let name = started(layer).await?;
    layer.send(channel, message).await.map_err(CliError::of)?;
    warn_of_memory(&name);
    // Only pub/sub can know it, and only pub/sub loses what nobody hears.
    match layer.layer().stats().dropped(DropCause::ChannelGone) {
        0 => say!("sent to {channel} by {name}")?,
        _ => say!("nobody is subscribed to {channel}: the message is lost")?,
    }
    Ok(())
}

async fn group_send(
    layer: &LayerHandle,
    group: &GroupName,
    message: &Map<String, Json>,
) -> Result<(), CliError> {
    let name = started(layer).await?;
    // Asked first: who joins meanwhile has missed it all the same.
    let known = layer.layer().has_members(group).await;
    layer.group_send(group, message).await.map_err(CliError::of)?;
    warn_of_memory(&name);
    // A Redis that does not let this user ask is no reason to fail: the message is on its way.
    match known {
        Ok(Some(false)) => say!("sent to group {group} by {name}, in which nobody is known to be"),
        _ => say!("sent to group {group} by {name}"),
    }
}

async fn receive(layer: &LayerHandle, channel: &ChannelName, seconds: Option<&f64>) -> Result<(), CliError> {
    let name = started(layer).await?;
    warn_of_memory(&name);
    eprintln!("listening on {channel} by {name}");
    let received = layer.layer().receive(channel);
    let event = match seconds {
        None => Ok(received.await),
        Some(seconds) => {
            let time = Duration::try_from_secs_f64(*seconds)
                .map_err(|error| CliError::new(format!("--timeout {seconds}: {error}")))?;
            let nothing = |_| CliError::new(format!("no message came within {seconds} s"));
            timeout(time, received).await.map_err(nothing)
        }
    };
    layer.layer().settle().await;
    say!("{}", line(&event?.map_err(CliError::of)?))
}

async fn listen(layer: &LayerHandle, group: &GroupName) -> Result<(), CliError> {
    let name = started(layer).await?;
    warn_of_memory(&name);
    let mut mailbox = layer.new_channel(MailboxOptions::default()).await.map_err(CliError::of)?;
    layer.group_add(group, &mailbox).await.map_err(CliError::of)?;
    eprintln!("listening to group {group} by {name}");
    let ended = tokio::select! {
        ended = hear(&mut mailbox) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    layer.group_discard(group, &mailbox).await.map_err(CliError::of)?;
    ended
}

/// Prints what comes, for as long as somebody reads it.
async fn hear(mailbox: &mut Mailbox) -> Result<(), CliError> {
    loop {
        match mailbox.recv().await {
            Delivery::Event(event) => say!("{}", line(&event))?,
            Delivery::Gap(_) => eprintln!("the layer was away: messages may have been missed"),
            // Only whoever fell behind is told of an overflow, and this loop does nothing but print.
            _ => {}
        }
    }
}

async fn flush(layer: &LayerHandle) -> Result<(), CliError> {
    let name = started(layer).await?;
    layer.layer().flush().await.map_err(CliError::of)?;
    say!("flushed {name}")
}

/// Sends a message to itself.
async fn check(alias: &str, layer: &LayerHandle) -> Result<(), CliError> {
    let failed = |what: String| CliError::new(format!("channel layer {alias:?}: {what}"));
    let name = started(layer).await.map_err(|error| failed(error.to_string()))?;
    let channel = ChannelName::new(TEST_CHANNEL).map_err(CliError::of)?;
    // Listening comes first: on pub/sub nobody keeps a message for who comes later.
    let mut mailbox = layer.listen(&channel, MailboxOptions::default()).await.map_err(CliError::of)?;
    let hello = Event::new(&json!({"message": "Hello"})).map_err(CliError::of)?;
    layer.layer().send(&channel, hello.clone()).await.map_err(CliError::of)?;
    let heard = async {
        while mailbox.recv().await != Delivery::Event(hello.clone()) {
            eprintln!("note: {alias}: another message was in {TEST_CHANNEL}");
        }
    };
    let late = |_| failed(format!("{name}: sent, and nothing came back within {CHECK_TIME:?}"));
    timeout(CHECK_TIME, heard).await.map_err(late)?;
    say!("{alias}: {name}: {}", line(&hello))
}

/// A message as one line of JSON; bytes are written `{"$bytes": base64}`.
fn line(event: &Event) -> String {
    json_of(event.value()).to_string()
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Bytes(bytes) => json!({"$bytes": STANDARD.encode(bytes)}),
        Value::Array(items) => items.iter().map(json_of).collect(),
        Value::Map(map) => {
            let entries = map.iter().map(|(key, inner)| (key_of(key), json_of(inner)));
            Json::Object(entries.collect())
        }
        plain => serde_json::to_value(plain).unwrap_or(Json::Null),
    }
}

fn key_of(key: &Key) -> String {
    String::from_utf8_lossy(key.as_bytes()).into_owned()
}
