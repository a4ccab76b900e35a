//! Tells those who follow: agents' streams and watchers of interactions. Everything told is durable. The engine
//! never waits for a reader: a feed that is full is cut off, and its reader finds the end and may come back.

use super::follow::About;
use super::notice::{AgentNotice, Notice, assigned, concerns_everybody, notice};
use super::payload::{Plain, Said};
use super::pipe::{PipeId, Pipes, ToAgent};
use super::view::{self, InteractionView};
use crate::engine::agent::Liveness;
use crate::engine::event::{Event, Stamped};
use crate::engine::ids::{AgentKey, InteractionId, SessionId};
use crate::engine::shard::Shard;
use hashbrown::HashMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Most notices that may wait in one feed.
pub const FEED_MAX: usize = 1_024;

/// Where an agent's notices go.
pub enum AgentFeed {
    /// A stream of the agent's own.
    Own(mpsc::Sender<AgentNotice>),
    /// With those of other agents.
    Pipe(PipeId),
}

impl From<mpsc::Sender<AgentNotice>> for AgentFeed {
    fn from(feed: mpsc::Sender<AgentNotice>) -> AgentFeed {
        AgentFeed::Own(feed)
    }
}
/// Where an interaction's changes go.
pub type WatchFeed = mpsc::Sender<Box<InteractionView>>;

/// A stream of an agent.
pub struct AgentFollower {
    pub agent: AgentKey,
    pub session: SessionId,
    /// Tells streams apart; no two are alike.
    pub stream: u64,
    pub feed: AgentFeed,
}

/// A stream that wants to be told.
pub(super) enum Follower {
    Agent(AgentFollower),
    Watch { interaction: InteractionId, feed: WatchFeed },
}

/// A stream of an agent that is told.
struct Followed {
    feed: AgentFeed,
    stream: u64,
}

/// Who is told what.
#[derive(Default)]
pub(super) struct Outbox {
    agents: HashMap<AgentKey, Followed>,
    /// The ways back of bulk streams.
    pub pipes: Pipes,
    /// The newest stream of each agent; it may still wait for its first batch to become durable.
    streams: HashMap<AgentKey, u64>,
    watchers: HashMap<InteractionId, Vec<WatchFeed>>,
    /// Agents whose feeds were full: their sessions go with their streams.
    cut_off: Vec<AgentKey>,
    touched_agents: BTreeSet<AgentKey>,
    touched_interactions: BTreeSet<InteractionId>,
}

impl Outbox {
    /// Tells an agent of one committed event, and remembers whose state it touched.
    pub fn tell(&mut self, shard: &Shard, stamped: &Stamped, about: About, plain: Option<&Plain>) {
        if let Some(interaction) = about.interaction
            && self.watchers.contains_key(&interaction)
        {
            self.touched_interactions.insert(interaction);
        }
        if let Event::Identified { interaction, .. } = stamped.event {
            self.tell_identified(shard, stamped, interaction);
        }
        if let (Event::Wrote { interaction }, Some(Plain::Said(said))) = (&stamped.event, plain) {
            self.tell_message(shard, stamped, *interaction, said);
        }
        self.tell_the_others(shard, stamped, about);
        let Some(agent) = about.agent.filter(|agent| self.agents.contains_key(agent)) else { return };
        self.touched_agents.insert(agent);
        if let Some(notice) = notice(shard, &stamped.event, about) {
            self.send(agent, AgentNotice { sequence: stamped.sequence, time: stamped.time, notice });
        }
        if let Event::Accepted { assignment, .. } = stamped.event
            && let Some(notice) = assigned(shard, assignment)
        {
            self.send(agent, AgentNotice { sequence: stamped.sequence, time: stamped.time, notice });
        }
    }

