//! Joining and leaving groups, here and in Redis.

use super::{Inner, PIPE, keeper, names};
use crate::layers::hub::{Mailbox, Membership};
use crate::layers::{GroupName, LayerError};

impl Inner {
    pub(super) async fn join(
        &self,
        group: &GroupName,
        mailbox: &Mailbox,
        how: Membership,
    ) -> Result<(), LayerError> {
        let how = if mailbox.has_sink() { how } else { Membership::Handled };
        let was_member = self.local.hub.is_member(group, mailbox);
        self.local.hub.join(group, mailbox, how)?;
        let mut commands = keeper::add(
            &self.local,
            group,
            &[names::member(mailbox.name(), how)],
            self.settings.group_expiry,
        )
        .to_vec();
        if was_member && mailbox.name().is_specific() {
            let other = match how {
                Membership::Handled => Membership::Forwarded,
                Membership::Forwarded => Membership::Handled,
            };
            commands.push(keeper::remove(&self.local, group, &[names::member(mailbox.name(), other)]));
        }
        let done = self.run(group, commands).await;
        if done.is_err() && self.settings.local_fallback && self.is_away(group.as_str())? {
            self.join_later(group, names::member(mailbox.name(), how))?;
            return Ok(());
        }
        if done.is_err() && !was_member {
            self.local.hub.leave(group, mailbox);
            // Nobody knows whether it was written, and a connection that was made meanwhile may have restored it.
            self.local.depart([(group.clone(), names::member(mailbox.name(), how))]);
        }
        done
    }

    /// Writes a membership when Redis is back. It is restored with all others, unless that had begun before it was there.
    fn join_later(&self, group: &GroupName, member: String) -> Result<(), LayerError> {
        let link = self.link_of(group.as_str())?;
        let (health, pipe, local) = (link.health.clone(), link.pipe.clone(), self.local.clone());
        let (group, life) = (group.clone(), self.settings.group_expiry);
        tokio::spawn(async move {
            health.until_ready(PIPE).await;
            // On an error the next connection restores it, and by then it is there.
            let _ = pipe.run(keeper::add(&local, &group, &[&member], life).to_vec()).await;
            if !local.is_member(&group, &member) {
                local.depart([(group, member)]);
            }
        });
        Ok(())
    }

    /// Whether the host of a name is surely not reached now.
    pub(super) fn is_away(&self, name: &str) -> Result<bool, LayerError> {
        Ok(self.link_of(name)?.health.is_lost(PIPE))
    }

    pub(super) async fn leave(&self, group: &GroupName, mailbox: &Mailbox) -> Result<(), LayerError> {
        let was_member = self.local.hub.is_member(group, mailbox);
        self.local.hub.leave(group, mailbox);
        let kinds = match mailbox.name().is_specific() {
            true => vec![Membership::Handled, Membership::Forwarded],
            false => vec![Membership::Handled],
        };
        let mut members: Vec<String> =
            kinds.into_iter().map(|how| names::member(mailbox.name(), how)).collect();
        // Another listener of the same plain channel may stay.
        members.retain(|member| !self.local.is_member(group, member));
        if members.is_empty() {
            return Ok(());
        }
        let done = self.run(group, vec![keeper::remove(&self.local, group, &members)]).await;
        match done {
            Err(LayerError::Unavailable { .. }) if was_member => {
                // It has left as far as this process is concerned; Redis is told when it is back.
                self.local.depart(members.into_iter().map(|member| (group.clone(), member)));
                Ok(())
            }
            done => done,
        }
    }

    /// Runs commands on a group's key, all of which have to succeed.
    pub(super) async fn run(&self, group: &GroupName, commands: Vec<redis::Cmd>) -> Result<(), LayerError> {
        let link = self.link_of(group.as_str())?;
        for answer in link.pipe.run(commands).await? {
            answer.map_err(|error| link.health.unavailable(error.to_string()))?;
        }
        Ok(())
    }
}
