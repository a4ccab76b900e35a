//! An agent's desk: a person who answers or does not, talks, hands on, takes breaks and closes the laptop. It knows
//! only what it was told.

use super::dice::Dice;
use super::hand::{Hand, Work};
use super::server::agent_key;
use super::streams::Notice;
use super::world::{StreamId, Who, World};
use baton::engine::agent::Presence;
use baton::engine::command::{Answer, Command, Handover, Refusal, Target};
use baton::engine::event::EndedBy;
use baton::engine::ids::{AssignmentId, OfferId, QueueKey, Sequence, SessionId, Text};
use baton::engine::interaction::Part;
use std::collections::BTreeSet;

/// What the person is going to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Errand {
    /// Open a stream, unless there is one.
    Connect,
    /// See whether the stream came to be.
    LookIfConnected(StreamId),
    Answer(OfferId),
    Talk(AssignmentId),
    WrapUp(AssignmentId),
    /// Be as present as wanted.
    Presence,
    /// Want something else.
    Mood,
}

pub struct Desk {
    number: usize,
    pub stream: Option<StreamId>,
    session: SessionId,
    /// Up to here it was told; `None`: it knows nothing.
    cursor: Option<Sequence>,
    connected: bool,
    pub hand: Hand,
    wants: Presence,
    errands: BTreeSet<Errand>,
    accepts_percent: u64,
}

impl Desk {
    pub fn new(number: usize, dice: &mut Dice) -> Desk {
        Desk {
            number,
            stream: None,
            session: SessionId(1),
            cursor: None,
            connected: false,
            hand: Hand::default(),
            wants: Presence::Available,
            errands: BTreeSet::new(),
            accepts_percent: dice.pick(&[95, 80, 80, 50]),
        }
    }

    fn who(&self) -> Who {
        Who::Desk(self.number)
    }
}

impl World {
    /// Plans an errand, unless it is planned already.
    fn desk_plans(&mut self, number: usize, errand: Errand, after_ms: u64) {
        if self.desks[number].errands.insert(errand) {
            self.plan_errand(number, errand, after_ms);
        }
    }

    pub fn desk_hears(&mut self, number: usize, notice: Notice) {
        let desk = &mut self.desks[number];
        match notice {
            Notice::Snapshot(sequence, hand) => {
                (desk.hand, desk.cursor) = (hand, Some(sequence));
            }
            Notice::Event(stamped) => {
                desk.hand.hear(&stamped.event);
                desk.cursor = Some(stamped.sequence);
            }
            Notice::UpTo(sequence) => desk.cursor = Some(sequence),
            Notice::Listed(_) | Notice::View(_) | Notice::End => panic!("that is not for desks"),
        }
        desk.connected = true;
        self.witness.told(self.desks[number].cursor.map_or(0, |cursor| cursor.0));
        self.desk_thinks(number);
    }

    /// Plans what follows from what is in hand.
    fn desk_thinks(&mut self, number: usize) {
        let desk = &self.desks[number];
        let offers: Vec<OfferId> = desk.hand.offers.keys().copied().collect();
        let work: Vec<(AssignmentId, Work)> = desk.hand.work.iter().map(|(id, work)| (*id, *work)).collect();
        let present = desk.hand.pending.or(desk.hand.presence);
        let restless = present != Some(desk.wants) || desk.hand.not_responding;
        for offer in offers {
            let after_ms = self.dice.between(300, 9_000);
            self.desk_plans(number, Errand::Answer(offer), after_ms);
        }
        for (id, work) in work {
            if work.wrap_up_until.is_some() {
                let after_ms = self.dice.between(500, 20_000);
                self.desk_plans(number, Errand::WrapUp(id), after_ms);
            } else if !work.interrupted {
                let after_ms = self.dice.between(1_000, 60_000);
                self.desk_plans(number, Errand::Talk(id), after_ms);
            }
        }
        if restless {
            let after_ms = self.dice.between(200, 15_000);
            self.desk_plans(number, Errand::Presence, after_ms);
        }
        if !self.calm {
            let after_ms = self.dice.between(5_000, 200_000);
            self.desk_plans(number, Errand::Mood, after_ms);
        }
    }