    /// Who is in the conversation, or asked for it, hears what the customer wrote.
    fn tell_message(
        &mut self,
        shard: &Shard,
        stamped: &Stamped,
        interaction: InteractionId,
        said: &Arc<Said>,
    ) {
        let Some(subject) = shard.interaction(interaction) else { return };
        let asked = subject.offers.iter().filter_map(|offer| Some(shard.offer(*offer)?.agent));
        let talking = subject.assignments.iter().filter_map(|id| shard.assignment(*id));
        let talking = talking.filter(|part| part.talks()).map(|part| part.agent);
        let agents: BTreeSet<AgentKey> = asked.chain(talking).collect();
        for agent in agents {
            let notice = Notice::Wrote { interaction, said: said.clone() };
            self.send(agent, AgentNotice { sequence: stamped.sequence, time: stamped.time, notice });
        }
    }

    /// Who else is in the conversation sees what became of it.
    fn tell_the_others(&mut self, shard: &Shard, stamped: &Stamped, about: About) {
        if !concerns_everybody(&stamped.event) {
            return;
        }
        let parts =
            about.interaction.and_then(|id| shard.interaction(id)).map(|subject| &subject.assignments);
        for part in parts.into_iter().flatten().filter_map(|id| shard.assignment(*id)) {
            if about.agent == Some(part.agent) || !self.agents.contains_key(&part.agent) {
                continue;
            }
            if let Some(notice) = assigned(shard, part.id) {
                let (sequence, time) = (stamped.sequence, stamped.time);
                self.send(part.agent, AgentNotice { sequence, time, notice });
            }
        }
    }

    fn tell_identified(&mut self, shard: &Shard, stamped: &Stamped, interaction: InteractionId) {
        let offers = shard.interaction(interaction).map(|subject| subject.offers.clone()).unwrap_or_default();
        for (offer, interaction) in offers.into_iter().filter_map(|offer| view::offer(shard, offer)) {
            let notice = Notice::Identified { offer, interaction: Box::new(interaction) };
            self.send(offer.agent, AgentNotice { sequence: stamped.sequence, time: stamped.time, notice });
        }
    }

    /// After a batch: how those are whom it touched.
    pub fn settle(&mut self, shard: &Shard) {
        for agent in std::mem::take(&mut self.touched_agents) {
            if let Some(view) = view::status(shard, agent) {
                let live = view.agent.liveness == Liveness::Live;
                self.send(agent, now(shard, Notice::Status(Box::new(view))));
                if !live {
                    self.end(shard, agent);
                }
            }
        }
        for interaction in std::mem::take(&mut self.touched_interactions) {
            let Some(view) = view::interaction(shard, interaction) else { continue };
            if let Some(feeds) = self.watchers.get_mut(&interaction) {
                feeds.retain(|feed| feed.try_send(Box::new(view.clone())).is_ok());
                if feeds.is_empty() || view.interaction.state.is_over() {
                    self.watchers.remove(&interaction);
                }
            }
        }
    }

    /// Takes a follower in: first the state as it is, then every change.
    pub fn follow(&mut self, shard: &Shard, follower: Follower) {
        match follower {
            Follower::Agent(follower) => self.follow_agent(shard, follower),
            Follower::Watch { interaction, feed } => {
                let Some(view) = view::interaction(shard, interaction) else { return };
                let over = view.interaction.state.is_over();
                if feed.try_send(Box::new(view)).is_ok() && !over {
                    let feeds = self.watchers.entry(interaction).or_default();
                    // Who asks again and again for one that waits long leaves a closed feed behind each time.
                    feeds.retain(|feed| !feed.is_closed());
                    feeds.push(feed);
                }
            }
        }
    }

    /// Announces a stream before its snapshot can be sent.
    pub fn announce(&mut self, follower: &AgentFollower) {
        self.streams.insert(follower.agent, follower.stream);
    }

    /// Forgets a stream that ended. True if it was the agent's newest.
    pub fn forget(&mut self, agent: AgentKey, stream: u64) -> bool {
        let newest = self.streams.get(&agent) == Some(&stream);
        if newest {
            self.streams.remove(&agent);
            self.agents.remove(&agent);
        }
        newest
    }

