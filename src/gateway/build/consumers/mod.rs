//! The consumers that files can name, and what stands around them on each route.

mod chat;
mod echo;
mod limited;
mod listen;
mod rate;
mod relay;
mod worker;

use std::sync::Arc;

use self::chat::{Chat, Said};
use self::echo::Echo;
pub(crate) use self::limited::{Limited, RouteLimits};
use self::listen::Listen;
pub(crate) use self::rate::lock;
use self::relay::Relay;
pub(crate) use self::worker::shards_of;
use self::worker::{Worker, WorkerRoute};
use super::Parts;
use super::proxies::Proxies;
use crate::consumer::{Context, Forwarded, Policy, WebsocketConsumer, consumer_with_state};
use crate::gateway::group_template::GroupTemplate;
use crate::gateway::setting::Placed;
use crate::gateway::settings::{SocketRoute, changed};
use crate::http::proxy::{Proxy, ProxyConsumer};
use crate::layers::GroupName;
use crate::routing::BoxedApplication;
use crate::{Result, Scope};

/// The groups of a route, as its consumers get them.
pub(crate) type Groups = Arc<[GroupTemplate]>;

/// What a client is told once the channel layer is back after an outage.
pub(crate) const LAYER_GAP: &str = r#"{"type":"layer.gap"}"#;

/// The consumer that a route names; `None` for one that nobody knows.
pub(crate) fn consumer_of(route: &SocketRoute, parts: &Parts, proxies: &Proxies) -> Option<BoxedApplication> {
    let mut policy = policy_of(route);
    let groups = groups_of(route.group.iter().chain(&route.groups));
    Some(match route.consumer.as_str() {
        "proxy" => {
            let proxy = proxies.get(&route.upstream.as_ref()?.value)?.clone();
            let consumer = consumer_with_state::<Limited<ProxyConsumer>, Proxy>(proxy);
            policy.layer = None;
            BoxedApplication::new(consumer.with_policy(policy))
        }
        // Neither of the two speaks to a channel layer, which need not be there.
        "echo" => {
            policy.layer = None;
            built_in::<Echo>(groups, policy)
        }
        "chat" => {
            policy.forwarded = Forwarded::written_by::<Said>();
            built_in::<Chat>(groups, policy)
        }
        "relay" => built_in::<Relay>(groups, policy),
        "listen" => built_in::<Listen>(groups, policy),
        "worker" => {
            let state = WorkerRoute::of(route, groups)?;
            let consumer = consumer_with_state::<Limited<Worker>, WorkerRoute>(state);
            BoxedApplication::new(consumer.with_policy(policy))
        }
        name => return parts.make(name, policy),
    })
}

/// Groups as the file names them, which a check has found right.
pub(crate) fn groups_of<'g>(groups: impl Iterator<Item = &'g Placed<String>>) -> Groups {
    groups.filter_map(|group| GroupTemplate::parse(group).ok()).collect()
}

fn built_in<C: WebsocketConsumer<Groups>>(groups: Groups, policy: Policy) -> BoxedApplication {
    BoxedApplication::new(consumer_with_state::<Limited<C>, Groups>(groups).with_policy(policy))
}

fn policy_of(route: &SocketRoute) -> Policy {
    changed(|policy: &mut Policy| {
        policy.on_error = route.on_error;
        policy.overflow = route.overflow;
        policy.max_message_size = route.max_message_size.map(|size| size.0);
        policy.subprotocols = route.subprotocols.iter().map(|name| name.value.clone()).collect();
        policy.layer = (!route.channel_layer.is_empty()).then(|| route.channel_layer.value.clone());
    })
}

/// Joins the route's groups, whose events then go straight to the client.
async fn join(ctx: &mut Context<Groups>) -> Result<Vec<GroupName>> {
    let templates = Arc::clone(ctx.state());
    let groups: Vec<GroupName> = fill(&templates, ctx.scope())?;
    for group in &groups {
        ctx.group_forward(group).await?;
    }
    Ok(groups)
}

pub(crate) fn fill(templates: &[GroupTemplate], scope: &Scope) -> Result<Vec<GroupName>> {
    templates.iter().map(|template| template.fill(scope)).collect()
}
