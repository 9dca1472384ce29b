//! Sending: to one channel, and to every member of a group.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::future::join_all;
use redis::Value as Answer;

use super::Inner;
use super::names::{ADDRESS, cutoff, score};
use super::scripts::{Clock, Framed, send, send_each};
use crate::layers::hub::Delivered;
use crate::layers::names::non_local;
use crate::layers::{ChannelName, DropCause, Event, EventError, GroupName, LayerError, Map, Value};

impl Inner {
    fn clock(&self) -> Clock {
        let now = self.local.names.now();
        let expiry = self.settings.expiry;
        Clock { now: score(now), cutoff: cutoff(now, expiry), expiry: expiry.as_secs() }
    }

    /// The message with its address inside, framed.
    fn frame(&self, event: &Event, address: Option<Value>) -> Result<Vec<u8>, LayerError> {
        let Some(map) = event.value().as_map() else {
            return Err(EventError::NotAMap { found: event.value().kind() }.into());
        };
        let addressed = |address| {
            let mut addressed: Map = map.clone();
            addressed.insert(ADDRESS, address);
            addressed
        };
        let framed = match address {
            Some(address) => self.local.codec.encode(&addressed(address)),
            None => self.local.codec.encode(map),
        };
        framed.map_err(|error| EventError::Encode(error.to_string()).into())
    }

    /// The key inside a message is the wire's own.
    fn check(event: &Event) -> Result<(), LayerError> {
        match event.value().get(ADDRESS) {
            None => Ok(()),
            Some(_) => Err(EventError::Encode(format!("the key {ADDRESS:?} is reserved")).into()),
        }
    }

    pub(super) async fn send(&self, channel: &ChannelName, event: &Event) -> Result<(), LayerError> {
        Self::check(event)?;
        let links = self.links()?;
        let (address, host) = match channel.is_specific() {
            // Python readers look where their process's name belongs, not where the full name does.
            true => (Some(Value::from(channel.as_str())), self.local.ring.index(channel.non_local())),
            false => (None, self.next_host.fetch_add(1, Relaxed) % links.len()),
        };
        if self.is_local(channel.non_local())?
            && let Some(delivered) = self.local.hub.send(channel, event)
        {
            return delivered;
        }
        let to = Framed {
            key: self.local.names.key(channel.non_local()),
            message: self.frame(event, address)?,
            capacity: self.local.capacity.of(channel.as_str()),
        };
        match self.counted(1, links[host].pipe.one(send(&self.clock(), &to)).await)? {
            Answer::Int(0) => Err(LayerError::ChannelFull { channel: channel.clone() }),
            _ => Ok(()),
        }
    }

    pub(super) async fn group_send(&self, group: &GroupName, event: &Event) -> Result<Delivered, LayerError> {
        Self::check(event)?;
        let links = self.links()?;
        if self.is_local(group.as_str())? {
            return Ok(self.local.hub.deliver_group(group, event));
        }
        let members = self.counted(1, self.members(group).await)?;
        let sends =
            self.frames(event, members)?.into_iter().enumerate().filter(|(_, frames)| !frames.is_empty());
        let sends = sends.map(|(host, frames)| async move {
            let sent = links[host].pipe.one(send_each(&self.clock(), &frames)).await;
            let full = self.counted(frames.len() as u64, sent)?;
            if let Answer::Int(full @ 1..) = full {
                self.local.hub.stats().count_dropped(DropCause::ChannelFull, full.unsigned_abs());
            }
            Ok(())
        });
        join_all(sends).await.into_iter().collect::<Result<(), LayerError>>()?;
        Ok(Delivered::default())
    }

    /// Whether what goes to this name's host has to stay in this process.
    fn is_local(&self, name: &str) -> Result<bool, LayerError> {
        let local = self.settings.local_fallback && self.is_away(name)?;
        if local {
            // Members elsewhere do not hear it.
            self.local.hub.stats().count_dropped(DropCause::Disconnected, 1);
        }
        Ok(local)
    }

    /// Counts what could not be sent because Redis is away.
    fn counted<T>(&self, messages: u64, done: Result<T, LayerError>) -> Result<T, LayerError> {
        if done.is_err() {
            self.local.hub.stats().count_dropped(DropCause::Disconnected, messages);
        }
        done
    }

    /// The group's members, by join time; those that were not renewed in time are forgotten.
    pub(super) async fn members(&self, group: &GroupName) -> Result<Vec<String>, LayerError> {
        let key = self.local.names.group(group);
        let (mut purge, mut range) = (redis::cmd("ZREMRANGEBYSCORE"), redis::cmd("ZRANGE"));
        purge.arg(&key).arg(0).arg(cutoff(self.local.names.now(), self.settings.group_expiry));
        range.arg(&key).arg(0).arg(-1);
        let link = self.link_of(group.as_str())?;
        let answer = link.pipe.run(vec![purge, range]).await?.pop();
        let unavailable = |error: &redis::RedisError| link.health.unavailable(error.to_string());
        match answer {
            Some(Ok(found)) => {
                redis::from_redis_value(found).map_err(|error| link.health.unavailable(error.to_string()))
            }
            Some(Err(error)) => Err(unavailable(&error)),
            None => Ok(Vec::new()),
        }
    }

    /// One message for each inbox that has members, by host.
    fn frames(&self, event: &Event, members: Vec<String>) -> Result<Vec<Vec<Framed>>, LayerError> {
        let mut inboxes: Vec<(String, Vec<String>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for member in members {
            let inbox = non_local(&member);
            match places.get(inbox) {
                Some(&place) => inboxes[place].1.push(member),
                None => {
                    places.insert(inbox.to_owned(), inboxes.len());
                    inboxes.push((inbox.to_owned(), vec![member]));
                }
            }
        }
        let mut by_host: Vec<Vec<Framed>> = self.settings.hosts.iter().map(|_| Vec::new()).collect();
        for (inbox, members) in inboxes {
            let capacity = self.local.capacity.of(&members[0]);
            let address = Value::Array(members.into_iter().map(Value::Text).collect());
            let framed = Framed {
                key: self.local.names.key(&inbox),
                message: self.frame(event, Some(address))?,
                capacity,
            };
            by_host[self.local.ring.index(&inbox)].push(framed);
        }
        Ok(by_host)
    }
}
