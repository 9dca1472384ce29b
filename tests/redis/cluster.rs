//! Redis Cluster: groups on the node that has their slot, through a slot's move and a node's restart.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use solent::layers::redis::{Host, RedisChannelLayer, RedisPubSubChannelLayer, RedisSettings};
use solent::layers::{ChannelLayer, Delivery, GroupName, Mailbox, MailboxOptions};

use crate::layer_suite::{Rig, channel, event, group, next, within};
use crate::redis_server::{RedisServer, free_port};
use crate::waiting::{Pace, eventually};

const SLOTS: u32 = 16384;

/// A server that may belong to a cluster.
fn node() -> RedisServer {
    let bus = free_port().to_string();
    let options = ["--cluster-enabled", "yes", "--cluster-port", &bus];
    RedisServer::with(&[&options[..], &["--cluster-node-timeout", "1000"]].concat())
}

fn meet(server: &RedisServer, other: &RedisServer) {
    let bus: Vec<String> = other.run(&["CONFIG", "GET", "cluster-port"]);
    server.run::<()>(&["CLUSTER", "MEET", "127.0.0.1", &other.port().to_string(), &bus[1]]);
}

fn id(server: &RedisServer) -> String {
    server.run(&["CLUSTER", "MYID"])
}

/// Three masters.
pub(crate) struct Cluster(pub(crate) Vec<RedisServer>);

impl Cluster {
    pub(crate) async fn start() -> Self {
        let servers: Vec<RedisServer> = (0..3).map(|_| node()).collect();
        for (index, server) in (0..).zip(&servers) {
            let (first, last) = (index * SLOTS / 3, (index + 1) * SLOTS / 3 - 1);
            server.run::<()>(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
        }
        servers[1..].iter().for_each(|other| meet(&servers[0], other));
        let cluster = Self(servers);
        cluster.until_whole().await;
        cluster
    }

    async fn until_whole(&self) {
        eventually("every node knows every slot", || {
            self.0.iter().all(|server| {
                let info: String = server.try_run(&["CLUSTER", "INFO"]).unwrap_or_default();
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            })
        })
        .await;
    }

    fn host(&self) -> Host {
        Host::cluster(self.0.iter().map(RedisServer::url)).expect("nodes")
    }

    pub(crate) async fn layer(&self) -> Arc<dyn ChannelLayer> {
        let mut settings = RedisSettings::of(self.host());
        settings.connect_time = Duration::from_secs(2);
        settings.response_time = Duration::from_secs(1);
        let layer = RedisPubSubChannelLayer::new(settings).expect("settings");
        layer.start().await.expect("connected");
        Arc::new(layer)
    }

    /// A replica of a master, in step with it.
    async fn replica_of(&self, master: usize) -> RedisServer {
        let replica = node();
        meet(&self.0[master], &replica);
        let known = id(&self.0[master]);
        eventually("the replica knows its master", || {
            replica.try_run::<()>(&["CLUSTER", "REPLICATE", &known]).is_ok()
        })
        .await;
        eventually("the replica is in step and known to all", || {
            let info = replica.run::<String>(&["INFO", "replication"]);
            let own = id(&replica);
            info.contains("master_link_status:up")
                && self.0.iter().all(|node| {
                    let nodes: String = node.run(&["CLUSTER", "NODES"]);
                    nodes.lines().any(|line| line.starts_with(&own) && line.contains("slave"))
                })
        })
        .await;
        replica
    }

    /// The sharded channels that someone is subscribed to, node by node.
    fn shards(&self) -> Vec<Vec<String>> {
        self.0.iter().map(|server| server.run(&["PUBSUB", "SHARDCHANNELS"])).collect()
    }

    fn slot_of(&self, room: &GroupName) -> String {
        self.0[0].run::<i64>(&["CLUSTER", "KEYSLOT", &format!("asgi__group__{room}")]).to_string()
    }

    /// Moves a group's slot to another node, as `redis-cli --cluster reshard` does.
    fn move_slot_of(&self, room: &GroupName) {
        let (slot, channel) = (self.slot_of(room), format!("asgi__group__{room}"));
        let from = self.shards().iter().position(|found| found.contains(&channel)).expect("a subscription");
        let to = (from + 1) % 3;
        let (source, target) = (&self.0[from], &self.0[to]);
        target.run::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(source)]);
        source.run::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(target)]);
        for server in [target, source, &self.0[(from + 2) % 3]] {
            server.run::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &id(target)]);
        }
    }
}