    pub fn desk_does(&mut self, number: usize, errand: Errand) {
        self.desks[number].errands.remove(&errand);
        match errand {
            Errand::Connect => self.desk_connects(number),
            Errand::LookIfConnected(stream) => {
                let desk = &mut self.desks[number];
                if desk.stream == Some(stream) && !desk.connected {
                    desk.stream = None;
                    let who = desk.who();
                    self.abandoned_stream(who, stream);
                    self.desk_plans(number, Errand::Connect, 1_000);
                }
            }
            _ if self.desks[number].stream.is_none() || !self.desks[number].connected => {}
            Errand::Answer(offer) => self.desk_answers(number, offer),
            Errand::Talk(id) => self.desk_talks(number, id),
            Errand::WrapUp(id) => self.desk_wraps_up(number, id),
            Errand::Presence => self.desk_is_present(number),
            Errand::Mood => self.desk_changes_mood(number),
        }
    }

    fn desk_connects(&mut self, number: usize) {
        if self.desks[number].stream.is_some() {
            return;
        }
        let stream = self.new_stream_id();
        let desk = &mut self.desks[number];
        (desk.stream, desk.connected) = (Some(stream), false);
        let (who, session, cursor) = (desk.who(), desk.session, desk.cursor);
        self.ask_to_follow(who, stream, session, cursor);
        self.plan_errand(number, Errand::LookIfConnected(stream), 10_000);
    }

    /// The stream ended: sooner or later the agent is back, with the same laptop or another one.
    pub fn desk_is_cut(&mut self, number: usize) {
        let reboots = self.dice.percent(15) && !self.calm;
        let desk = &mut self.desks[number];
        (desk.stream, desk.connected) = (None, false);
        if reboots {
            desk.session.0 += 1;
            desk.cursor = None;
            desk.hand = Hand::default();
            desk.errands.clear();
        }
        let after_ms = match self.dice.below(10) {
            _ if self.calm => 500,
            0..7 => self.dice.between(50, 5_000),
            _ => self.dice.between(5_000, 120_000),
        };
        self.desk_plans(number, Errand::Connect, after_ms);
    }

    /// Whoever rests comes back to work, and whoever ignored an offer looks up.
    pub fn desk_calms(&mut self, number: usize) {
        let desk = &mut self.desks[number];
        (desk.wants, desk.accepts_percent) = (Presence::Available, 100);
        desk.errands.clear();
        if desk.connected {
            self.desk_thinks(number);
        } else if self.desks[number].stream.is_none() {
            self.desk_plans(number, Errand::Connect, 100);
        }
    }

    fn desk_answers(&mut self, number: usize, offer: OfferId) {
        let desk = &mut self.desks[number];
        if !desk.hand.offers.contains_key(&offer) {
            return;
        }
        let (who, accepts) = (desk.who(), desk.accepts_percent);
        if self.dice.percent(accepts) {
            self.send(who, Command::Accept { offer });
        } else if self.dice.percent(50) {
            self.send(who, Command::Decline { offer, reason: Text::default() });
        }
        // Once is enough.
        self.desks[number].errands.insert(Errand::Answer(offer));
    }

    fn desk_talks(&mut self, number: usize, id: AssignmentId) {
        let Some(work) = self.desks[number].hand.work.get(&id).copied() else { return };
        let disposition = Text::default();
        if work.talks() && !work.interrupted {
            let owns = work.part == Part::Owner;
            let command = match self.dice.below(100) {
                roll if self.calm || !owns || roll < 50 => {
                    Command::Complete { assignment: id, disposition, solved: None }
                }
                50..75 => self.second_agent(number, id, work),
                75..82 => Command::Park { assignment: id },
                82..87 => Command::Requeue { assignment: id },
                87..91 => Command::StopSeeking { assignment: id },
                _ => Command::Complete { assignment: id, disposition, solved: None },
            };
            let who = self.desks[number].who();
            self.send(who, command);
        }
        self.desk_thinks(number);
    }

