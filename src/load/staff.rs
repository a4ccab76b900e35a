//! The agents of a run: signed in before it begins, signed out when it is over.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::desks::Desks;
use super::error::LoadError;
use super::roll::Roll;
use super::run::Run;
use super::seen::Caller;
use super::settings::{AgentsVia, Settings};
use super::target::Target;
use super::works::Desk;

/// Streams that share a connection: a server takes about 200.
const STREAMS_A_CONNECTION: u32 = 100;

/// Everybody who works.
pub struct Staff {
    people: JoinSet<()>,
    leave: watch::Sender<bool>,
}

/// What everybody who works needs of the run, and tells it.
struct Duty {
    run: Arc<Run>,
    roll: Roll,
    leaving: watch::Receiver<bool>,
    broken: mpsc::Sender<String>,
}

impl Staff {
    /// Signs everybody in. `broken` hears of a stream that ends before its time.
    pub async fn sign_in(
        run: &Arc<Run>,
        target: &Target,
        settings: &Settings,
        broken: mpsc::Sender<String>,
    ) -> Result<Staff, LoadError> {
        let (leave, leaving) = watch::channel(false);
        let duty = Duty { run: run.clone(), roll: Roll::of(settings.agents), leaving, broken };
        let mut staff = Staff { people: JoinSet::new(), leave };
        match settings.agents_via {
            AgentsVia::Attach => staff.attach(target, settings, &duty),
            AgentsVia::Work => staff.work(target, settings, &duty),
        }
        duty.roll.complete().await?;
        Ok(staff)
    }

    fn attach(&mut self, target: &Target, settings: &Settings, duty: &Duty) {
        let streams = settings.agent_streams.clamp(1, settings.agents.max(1));
        let channels = target.connections(settings.connections.min(streams));
        for (stream, channel) in (0..streams).zip(channels.iter().cycle()) {
            let desks = Desks::new(
                duty.run.clone(),
                duty.roll.clone(),
                stream,
                streams,
                settings.agents,
                settings.think,
            );
            self.people.spawn(desks.work(channel.clone(), duty.leaving.clone(), duty.broken.clone()));
        }
    }

    fn work(&mut self, target: &Target, settings: &Settings, duty: &Duty) {
        let channels = target.connections(settings.agents.div_ceil(STREAMS_A_CONNECTION));
        for (number, channel) in (0..settings.agents).zip(channels.iter().cycle()) {
            let (run, roll, caller) = (duty.run.clone(), duty.roll.clone(), Caller::new(channel.clone()));
            let desk = Desk { run, roll, number, caller, think: settings.think };
            self.people.spawn(desk.work(duty.leaving.clone(), duty.broken.clone()));
        }
    }

    /// Signs everybody out, and waits until they have gone.
    pub async fn leave(mut self) {
        self.leave.send_replace(true);
        while self.people.join_next().await.is_some() {}
    }
}
