//! Tells those who follow: agents' streams and watchers of interactions. Everything told is durable. The engine
//! never waits for a reader: a feed that is full is cut off, and its reader finds the end and may come back.

use super::backlog::{After, Position};
use super::follow::About;
use super::missed::{self, NOTICES, Notices};
use super::notice::{AgentNotice, Notice, Resumed, assigned, concerns_everybody, notice};
use super::payload::Plain;
use super::pipe::{PipeId, Pipes, Serving, ToAgent};
use super::view;
use super::watchers::{Watch, WatchFeed, Watchers};
use crate::engine::agent::Liveness;
use crate::engine::event::{Event, Stamped};
use crate::engine::ids::{AgentKey, InteractionId, OfferId, Sequence, SessionId};
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use hashbrown::HashMap;
use std::collections::BTreeSet;
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

/// A stream of an agent.
pub struct AgentFollower {
    pub agent: AgentKey,
    pub session: SessionId,
    /// Tells streams apart; no two are alike.
    pub stream: u64,
    /// Where the agent wants to go on.
    pub after: Option<After>,
    pub feed: AgentFeed,
}

/// A stream that wants to be told.
pub(super) enum Follower {
    Agent(AgentFollower),
    Watch { interaction: InteractionId, watch: Watch, feed: WatchFeed },
    Source(Serving),
}

/// A stream of an agent that is told.
struct Followed {
    feed: AgentFeed,
    stream: u64,
}

/// Who is told what.
pub(super) struct Outbox {
    agents: HashMap<AgentKey, Followed>,
    /// What agents were told lately who have a stream, or had one.
    notices: Notices,
    /// The ways back of bulk streams.
    pub pipes: Pipes,
    /// The newest stream of each agent; it may still wait for its first batch to become durable.
    streams: HashMap<AgentKey, u64>,
    watchers: Watchers,
    /// Agents whose feeds were full: their sessions go with their streams.
    cut_off: Vec<(AgentKey, u64)>,
    touched_agents: BTreeSet<AgentKey>,
}

impl Default for Outbox {
    fn default() -> Outbox {
        Outbox {
            agents: HashMap::new(),
            notices: Notices::new(NOTICES),
            pipes: Pipes::default(),
            streams: HashMap::new(),
            watchers: Watchers::default(),
            cut_off: Vec::new(),
            touched_agents: BTreeSet::new(),
        }
    }
}

impl Outbox {
    /// Tells an agent of one committed event, and remembers whose state it touched. `erased`: the customer of it was.
    pub fn tell(
        &mut self,
        shard: &Shard,
        stamped: &Stamped,
        about: About,
        plain: Option<&Plain>,
        erased: bool,
    ) {
        if let Some(interaction) = about.interaction {
            self.watchers.touch(interaction);
        }
        if let Event::Identified { interaction, .. } = stamped.event {
            self.tell_identified(shard, stamped, interaction);
        }
        if let (Event::Wrote { interaction }, Some(Plain::Said(said))) = (&stamped.event, plain) {
            let notice = Notice::Wrote { interaction: *interaction, said: said.clone(), erased };
            self.tell_those_who_listen(shard, stamped, *interaction, &notice);
        }
        self.tell_the_others(shard, stamped, about);
        let Some(agent) = about.agent.filter(|agent| self.notices.keeps(*agent)) else { return };
        if self.agents.contains_key(&agent) {
            self.touched_agents.insert(agent);
        }
        if let Some(notice) = notice(shard, &stamped.event, about) {
            self.send_about(agent, stamped, notice);
        }
        if let Event::Accepted { assignment, .. } = stamped.event
            && let Some(notice) = assigned(shard, assignment)
        {
            self.send_about(agent, stamped, notice);
        }
    }