    fn follow_agent(&mut self, shard: &Shard, follower: AgentFollower) {
        let AgentFollower { agent, session, stream, .. } = follower;
        let view = view::agent(shard, agent).filter(|view| view.agent.session == Some(session));
        let Some(view) = view.filter(|_| self.streams.get(&agent) == Some(&stream)) else {
            return self.turn_away(shard, follower);
        };
        if let Some(old) = self.agents.remove(&agent) {
            // One who does not read does not learn of it either, but finds the feed closed.
            deliver(&mut self.pipes, agent, &old, now(shard, Notice::TakenOver));
        }
        let live = view.agent.liveness == Liveness::Live;
        let followed = Followed { feed: follower.feed, stream };
        if deliver(&mut self.pipes, agent, &followed, now(shard, Notice::Snapshot(Box::new(view)))) {
            self.agents.insert(agent, followed);
        }
        // Lost again in the batch that brought it.
        if !live {
            self.end(shard, agent);
        }
    }

    fn send(&mut self, agent: AgentKey, notice: AgentNotice) {
        if let Some(followed) = self.agents.get(&agent)
            && !deliver(&mut self.pipes, agent, followed, notice)
        {
            self.agents.remove(&agent);
            self.cut_off.push(agent);
        }
    }

    /// The agents whose feeds were full since this was asked last. Nothing reaches them: they must not be rung.
    pub fn take_cut_off(&mut self) -> Vec<AgentKey> {
        for pipe in self.pipes.take_cut_off() {
            let on_it = |followed: &Followed| matches!(followed.feed, AgentFeed::Pipe(of) if of == pipe);
            let mut agents: Vec<AgentKey> =
                self.agents.extract_if(|_, followed| on_it(followed)).map(|(agent, _)| agent).collect();
            agents.sort_unstable();
            self.cut_off.append(&mut agents);
        }
        std::mem::take(&mut self.cut_off)
    }

    /// Another stream of the agent took over before this one was taken in.
    pub fn turn_away(&mut self, shard: &Shard, follower: AgentFollower) {
        let AgentFollower { agent, stream, feed, .. } = follower;
        // Its reader may have gone as well.
        deliver(&mut self.pipes, agent, &Followed { feed, stream }, now(shard, Notice::TakenOver));
    }

    /// Ends an agent's stream, telling why if there is room for it.
    fn end(&mut self, shard: &Shard, agent: AgentKey) {
        self.streams.remove(&agent);
        if let Some(followed) = self.agents.remove(&agent) {
            // One who does not read finds the feed closed.
            deliver(&mut self.pipes, agent, &followed, now(shard, Notice::SessionLost));
        }
    }
}

/// False if it does not arrive: the reader has gone, or has left too much lying.
fn deliver(pipes: &mut Pipes, agent: AgentKey, to: &Followed, notice: AgentNotice) -> bool {
    match &to.feed {
        AgentFeed::Own(feed) => feed.try_send(notice).is_ok(),
        AgentFeed::Pipe(pipe) => pipes.notice(*pipe, ToAgent { agent, stream: to.stream, notice }),
    }
}

fn now(shard: &Shard, notice: Notice) -> AgentNotice {
    AgentNotice { sequence: shard.sequence(), time: shard.now(), notice }
}