    /// Asks for somebody else: for advice, to join, or to take over.
    fn second_agent(&mut self, number: usize, id: AssignmentId, work: Work) -> Command {
        let consulted = self.desks.iter().flat_map(|desk| &desk.hand.work).find(|(_, other)| {
            other.interaction == work.interaction && other.part == Part::Consultant && other.talks()
        });
        let target = match consulted {
            Some((consulted, _)) if self.dice.percent(80) => Target::Consulted(*consulted),
            _ => {
                let plan = Box::new(self.some_plan());
                let agent = self.dice.percent(40).then(|| self.drawn.some_agent(&mut self.dice));
                Target::Line { plan: plan.into(), agent: agent.filter(|agent| *agent != agent_key(number)) }
            }
        };
        match self.dice.below(10) {
            0..3 => Command::Transfer { assignment: id, target, handover: Handover::Blind },
            3..5 => Command::Transfer { assignment: id, target, handover: Handover::Warm },
            5..8 => Command::Consult { assignment: id, target },
            _ => Command::Conference { assignment: id, target },
        }
    }

    fn desk_wraps_up(&mut self, number: usize, id: AssignmentId) {
        let desk = &self.desks[number];
        let who = desk.who();
        if desk.hand.work.get(&id).is_none_or(Work::talks) {
            return;
        }
        match self.dice.below(10) {
            0..4 => self.send(who, Command::FinishWrapUp { assignment: id, by: EndedBy::Agent }),
            4..6 => self.send(who, Command::ExtendWrapUp { assignment: id }),
            // The clock ends it.
            _ => return self.desks[number].errands.extend([Errand::WrapUp(id)]),
        };
        if !self.calm {
            self.desk_thinks(number);
        }
    }

    fn desk_is_present(&mut self, number: usize) {
        let desk = &self.desks[number];
        let present = desk.hand.pending.or(desk.hand.presence);
        if present != Some(desk.wants) || desk.hand.not_responding {
            let (who, presence) = (desk.who(), desk.wants);
            let set = Command::SetPresence {
                agent: agent_key(number),
                presence,
                reason: Text::default(),
                by: EndedBy::Agent,
            };
            self.send(who, set);
        }
    }

    fn desk_changes_mood(&mut self, number: usize) {
        if self.calm {
            return;
        }
        self.desks[number].wants = match self.dice.below(10) {
            0..2 => Presence::OnBreak,
            2 => Presence::SignedOut,
            _ => Presence::Available,
        };
        if self.dice.percent(40) {
            self.desk_pulls(number);
        }
        self.desk_thinks(number);
    }

    /// Takes something from a line, or one that is parked.
    fn desk_pulls(&mut self, number: usize) {
        let queue =
            QueueKey(u16::try_from(self.dice.index(self.drawn.queues.len())).expect("floors are small"));
        let lines = self.server.shard.lines();
        let waiting: Vec<_> = lines.by_entry(queue).collect();
        let parked = self.platforms.iter().flat_map(|platform| platform.open.values());
        let parked = parked.filter(|view| view.parked).map(|view| view.id);
        let all: Vec<_> = waiting.into_iter().chain(parked).collect();
        if !all.is_empty() {
            let interaction = self.dice.pick(&all);
            let who = self.desks[number].who();
            self.send(who, Command::Pull { agent: agent_key(number), interaction });
        }
    }

    pub fn desk_hears_answer(&mut self, number: usize, command: &Command, answer: &Result<Answer, Refusal>) {
        // Refused for now: the person tries again.
        if let (Command::SetPresence { .. }, _) | (_, Err(_)) = (command, answer)
            && self.desks[number].connected
        {
            self.desk_thinks(number);
        }
    }
}
