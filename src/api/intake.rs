//! The way in of one interaction: convert → identify → plan. What comes out is a command, complete.

use super::convert::{channel, code, duration_ms, required, text};
use super::desk::agent_at;
use super::names::{chosen_id, shown};
use super::planned::{Planned, Shares, Subject, worth_recording};
use super::platform::ahead;
use super::shadow::{self, Witness};
use super::status::ApiError;
use super::tenant::{Ruling, Tenant};
use super::whose::{self, Known, Late, Matter};
use crate::customers::{Address, AddressKind, about};
use crate::engine::circumstances::{Attribute, Circumstances, Wish};
use crate::engine::command::Submit;
use crate::engine::floor::Floor;
use crate::engine::ids::{self, QueueKey, SkillKey};
use crate::engine::plan::{Channel, Facts, Plan};
use crate::engine::skill::{PROFICIENCY_MAX, Requirement, merged};
use crate::engine::time::Time;
use crate::proto;
use crate::rules::facts::Attribute as Read;
use crate::runtime::payload::{Payload, Secret};
use prost::Message;
use ring::hmac;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long an interaction waits for the customer store, in all.
pub const LOOKUP_DEADLINE: Duration = Duration::from_millis(20);
/// Most requirements of one interaction.
pub const REQUIREMENTS_MAX: usize = 16;
/// Most attributes of one interaction.
const ATTRIBUTES_MAX: usize = 32;
/// Longest attribute that is told to rules, characters.
const FACT_MAX: usize = 128;
/// Longest wait for a preferred agent, ms.
const BUDGET_MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// What is asked of the shard, and what is still outstanding.
pub struct Prepared {
    pub submit: Submit,
    pub secret: Secret,
    pub late: Option<(Late, Again)>,
    /// Whoever publishes others sees by it that somebody is on their way in with these.
    #[expect(dead_code, reason = "it is only held")]
    ruling: Arc<Ruling>,
}

/// An interaction whose customer was not known in time, to be planned again.
pub struct Again(Draft);

impl Again {
    /// What it is about.
    pub fn matter(&self) -> Matter {
        self.0.matter()
    }

    /// The plan it would have been given, had all this been known; `None` if it is the one it has.
    pub fn plan(mut self, tenant: &Tenant, known: &Known, has: &Plan) -> Option<Planned> {
        self.0.begin_again(tenant);
        self.0.know(known);
        let plan = self.0.plan(tenant);
        (*plan != *has).then_some((plan, self.0.facts.circumstances))
    }
}

/// The hashes under which a request is recognised, and that of its content.
pub struct Identity {
    pub keys: [Option<u128>; 2],
    pub content: u128,
}

impl Identity {
    /// The same however often it is submitted.
    fn number(&self) -> u128 {
        self.keys.into_iter().flatten().next().unwrap_or(self.content)
    }
}

/// Recognises a request: decided before anything is looked up, over what was received.
pub fn identity(tenant: &Tenant, request: &proto::SubmitRequest) -> Result<Identity, ApiError> {
    let interaction = submitted(request)?;
    let external_id = code("interaction.external_id", &interaction.external_id, 128)?;
    let request_id = code("request_id", &request.request_id, 128)?;
    if external_id.is_empty() && request_id.is_empty() {
        let wanted = "1 to 128 characters, or a request_id: without an id a retry would enter twice";
        return Err(ApiError::missing("interaction.external_id", wanted));
    }
    let source = &interaction.source;
    let hash = |parts: &[&[u8]]| hash(&tenant.request_key, parts);
    let by_source =
        (!external_id.is_empty()).then(|| hash(&[b"external", source.as_bytes(), external_id.as_bytes()]));
    let by_request = (!request_id.is_empty()).then(|| hash(&[b"request", request_id.as_bytes()]));
    Ok(Identity { keys: [by_source, by_request], content: hash(&[b"content", &interaction.encode_to_vec()]) })
}

/// Makes the command.
pub async fn prepare(
    tenant: &Arc<Tenant>,
    request: &proto::SubmitRequest,
    identity: &Identity,
) -> Result<Prepared, ApiError> {
    let (mut draft, payload) = Draft::of(tenant, request, identity)?;
    let deadline = Instant::now() + LOOKUP_DEADLINE;
    let from = submitted(request)?.from.as_ref();
    let (known, late) = whose::by(tenant, from, draft.matter(), deadline).await;
    if let Some(known) = &known {
        draft.know(known);
    }
    let plan = draft.plan(tenant);
    let late = late.map(|late| (late, Again(draft.clone())));
    Ok(Prepared { late, ..draft.finished(tenant, plan, identity, payload) })
}