#[cfg(test)]
mod race;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::command::{Command, Submit, Write};
    use crate::engine::floor::{AgentSpec, Definition, QueueSpec};
    use crate::engine::ids::{PoolKey, QueueKey};
    use crate::engine::plan::{Channel, Facts};
    use crate::engine::policy::PoolSpec;
    use crate::rules::{Asked, RuleSet};

    pub(super) const ANA: AgentKey = AgentKey(0);
    pub(super) const SESSION: SessionId = SessionId(7);
    const CALL: InteractionId = InteractionId(1);

    fn step(shard: &mut Shard, command: Command) {
        shard.step(shard.now(), command, &mut Vec::new()).expect("the command suits the state");
    }

    pub(super) fn define(shard: &mut Shard, name: &str, definition: Definition) {
        step(shard, Command::Define { name: name.into(), definition, write: Write::Create });
    }

    /// A pool with the agent `ana`, connected, and a call that waits in `sales`.
    pub(super) fn floor() -> Shard {
        let mut shard = Shard::new();
        define(&mut shard, "main", Definition::Pool(PoolSpec::plain("Main".into()).into()));
        let queue = QueueSpec::plain("Sales".into(), PoolKey(0), Vec::new());
        let facts = Facts::default();
        define(&mut shard, "sales", Definition::Queue(queue));
        let asked = Asked::plain(Channel::Voice, QueueKey(0), &facts);
        let plan = RuleSet::default().plan(shard.floor(), &asked);
        let agent = AgentSpec::plain("Ana".into(), PoolKey(0), Vec::new());
        define(&mut shard, "ana", Definition::Agent(agent));
        step(&mut shard, Command::OpenSession { agent: ANA, session: SESSION });
        let submit = Submit {
            keys: [Some(1), None],
            content: 1,
            source: "pbx".into(),
            external_id: "c1".into(),
            channel: Channel::Voice,
            facts,
            plan: plan.into(),
        };
        step(&mut shard, Command::Submit(Box::new(submit)));
        shard
    }

    pub(super) fn status_changed(outbox: &mut Outbox, shard: &Shard) {
        outbox.touched_agents.insert(ANA);
        outbox.settle(shard);
    }

    #[test]
    fn a_reader_who_does_not_read_is_cut_off_and_nobody_waits_for_them() {
        let shard = floor();
        let mut outbox = Outbox::default();
        let (feed, mut notices) = mpsc::channel(3);
        let follower = AgentFollower { agent: ANA, session: SESSION, stream: 1, feed: feed.into() };
        outbox.announce(&follower);
        outbox.follow(&shard, Follower::Agent(follower));
        for _ in 0..100 {
            status_changed(&mut outbox, &shard);
        }
        assert!(outbox.agents.is_empty(), "the full feed is dropped");
        assert!(matches!(notices.try_recv().map(|told| told.notice), Ok(Notice::Snapshot(_))));
        for _ in 0..2 {
            assert!(matches!(notices.try_recv().map(|told| told.notice), Ok(Notice::Status(_))));
        }
        assert_eq!(notices.try_recv().err(), Some(mpsc::error::TryRecvError::Disconnected));
        assert!(outbox.forget(ANA, 1), "the stream is still the agent's newest: its end loses the session");
    }

    #[test]
    fn a_second_stream_takes_over_and_the_first_hears_of_it_last() {
        let shard = floor();
        let mut outbox = Outbox::default();
        let mut readers = Vec::new();
        for stream in [1, 2] {
            let (feed, notices) = mpsc::channel(FEED_MAX);
            let follower = AgentFollower { agent: ANA, session: SESSION, stream, feed: feed.into() };
            outbox.announce(&follower);
            outbox.follow(&shard, Follower::Agent(follower));
            readers.push(notices);
        }
        status_changed(&mut outbox, &shard);
        let mut last = None;
        while let Ok(told) = readers[0].try_recv() {
            last = Some(told.notice);
        }
        assert!(matches!(last, Some(Notice::TakenOver)));
        assert!(!outbox.forget(ANA, 1), "its end takes nothing along");
        assert!(matches!(readers[1].try_recv().map(|told| told.notice), Ok(Notice::Snapshot(_))));
        assert!(matches!(readers[1].try_recv().map(|told| told.notice), Ok(Notice::Status(_))));
    }

    #[test]
    fn who_asks_again_and_again_leaves_nothing_behind() {
        let shard = floor();
        let mut outbox = Outbox::default();
        let watch = |outbox: &mut Outbox| {
            let (feed, changes) = mpsc::channel(2);
            outbox.follow(&shard, Follower::Watch { interaction: CALL, feed });
            changes
        };
        let stays = watch(&mut outbox);
        for _ in 0..100 {
            drop(watch(&mut outbox));
        }
        assert!(outbox.watchers[&CALL].len() <= 2, "{} feeds", outbox.watchers[&CALL].len());
        assert_eq!(stays.len(), 1);
        drop(stays);
    }
}
