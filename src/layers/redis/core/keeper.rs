//! Memberships in Redis as they are here: restored after an outage, renewed long before they expire, removed when
//! their mailbox has gone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::sync::watch;
use tokio::time::sleep;

use super::local::Local;
use super::names::score;
use crate::layers::GroupName;
use crate::layers::redis::wire::{Answer, Pipe, Restore};

/// Members named in one command.
const BATCH: usize = 500;

/// Restores the memberships of one host on every new connection.
pub(super) struct Memberships {
    pub(super) local: Arc<Local>,
    pub(super) host: usize,
    pub(super) expiry: Duration,
    pub(super) group_expiry: Duration,
}

impl Memberships {
    /// The groups of this host that have a member here.
    fn groups(&self) -> Vec<GroupName> {
        let mut groups = self.local.hub.groups();
        groups.retain(|group| self.local.ring.index(group.as_str()) == self.host);
        groups
    }

    /// What renews a group's memberships; a pair of commands for each batch of members.
    fn renew(&self, group: &GroupName) -> Vec<Cmd> {
        let members: Vec<String> = self.local.members(group).into_iter().collect();
        let batches = members.chunks(BATCH);
        batches.flat_map(|members| add(&self.local, group, members, self.group_expiry)).collect()
    }
}

/// The commands that add members to a group, and keep the group for as long as they live.
pub(super) fn add<S: AsRef<str>>(
    local: &Local,
    group: &GroupName,
    members: &[S],
    life: Duration,
) -> [Cmd; 2] {
    let (key, now) = (local.names.group(group), score(local.names.now()));
    let (mut add, mut expire) = (redis::cmd("ZADD"), redis::cmd("EXPIRE"));
    add.arg(&key);
    for member in members {
        add.arg(&now).arg(member.as_ref());
    }
    expire.arg(&key).arg(life.as_secs());
    [add, expire]
}

/// The command that removes members from a group.
pub(super) fn remove<S: AsRef<str>>(local: &Local, group: &GroupName, members: &[S]) -> Cmd {
    let mut command = redis::cmd("ZREM");
    command.arg(local.names.group(group));
    for member in members {
        command.arg(member.as_ref());
    }
    command
}

impl Restore for Memberships {
    fn commands(&self) -> Vec<Cmd> {
        self.groups().iter().flat_map(|group| self.renew(group)).collect()
    }

    /// A membership that was not there any more, or messages that have expired meanwhile: its members are told.
    fn done(&self, answers: Vec<Answer>, away: Option<Duration>) {
        let Some(away) = away else { return };
        let anything_missing = answers.iter().step_by(2).any(|added| matches!(added, Ok(Value::Int(1..))));
        if anything_missing || away >= self.expiry {
            self.local.hub.announce_gap(&self.groups());
        }
    }
}

/// The task that renews and removes memberships, until the layer ends.
pub(super) struct Keeper {
    pub(super) local: Arc<Local>,
    pub(super) hosts: Vec<(Memberships, Pipe)>,
    pub(super) group_expiry: Duration,
    /// Closed when the layer has ended.
    pub(super) layer: watch::Receiver<()>,
}

impl Keeper {
    pub(super) async fn run(self) {
        let mut layer = self.layer.clone();
        // Four times within the life of a membership, so that three may fail.
        let period =
            (self.group_expiry / 4).min(Duration::from_secs(6 * 3600)).max(Duration::from_millis(250));
        let mut renewal = std::pin::pin!(sleep(period));
        loop {
            tokio::select! {
                departed = self.local.departed() => self.remove(departed).await,
                () = &mut renewal => {
                    self.renew().await;
                    renewal.set(sleep(period.mul_f64(rand::random_range(0.8..=1.0))));
                }
                _ = layer.changed() => break,
            }
        }
        // What has departed until now is still removed; an empty wait means that there is nothing more.
        while let Ok(departed) = tokio::time::timeout(Duration::ZERO, self.local.departed()).await {
            self.remove(departed).await;
        }
    }

    async fn renew(&self) {
        for (memberships, pipe) in &self.hosts {
            for group in memberships.groups() {
                if pipe.run(memberships.renew(&group)).await.is_err() {
                    // The connection is away; the next one restores all memberships.
                    break;
                }
            }
        }
    }

    async fn remove(&self, departed: Vec<(GroupName, String)>) {
        let mut by_group: HashMap<GroupName, Vec<String>> = HashMap::new();
        for (group, member) in departed {
            by_group.entry(group).or_default().push(member);
        }
        let mut failed = Vec::new();
        for (group, mut members) in by_group {
            // A plain channel may have another listener here, which keeps the membership.
            members.retain(|member| !self.local.is_member(&group, member));
            let (_, pipe) = &self.hosts[self.local.ring.index(group.as_str())];
            for batch in members.chunks(BATCH) {
                if pipe.run(vec![remove(&self.local, &group, batch)]).await.is_err() {
                    failed.extend(batch.iter().map(|member| (group.clone(), member.clone())));
                }
            }
        }
        if !failed.is_empty() {
            sleep(Duration::from_secs(1)).await;
            self.local.depart(failed);
        }
    }
}