    /// Who is in the conversation, or asked for it, hears what the customer wrote.
    fn tell_those_who_listen(
        &mut self,
        shard: &Shard,
        stamped: &Stamped,
        interaction: InteractionId,
        wrote: &Notice,
    ) {
        let Some(subject) = shard.interaction(interaction) else { return };
        let asked = subject.offers.iter().filter_map(|offer| Some(shard.offer(*offer)?.agent));
        let talking = subject.assignments.iter().filter_map(|id| shard.assignment(*id));
        let talking = talking.filter(|part| part.talks()).map(|part| part.agent);
        let agents: BTreeSet<AgentKey> = asked.chain(talking).collect();
        for agent in agents {
            self.send_about(agent, stamped, wrote.clone());
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
            if about.agent == Some(part.agent) || !self.notices.keeps(part.agent) {
                continue;
            }
            if let Some(notice) = assigned(shard, part.id) {
                self.send_about(part.agent, stamped, notice);
            }
        }
    }

    fn tell_identified(&mut self, shard: &Shard, stamped: &Stamped, interaction: InteractionId) {
        let offers = shard.interaction(interaction).map(|subject| subject.offers.clone()).unwrap_or_default();
        for (offer, interaction) in offers.into_iter().filter_map(|offer| view::offer(shard, offer)) {
            let notice = Notice::Identified { offer, interaction: Box::new(interaction) };
            self.send_about(offer.agent, stamped, notice);
        }
    }

    /// After a batch: how those are whom it touched.
    pub fn settle(&mut self, shard: &Shard) {
        self.notices.forget_old(shard.now());
        for agent in std::mem::take(&mut self.touched_agents) {
            if let Some(view) = view::status(shard, agent) {
                let live = view.agent.liveness == Liveness::Live;
                self.send(agent, shard.sequence(), shard.now(), Notice::Status(Box::new(view)));
                if !live {
                    self.end(shard, agent);
                }
            }
        }
        self.watchers.settle(shard);
    }

    /// Forgets what the customers of these interactions wrote.
    pub fn forget_words(&mut self, interactions: &BTreeSet<InteractionId>) {
        missed::forget(&mut self.notices, interactions);
    }

    /// Takes a follower in: first the state as it is, then every change.
    pub fn follow(&mut self, shard: &Shard, follower: Follower) {
        match follower {
            Follower::Agent(follower) => self.follow_agent(shard, follower),
            Follower::Source(serving) => self.pipes.resume(shard, &serving),
            Follower::Watch { interaction, watch, feed } => {
                self.watchers.follow(shard, interaction, watch, feed);
            }
        }
    }

    /// Announces a stream before its snapshot can be sent.
    pub fn announce(&mut self, follower: &AgentFollower) {
        self.streams.insert(follower.agent, follower.stream);
    }

    /// Forgets a stream that ended. True if it was the agent's newest.
    pub fn forget(&mut self, shard: &Shard, agent: AgentKey, stream: u64) -> bool {
        let newest = self.streams.get(&agent) == Some(&stream);
        if newest {
            self.streams.remove(&agent);
            self.drop_stream(shard, agent);
        }
        newest
    }

    /// Nothing is told to an agent any more, but it is kept for a while.
    fn drop_stream(&mut self, shard: &Shard, agent: AgentKey) -> Option<Followed> {
        self.notices.left(agent, shard.now());
        self.agents.remove(&agent)
    }

    fn follow_agent(&mut self, shard: &Shard, follower: AgentFollower) {
        let AgentFollower { agent, session, stream, after, .. } = follower;
        let known = shard.agent(agent).filter(|known| known.session == Some(session));
        let Some(known) = known.filter(|_| self.streams.get(&agent) == Some(&stream)) else {
            return self.turn_away(shard, follower);
        };
        if let Some(old) = self.agents.remove(&agent) {
            // One who does not read does not learn of it either, but finds the feed closed.
            deliver(&mut self.pipes, agent, &old, last(shard, Notice::TakenOver));
        }
        let missed = after.and_then(|after| {
            let missed = missed::missed(&self.notices, shard, agent, &after)?;
            Some((after, missed))
        });
        self.notices.begin(agent, shard.sequence(), shard.now());
        let first = match missed {
            Some((after, missed)) => Some(self.resumed(shard, agent, after, missed)),
            None => view::agent(shard, agent)
                .map(|view| Notice::Snapshot { view: view.into(), gap: after.is_some() }),
        };
        let Some(first) = first else { return };
        let position = self.number(agent, shard.sequence());
        let followed = Followed { feed: follower.feed, stream };
        let first = AgentNotice { position, time: shard.now(), notice: first };
        if deliver(&mut self.pipes, agent, &followed, first) {
            self.agents.insert(agent, followed);
        } else {
            self.notices.left(agent, shard.now());
        }
        // Lost again in the batch that brought it.
        if known.liveness != Liveness::Live {
            self.end(shard, agent);
        }
    }