/// Makes the command without waiting for anything; `None` if the customer has to be looked up first.
pub fn prepare_now(
    tenant: &Tenant,
    request: &proto::SubmitRequest,
    identity: &Identity,
) -> Result<Option<Prepared>, ApiError> {
    let (mut draft, payload) = Draft::of(tenant, request, identity)?;
    let from = submitted(request)?.from.as_ref();
    match whose::at_once(tenant, from, draft.matter()) {
        None => return Ok(None),
        Some(Some(known)) => draft.know(&known),
        Some(None) => {}
    }
    let plan = draft.plan(tenant);
    Ok(Some(draft.finished(tenant, plan, identity, payload)))
}

/// What came, checked field by field; to be planned when it is known whose it is.
#[derive(Clone)]
struct Draft {
    /// By which it is always the same rules that plan it.
    number: u128,
    /// The whole plan is made with these.
    ruling: Arc<Ruling>,
    floor: Arc<Floor>,
    source: ids::Text,
    external_id: ids::Text,
    channel: Channel,
    /// The one it is meant for, before any rule is asked.
    queue: QueueKey,
    facts: Facts,
    made_in: Circumstances,
}

impl Draft {
    fn of(
        tenant: &Tenant,
        request: &proto::SubmitRequest,
        identity: &Identity,
    ) -> Result<(Draft, Payload), ApiError> {
        let interaction = submitted(request)?;
        let source = chosen_id("interaction.source", &interaction.source)?;
        let channel = channel("interaction.channel", interaction.channel)?;
        refuse_outputs(interaction)?;
        let number = identity.number();
        let (ruling, floor) = (tenant.rules.of(number), tenant.shard.floor());
        let named = match interaction.queue.as_str() {
            "" => None,
            name => Some(queue("interaction.queue", tenant, &floor, name)?),
        };
        let queue = named.or_else(|| ruling.rules.fallback(&floor)).ok_or_else(|| {
            let wanted = "a queue: the rules in force have none to fall back to on this floor";
            ApiError::missing("interaction.queue", wanted)
        })?;
        let requirements =
            requirements("interaction.requirements", &interaction.requirements, tenant, &floor)?;
        let payload = payload(tenant, interaction)?;
        let wish = interaction.preferred_agent.as_ref().map(|asked| preferred(tenant, asked)).transpose()?;
        let now = tenant.clock.now();
        let facts = facts(interaction, now)?;
        let external_id = interaction.external_id.as_str().into();
        let source = source.into();
        let attributes = declared(&ruling, interaction);
        let made_in = Circumstances {
            at: now,
            queue: named,
            requirements,
            wish,
            attributes,
            ..Circumstances::default()
        };
        Ok((Draft { number, ruling, floor, source, external_id, channel, queue, facts, made_in }, payload))
    }

    /// With the rules and the floor of now; what was drawn for it stays drawn.
    fn begin_again(&mut self, tenant: &Tenant) {
        (self.ruling, self.floor) = (tenant.rules.of(self.number), tenant.shard.floor());
        let fallback = self.ruling.rules.fallback(&self.floor);
        self.queue = self.made_in.queue.or(fallback).unwrap_or(self.queue);
    }

    /// What it is about, and how far back the rules of its queue look for more of it.
    fn matter(&self) -> Matter {
        Matter {
            about: about(&self.facts.matter, &self.facts.intent),
            within_ms: self.ruling.repeats_within(&self.floor, self.queue),
        }
    }

    fn know(&mut self, known: &Known) {
        self.facts.customer = Some(ids::CustomerId(known.customer.0));
        self.facts.journey.clone_from(&known.journey);
    }

    /// What the rules say, with what the source wishes; what they were told is kept.
    fn plan(&mut self, tenant: &Tenant) -> Arc<Plan> {
        let mut made_in = std::mem::take(&mut self.made_in);
        let subject = Subject {
            channel: self.channel,
            source: &self.source,
            queue: self.queue,
            facts: &self.facts,
            journey: self.facts.journey.as_deref(),
        };
        let plan = subject.plan(tenant, &self.ruling, &self.floor, &mut made_in, Shares::Dealt);
        self.facts.circumstances =
            worth_recording(&made_in, &plan, &self.ruling).then(|| made_in.clone().into());
        self.made_in = made_in;
        plan
    }

    fn finished(self, tenant: &Tenant, plan: Arc<Plan>, identity: &Identity, payload: Payload) -> Prepared {
        shadow::tell(tenant, || Witness {
            channel: self.channel,
            source: self.source.clone(),
            external_id: self.external_id.clone(),
            queue: self.queue,
            facts: self.facts.clone(),
            plan: plan.clone(),
        });
        let submit = Submit {
            keys: identity.keys,
            content: identity.content,
            plan,
            source: self.source,
            external_id: self.external_id,
            channel: self.channel,
            facts: self.facts,
        };
        let secret = Secret::payload(payload, identity.content);
        Prepared { submit, secret, late: None, ruling: self.ruling }
    }
}

