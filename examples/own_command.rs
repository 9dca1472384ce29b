//! A program around Solent: its own consumer, which config files can name, and a command of its own beside Solent's.
//!
//! ```sh
//! cargo run --example own_command -- --help
//! cargo run --example own_command -- greet alice
//! cargo run --example own_command -- --config examples/own_command.toml     # then open a socket at /ws/clock/
//! ```

use std::process::ExitCode;

use clap::Arg;
use futures_util::future::BoxFuture;
use solent::Result;
use solent::cli::{self, App, CliError, Command};
use solent::consumer::{Context, WebsocketConsumer};
use solent::gateway::Parts;
use solent::layers::Value;

/// Tells the time once, in UTC.
struct Clock;

impl WebsocketConsumer for Clock {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        ctx.send(chrono::Utc::now().to_rfc3339()).await?;
        Ok(Self)
    }
}

/// `greet NAME`.
struct Greet;

impl Command for Greet {
    fn definition(&self) -> clap::Command {
        clap::Command::new("greet")
            .about("Greets someone, and counts the site's routes")
            .arg(Arg::new("name").value_name("NAME").required(true).help("Who is greeted"))
    }

    fn run(&self, context: cli::Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move {
            let name = context.arguments().get_one::<String>("name").map_or("", String::as_str);
            // The config file, checked as for every other command.
            let routes = context.load()?.routes().lines().count() - 1;
            println!("Hello {name}, this site has {routes} routes.");
            Ok(())
        })
    }
}

fn main() -> ExitCode {
    let app = App::named("clockwork", "1.0.0", "Tells the time over WebSockets")
        .parts(Parts::new().consumer::<Clock, _>("clock", ()));
    cli::run(app, [Box::new(Greet) as Box<dyn Command>])
}
