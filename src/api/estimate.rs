//! Waits as they are told: to who waits, and to who has not come yet.

use super::convert::{channel, channel_code, millis};
use super::intake::queue;
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::channel::Channel;
use crate::engine::estimate::{Door, Estimate};
use crate::engine::ids::QueueKey;
use crate::engine::plan::Facts;
use crate::engine::time::Time;
use crate::learning::{Accuracy, Expectation};
use crate::proto;
use crate::rules::Asked;
use std::sync::Arc;

/// Asked about unless the caller says otherwise.
const USUAL: [Channel; 3] = [Channel::Voice, Channel::Chat, Channel::Message];

/// A wait with all that is known of it.
#[derive(Clone, Copy)]
struct Known {
    wait_ms: Option<u64>,
    expected: Option<Expectation>,
    accuracy: Option<Accuracy>,
}

impl Tenant {
    fn known(&self, now: Time, queue: QueueKey, ahead: u32, by_position_ms: Option<u64>) -> Known {
        // Nobody qualifies: there is no wait to tell.
        let expected = by_position_ms.and_then(|ms| self.outlook.expect(now, queue, ahead, Some(ms)));
        let wait_ms = expected.map(|expected| whole(expected.mean_ms)).or(by_position_ms);
        Known { wait_ms, expected, accuracy: self.outlook.accuracy(Some(queue)) }
    }

    /// The wait of somebody who stands in line.
    pub fn show_estimate(
        &self,
        queue: QueueKey,
        estimate: Estimate,
        places: Option<(u32, u32)>,
        now: Time,
    ) -> proto::Estimate {
        let known = self.known(now, queue, estimate.position - 1, estimate.wait_ms);
        let (first, last) = places.unwrap_or_default();
        proto::Estimate { position_first: first, position_last: last, ..shown(known, estimate.position) }
    }
}

/// What a customer would meet who came now.
pub async fn estimate(
    tenant: &Arc<Tenant>,
    request: &proto::EstimateRequest,
) -> Result<proto::EstimateResponse, ApiError> {
    let floor = tenant.shard.floor();
    let queue = queue("queue", tenant, &floor, &request.queue)?;
    let facts = Facts::default();
    let ruling = tenant.rules.now();
    let plan = |channel: Channel| {
        let asked = Asked::plain(channel, queue, &facts);
        (channel, ruling.plan(&floor, &asked))
    };
    let plans: Vec<_> = channels(&request.channels)?.into_iter().map(plan).collect();
    let seen = tenant
        .shard
        .read(move |shard| {
            let doors = plans.into_iter().map(|(channel, plan)| {
                let patience_ms = plan.goals.patience_ms;
                (channel, patience_ms, shard.look_in(&plan, channel))
            });
            (doors.collect::<Vec<_>>(), shard.now())
        })
        .await?;
    let (doors, now) = seen.value;
    let shown = doors.into_iter().map(|(channel, patience_ms, door)| {
        let none = || proto::ChannelEstimate {
            channel: channel_code(channel),
            call_back: true,
            ..proto::ChannelEstimate::default()
        };
        door.map_or_else(none, |door| at_door(tenant, channel, patience_ms, door, now))
    });
    Ok(proto::EstimateResponse { channels: shown.collect(), sequence: seen.sequence.0 })
}

fn channels(asked: &[i32]) -> Result<Vec<Channel>, ApiError> {
    let mut channels = Vec::new();
    for code in asked {
        let one = channel("channels", *code)?;
        if channels.contains(&one) {
            return Err(ApiError::field("channels", one.word(), "each once"));
        }
        channels.push(one);
    }
    Ok(if channels.is_empty() { USUAL.to_vec() } else { channels })
}

fn at_door(
    tenant: &Tenant,
    channel: Channel,
    patience_ms: u64,
    door: Door,
    now: Time,
) -> proto::ChannelEstimate {
    let known = match door.free {
        true => Known { wait_ms: Some(0), expected: None, accuracy: None },
        false => tenant.known(now, door.queue, door.ahead, door.wait_ms),
    };
    let patience_ms = tenant.outlook.patience_ms(door.queue).unwrap_or(patience_ms as f64);
    // Half of those who wait exponentially long have hung up after ln 2 of the mean.
    let half_gone_ms = patience_ms * std::f64::consts::LN_2;
    let median_ms = known.expected.map(|expected| expected.p50_ms).or(known.wait_ms.map(|ms| ms as f64));
    let floor = tenant.shard.floor();
    proto::ChannelEstimate {
        channel: channel_code(channel),
        open: door.open,
        free: door.free,
        queue: tenant.queue_name(door.queue, &floor),
        estimate: Some(shown(known, if door.free { 1 } else { door.ahead + 1 })),
        call_back: !door.open || median_ms.is_none_or(|ms| ms > half_gone_ms),
    }
}

fn shown(known: Known, position: u32) -> proto::Estimate {
    let of = |part: fn(Expectation) -> f64| known.expected.map(|expected| millis(whole(part(expected))));
    proto::Estimate {
        position,
        wait: known.wait_ms.map(millis),
        p10: of(|expected| expected.p10_ms),
        p50: of(|expected| expected.p50_ms),
        p90: of(|expected| expected.p90_ms),
        position_first: 0,
        position_last: 0,
        calibration: known.accuracy.map(|accuracy| proto::Calibration {
            waits: accuracy.waits,
            within_ppm: ppm(accuracy.within),
            error: Some(millis(whole(accuracy.rms_error_ms))),
            error_by_position: Some(millis(whole(accuracy.by_position_rms_error_ms))),
            error_by_last_wait: Some(millis(whole(accuracy.by_last_rms_error_ms))),
        }),
    }
}

fn whole(ms: f64) -> u64 {
    ms.max(0.0).round() as u64
}

fn ppm(share: f64) -> u32 {
    (share * 1e6).round() as u32
}