    /// What was missed, and what is so now: a card that was still incomplete is not completed on another stream.
    fn resumed(&mut self, shard: &Shard, agent: AgentKey, after: After, missed: Vec<AgentNotice>) -> Notice {
        let told = |notice: &AgentNotice| match &notice.notice {
            Notice::Offered { offer, .. } => Some(offer.id),
            _ => None,
        };
        let told: BTreeSet<OfferId> = missed.iter().filter_map(told).collect();
        let before = shard.offers_to(agent).into_iter().filter(|offer| !told.contains(offer));
        let cards = before
            .filter_map(|offer| view::offer(shard, offer))
            .map(|(offer, interaction)| Notice::Identified { offer, interaction: Box::new(interaction) });
        let status = view::status(shard, agent).map(|view| Notice::Status(Box::new(view)));
        let now = cards.chain(status).map(|notice| {
            let position = self.number(agent, shard.sequence());
            AgentNotice { position, time: shard.now(), notice }
        });
        let now = now.collect();
        Notice::Resumed(Box::new(Resumed { after, missed, now }))
    }

    fn number(&mut self, agent: AgentKey, sequence: Sequence) -> Position {
        let unkept = Position { sequence, index: 0 };
        self.notices.next(agent, sequence).unwrap_or(unkept)
    }

    fn send_about(&mut self, agent: AgentKey, stamped: &Stamped, notice: Notice) {
        self.send(agent, stamped.sequence, stamped.time, notice);
    }

    /// Keeps a notice, and tells it if there is a stream for it.
    fn send(&mut self, agent: AgentKey, sequence: Sequence, time: Time, notice: Notice) {
        let Some(position) = self.notices.next(agent, sequence) else { return };
        let told = AgentNotice { position, time, notice };
        missed::keep(&mut self.notices, agent, &told);
        if let Some(followed) = self.agents.get(&agent)
            && !deliver(&mut self.pipes, agent, followed, told)
        {
            self.cut_off.push((agent, followed.stream));
            self.agents.remove(&agent);
            self.notices.left(agent, time);
        }
    }

    /// The agents whose feeds were full since this was asked last, and their newest streams. Nothing reaches them: they must
    /// not be rung. Who has come back on another stream is none of them.
    pub fn take_cut_off(&mut self, shard: &Shard) -> Vec<(AgentKey, u64)> {
        for pipe in self.pipes.take_cut_off() {
            let on_it = |followed: &Followed| matches!(followed.feed, AgentFeed::Pipe(of) if of == pipe);
            let gone = self.agents.extract_if(|_, followed| on_it(followed));
            let mut gone: Vec<_> = gone.map(|(agent, followed)| (agent, followed.stream)).collect();
            gone.sort_unstable();
            gone.iter().for_each(|(agent, _)| self.notices.left(*agent, shard.now()));
            self.cut_off.append(&mut gone);
        }
        let mut gone = std::mem::take(&mut self.cut_off);
        gone.retain(|(agent, stream)| self.streams.get(agent) == Some(stream));
        gone
    }

    /// Another stream of the agent took over before this one was taken in.
    pub fn turn_away(&mut self, shard: &Shard, follower: AgentFollower) {
        let AgentFollower { agent, stream, feed, .. } = follower;
        // Its reader may have gone as well.
        deliver(&mut self.pipes, agent, &Followed { feed, stream }, last(shard, Notice::TakenOver));
    }