/// The facts that the rules declare, of what came. What they do not declare stays sealed; a text that is too long to be a
/// fact is none, so nobody is refused for what a document declares.
fn declared(ruling: &Ruling, interaction: &proto::Interaction) -> Vec<(ids::Text, Attribute)> {
    let declared = &ruling.rules.document().facts;
    let read = |(name, _): (&String, _)| {
        let value = interaction.attributes.get(name)?;
        let value = match declared.read(name, value)? {
            Read::Text(text) => Attribute::Text(code("interaction.attributes", text, FACT_MAX).ok()?.into()),
            Read::Number(number) => Attribute::Number(number),
            Read::Truth(truth) => Attribute::Truth(truth),
        };
        Some((name.as_str().into(), value))
    };
    declared.0.iter().filter_map(read).collect()
}

/// Most texts are empty, and the empty one is there already.
fn shared(text: &str) -> ids::Text {
    if text.is_empty() { ids::Text::default() } else { text.into() }
}

/// What rules are told of it.
fn facts(interaction: &proto::Interaction, now: Time) -> Result<Facts, ApiError> {
    Ok(Facts {
        intent: shared(code("interaction.intent", &interaction.intent, 64)?),
        language: shared(code("interaction.language", &interaction.language, 35)?),
        priority: priority(interaction.priority)?,
        customer: None,
        due: interaction.due_time.map(|due| ahead("interaction.due_time", due, now)).transpose()?,
        not_before: interaction.not_before.map(|at| ahead("interaction.not_before", at, now)).transpose()?,
        matter: shared(code("interaction.matter", &interaction.matter, 64)?),
        journey: None,
        circumstances: None,
    })
}

fn submitted(request: &proto::SubmitRequest) -> Result<&proto::Interaction, ApiError> {
    request.interaction.as_ref().ok_or_else(|| ApiError::missing("interaction", "an interaction"))
}

fn refuse_outputs(interaction: &proto::Interaction) -> Result<(), ApiError> {
    let empty = "nothing: the server fills it in";
    for (field, value) in [
        ("interaction.name", &interaction.name),
        ("interaction.customer", &interaction.customer),
        ("interaction.agent", &interaction.agent),
        ("interaction.offer", &interaction.offer),
        ("interaction.assignment", &interaction.assignment),
        ("interaction.disposition", &interaction.disposition),
    ] {
        if !value.is_empty() {
            return Err(ApiError::field(field, &shown(value), empty));
        }
    }
    for (field, filled) in [
        ("interaction.state", interaction.state != 0),
        ("interaction.enter_time", interaction.enter_time.is_some()),
        ("interaction.answer_time", interaction.answer_time.is_some()),
        ("interaction.close_time", interaction.close_time.is_some()),
        ("interaction.wait_reason", interaction.wait_reason != 0),
        ("interaction.estimate", interaction.estimate.is_some()),
        ("interaction.requeues", interaction.requeues != 0),
        ("interaction.rule_set_version", interaction.rule_set_version != 0),
        ("interaction.wait_time", interaction.wait_time.is_some()),
    ] {
        if filled {
            return Err(ApiError::field(field, "a value", empty));
        }
    }
    Ok(())
}

/// A queue by its name.
pub fn queue(field: &'static str, tenant: &Tenant, floor: &Floor, name: &str) -> Result<QueueKey, ApiError> {
    let id = tenant.id(field, name, "queues")?;
    let key = floor
        .queues
        .key(id)
        .ok_or_else(|| ApiError::not_found(field, "QUEUE_NOT_FOUND", &format!("queue {}", shown(id))))?;
    Ok(QueueKey(u16::try_from(key).expect("queue keys are u16")))
}

/// Requirements by key, each skill once.
pub fn requirements(
    field: &'static str,
    asked: &[proto::Requirement],
    tenant: &Tenant,
    floor: &Floor,
) -> Result<Vec<Requirement>, ApiError> {
    if asked.len() > REQUIREMENTS_MAX {
        return Err(ApiError::field(field, &asked.len().to_string(), &format!("at most {REQUIREMENTS_MAX}")));
    }
    let keyed: Result<Vec<Requirement>, ApiError> = asked
        .iter()
        .map(|one| {
            let skill = skill(field, &one.skill, tenant, floor)?;
            Ok(Requirement { skill, proficiency: proficiency(field, one.proficiency.max(1))? })
        })
        .collect();
    Ok(merged(&[&keyed?]))
}