/// The layer suite's rig.
pub(crate) async fn rig() -> Rig {
    let cluster = Cluster::start().await;
    Rig { layer: cluster.layer().await, guard: Box::new(cluster) }
}

async fn member(layer: &Arc<dyn ChannelLayer>, room: &GroupName) -> Mailbox {
    let options = MailboxOptions { events: 10_000, ..MailboxOptions::default() };
    let mailbox = layer.new_channel("specific", options).await.expect("a mailbox");
    layer.group_add(room, &mailbox).await.expect("joined");
    mailbox
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_live_on_one_node_each_and_reach_every_process() {
    let cluster = Cluster::start().await;
    let (here, there) = (cluster.layer().await, cluster.layer().await);
    let rooms: Vec<GroupName> = (0..30).map(|number| group(&format!("room_{number}"))).collect();
    let mut members = Vec::new();
    for room in &rooms {
        members.push((member(&here, room).await, member(&there, room).await));
    }
    let shards = cluster.shards();
    assert!(shards.iter().all(|node| node.len() >= 2), "groups are spread: {shards:?}");
    let all: HashSet<&String> = shards.iter().flatten().collect();
    assert_eq!((all.len(), shards.iter().map(Vec::len).sum::<usize>()), (30, 30), "each on one node");
    for number in 0..20 {
        for room in &rooms {
            here.group_send(room, event(&json!({"room": room.as_str(), "n": number}))).await.expect("sent");
        }
    }
    for (room, (first, second)) in rooms.iter().zip(&mut members) {
        for number in 0..20 {
            let expected = event(&json!({"room": room.as_str(), "n": number}));
            assert_eq!((next(first).await, next(second).await), (expected.clone(), expected));
        }
        assert!(first.is_empty() && second.is_empty());
    }
    // Mailboxes and plain channels are classic channels, which every node passes on.
    for (_, second) in members.iter_mut().take(5) {
        here.send(second.name(), event(&json!({"direct": true}))).await.expect("sent");
        assert_eq!(next(second).await, event(&json!({"direct": true})));
    }
    let mut worker = there.listen(&channel("work"), MailboxOptions::default()).await.expect("a listener");
    here.send(&channel("work"), event(&json!({"n": 1}))).await.expect("sent");
    assert_eq!(next(&mut worker).await, event(&json!({"n": 1})));
    drop((members, worker));
    eventually("no subscription is left", || cluster.shards().iter().all(Vec::is_empty)).await;
}

/// Sends until a mailbox hears it; how long that took, and how many gaps were told.
async fn until_heard(
    layer: &Arc<dyn ChannelLayer>,
    room: &GroupName,
    mailbox: &mut Mailbox,
) -> (Duration, usize) {
    let (start, marker, mut gaps) = (Instant::now(), event(&json!({"type": "marker"})), 0);
    within(async {
        loop {
            let _ = layer.group_send(room, marker.clone()).await;
            let patience = Instant::now() + Duration::from_millis(50);
            while let Ok(found) = tokio::time::timeout_at(patience.into(), mailbox.recv()).await {
                match found {
                    Delivery::Event(found) if found == marker => return,
                    Delivery::Gap(gap) => gaps += usize::from(gap.groups.contains(room)),
                    _ => {}
                }
            }
        }
    })
    .await;
    (start.elapsed(), gaps)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slots_move_is_followed_and_told_to_its_groups_alone() {
    let cluster = Cluster::start().await;
    let (here, there) = (cluster.layer().await, cluster.layer().await);
    let (room, other) = (group("moving"), group("staying"));
    let (mut first, mut second) = (member(&here, &room).await, member(&there, &room).await);
    let mut quiet = member(&here, &other).await;
    let load = tokio::spawn({
        let (here, room) = (here.clone(), room.clone());
        async move {
            let mut pace = Pace::every(Duration::from_millis(1));
            loop {
                let _ = here.group_send(&room, event(&json!({"type": "load"}))).await;
                pace.next().await;
            }
        }
    });
    assert_eq!(next(&mut first).await, event(&json!({"type": "load"})));
    for _ in 0..3 {
        cluster.move_slot_of(&room);
        for (layer, mailbox) in [(&here, &mut first), (&there, &mut second)] {
            let (took, gaps) = until_heard(layer, &room, mailbox).await;
            assert!(took < Duration::from_secs(2), "messages flowed after {took:?}");
            assert!(gaps <= 1, "{gaps} gaps");
        }
        eventually("it is on one node again", || cluster.shards().iter().flatten().count() == 2).await;
        assert!(here.is_ready() && there.is_ready(), "a slot's move is no outage");
    }
    load.abort();
    assert_eq!(quiet.try_recv(), None, "the other group was not concerned");
    here.group_send(&other, event(&json!({"n": 1}))).await.expect("sent");
    assert_eq!(next(&mut quiet).await, event(&json!({"n": 1})));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fail_over_to_a_replica_is_followed() {
    let mut cluster = Cluster::start().await;
    let replica = cluster.replica_of(0).await;
    let (here, there) = (cluster.layer().await, cluster.layer().await);
    let rooms: Vec<GroupName> = (0..12).map(|number| group(&format!("room_{number}"))).collect();
    let mut members = Vec::new();
    for room in &rooms {
        members.push(member(&here, room).await);
    }
    let lost = cluster.shards()[0].len();
    assert!(lost > 0, "some rooms live on the node that is lost");
    cluster.0[0].kill();
    eventually("the replica has taken over, and all know it", || {
        let role = replica.run::<String>(&["INFO", "replication"]);
        let whole =
            |node: &RedisServer| node.run::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok");
        role.contains("role:master") && whole(&replica) && cluster.0[1..].iter().all(whole)
    })
    .await;
    let over = Instant::now();
    for (room, mailbox) in rooms.iter().zip(&mut members) {
        until_heard(&there, room, mailbox).await;
    }
    assert!(over.elapsed() < Duration::from_secs(2), "messages flow again after {:?}", over.elapsed());
    eventually("every subscription is there again", || {
        let there = replica.run::<Vec<String>>(&["PUBSUB", "SHARDCHANNELS"]).len();
        let others =
            cluster.0[1..].iter().map(|node| node.run::<Vec<String>>(&["PUBSUB", "SHARDCHANNELS"]).len());
        there + others.sum::<usize>() == rooms.len()
    })
    .await;
    eventually("ready again", || here.is_ready() && there.is_ready()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_and_restarted_is_an_outage_that_ends() {
    let mut cluster = Cluster::start().await;
    let layer = cluster.layer().await;
    let rooms: Vec<GroupName> = (0..6).map(|number| group(&format!("room_{number}"))).collect();
    let mut members = Vec::new();
    for room in &rooms {
        members.push(member(&layer, room).await);
    }
    cluster.0[1].kill();
    eventually("the loss is noticed", || !layer.is_ready()).await;
    cluster.0[1].restart();
    cluster.until_whole().await;
    for (room, mailbox) in rooms.iter().zip(&mut members) {
        let (took, _) = until_heard(&layer, room, mailbox).await;
        assert!(took < Duration::from_secs(2), "messages flowed after {took:?}");
    }
    eventually("ready again", || layer.is_ready()).await;
}

#[tokio::test]
async fn the_core_layer_refuses_a_cluster_and_says_why() {
    let host = Host::cluster(["redis://127.0.0.1:7000", "redis://127.0.0.1:7001"]).expect("nodes");
    assert_eq!(host.to_string(), "the cluster of 127.0.0.1:7000 and 127.0.0.1:7001");
    let refused = RedisChannelLayer::new(RedisSettings::of(host)).expect_err("it cannot");
    assert!(refused.to_string().contains("redis-pubsub"), "{refused}");
    assert!(Host::cluster(Vec::<String>::new()).is_err());
}