    /// Ends an agent's stream, telling why if there is room for it.
    fn end(&mut self, shard: &Shard, agent: AgentKey) {
        self.streams.remove(&agent);
        if let Some(followed) = self.drop_stream(shard, agent) {
            // One who does not read finds the feed closed.
            deliver(&mut self.pipes, agent, &followed, last(shard, Notice::SessionLost));
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

/// What a stream ends with. Nobody goes on after it.
fn last(shard: &Shard, notice: Notice) -> AgentNotice {
    let position = Position { sequence: shard.sequence(), index: 0 };
    AgentNotice { position, time: shard.now(), notice }
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
        let follower =
            AgentFollower { agent: ANA, session: SESSION, stream: 1, after: None, feed: feed.into() };
        outbox.announce(&follower);
        outbox.follow(&shard, Follower::Agent(follower));
        for _ in 0..100 {
            status_changed(&mut outbox, &shard);
        }
        assert!(outbox.agents.is_empty(), "the full feed is dropped");
        assert!(matches!(notices.try_recv().map(|told| told.notice), Ok(Notice::Snapshot { .. })));
        for _ in 0..2 {
            assert!(matches!(notices.try_recv().map(|told| told.notice), Ok(Notice::Status(_))));
        }
        assert_eq!(notices.try_recv().err(), Some(mpsc::error::TryRecvError::Disconnected));
        assert!(
            outbox.forget(&shard, ANA, 1),
            "the stream is still the agent's newest: its end loses the session"
        );
    }

    #[test]
    fn who_was_cut_off_and_has_come_back_on_another_stream_does_not_lose_the_session() {
        let shard = floor();
        let mut outbox = Outbox::default();
        let follower = |stream| {
            let (feed, notices) = mpsc::channel(1);
            let feed = feed.into();
            (AgentFollower { agent: ANA, session: SESSION, stream, after: None, feed }, notices)
        };
        let (first, _unread) = follower(1);
        outbox.announce(&first);
        outbox.follow(&shard, Follower::Agent(first));
        status_changed(&mut outbox, &shard);
        let (second, _notices) = follower(2);
        outbox.announce(&second);
        assert_eq!(outbox.take_cut_off(&shard), [], "the first was cut off, but the second is hers now");
        outbox.follow(&shard, Follower::Agent(second));
        status_changed(&mut outbox, &shard);
        assert_eq!(outbox.take_cut_off(&shard), [(ANA, 2)], "nothing reaches her any more");
    }

    #[test]
    fn a_second_stream_takes_over_and_the_first_hears_of_it_last() {
        let shard = floor();
        let mut outbox = Outbox::default();
        let mut readers = Vec::new();
        for stream in [1, 2] {
            let (feed, notices) = mpsc::channel(FEED_MAX);
            let follower =
                AgentFollower { agent: ANA, session: SESSION, stream, after: None, feed: feed.into() };
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
        assert!(!outbox.forget(&shard, ANA, 1), "its end takes nothing along");
        assert!(matches!(readers[1].try_recv().map(|told| told.notice), Ok(Notice::Snapshot { .. })));
        assert!(matches!(readers[1].try_recv().map(|told| told.notice), Ok(Notice::Status(_))));
    }

    #[test]
    fn who_asks_again_and_again_leaves_nothing_behind() {
        let shard = floor();
        let mut outbox = Outbox::default();
        let watch = |outbox: &mut Outbox| {
            let (feed, changes) = mpsc::channel(2);
            outbox.follow(&shard, Follower::Watch { interaction: CALL, watch: Watch::Once, feed });
            changes
        };
        let stays = watch(&mut outbox);
        for _ in 0..100 {
            drop(watch(&mut outbox));
        }
        assert!(outbox.watchers.feeds_of(CALL) <= 2, "{} feeds", outbox.watchers.feeds_of(CALL));
        assert_eq!(stays.len(), 1);
        drop(stays);
    }
}