/// A skill that exists.
pub fn skill(field: &'static str, name: &str, tenant: &Tenant, floor: &Floor) -> Result<SkillKey, ApiError> {
    let id = tenant.id(field, name, "skills")?;
    let key = floor.skills.key(id).and_then(|key| u16::try_from(key).ok());
    key.map(SkillKey)
        .ok_or_else(|| ApiError::not_found(field, "SKILL_NOT_FOUND", &format!("skill {}", shown(id))))
}

/// A proficiency, 1 to 10.
pub fn proficiency(field: &'static str, value: u32) -> Result<u8, ApiError> {
    let fits = u8::try_from(value).ok().filter(|value| (1..=PROFICIENCY_MAX).contains(value));
    fits.ok_or_else(|| ApiError::field(format!("{field}.proficiency"), &value.to_string(), "1 to 10"))
}

fn priority(points: i32) -> Result<i16, ApiError> {
    let fits = i16::try_from(points).ok().filter(|points| (-10..=10).contains(points));
    fits.ok_or_else(|| ApiError::field("interaction.priority", &points.to_string(), "-10 to 10"))
}

fn preferred(tenant: &Tenant, asked: &proto::PreferredAgent) -> Result<Wish, ApiError> {
    let agent = agent_at(tenant, "interaction.preferred_agent.agent", &asked.agent)?;
    let field = "interaction.preferred_agent.budget";
    let given = asked.budget.is_some();
    let budget_ms = duration_ms(field, asked.budget, 0..=BUDGET_MAX_MS, 0)?;
    Ok(Wish { agent, budget_ms: given.then_some(budget_ms), overdraw: asked.overdraw })
}

fn payload(tenant: &Tenant, interaction: &proto::Interaction) -> Result<Payload, ApiError> {
    let message = text("interaction.message", &interaction.message, 4_096)?.to_owned();
    if interaction.attributes.len() > ATTRIBUTES_MAX {
        let wanted = format!("at most {ATTRIBUTES_MAX} entries");
        return Err(ApiError::field(
            "interaction.attributes",
            &interaction.attributes.len().to_string(),
            &wanted,
        ));
    }
    for (key, value) in &interaction.attributes {
        required("interaction.attributes (key)", key, 64)?;
        text(&format!("interaction.attributes[{key}]"), value, 1_024)?;
    }
    Ok(Payload {
        from: interaction.from.as_ref().map(|from| shown_address(tenant, from)).transpose()?,
        message,
        attributes: interaction.attributes.clone(),
    })
}

/// What the agent sees of an address: as we know it, or as it came if nobody can be found under it.
fn shown_address(tenant: &Tenant, address: &proto::Address) -> Result<(u8, String), ApiError> {
    let kind = address_kind("interaction.from", address)?;
    required("interaction.from.value", &address.value, 320)?;
    if let Some(known) = tenant.known.customer(address) {
        return Ok((kind as u8, (*known.address).to_owned()));
    }
    let known = Address::parse_at(tenant.home, kind, &address.value);
    Ok((kind as u8, known.map_or_else(|_| address.value.clone(), |known| known.value().to_owned())))
}

fn address_kind(field: &'static str, address: &proto::Address) -> Result<AddressKind, ApiError> {
    u8::try_from(address.kind).ok().and_then(AddressKind::from_code).ok_or_else(|| {
        let wanted = "1 PHONE, 2 EMAIL, 3 COOKIE, 4 HANDLE or 5 LOYALTY";
        ApiError::field(format!("{field}.kind"), &address.kind.to_string(), wanted)
    })
}

/// An address that is well formed. Its value is personal and never repeated in an error.
pub fn parse_address(
    tenant: &Tenant,
    field: &'static str,
    address: &proto::Address,
) -> Result<Address, ApiError> {
    let kind = address_kind(field, address)?;
    Address::parse_at(tenant.home, kind, &address.value).map_err(|error| {
        let length = format!("{} characters", address.value.chars().count());
        ApiError::field(format!("{field}.value"), &length, &error.to_string())
    })
}

/// The first half of an HMAC with SHA-256 over the parts, each with its length.
fn hash(key: &hmac::Key, parts: &[&[u8]]) -> u128 {
    let mut digest = hmac::Context::with_key(key);
    for part in parts {
        digest.update(&part.len().to_le_bytes());
        digest.update(part);
    }
    let hash = digest.sign();
    let half: [u8; 16] = hash.as_ref()[..16].try_into().expect("a SHA-256 has 32 bytes");
    u128::from_le_bytes(half)
}
