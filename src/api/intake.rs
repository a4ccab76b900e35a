//! The way in of one interaction: convert → identify → plan. What comes out is a command, complete.

use super::convert::{channel, code, duration_ms, required, text};
use super::desk::agent_at;
use super::last_agent::last_agent;
use super::names::{chosen_id, shown};
use super::platform::ahead;
use super::status::ApiError;
use super::tenant::Tenant;
use crate::customers::{Address, AddressKind, CustomerId, StoreFault};
use crate::engine::command::Submit;
use crate::engine::floor::Floor;
use crate::engine::ids::{self, AgentKey, QueueKey, SkillKey};
use crate::engine::plan::{Channel, Facts};
use crate::engine::skill::{PROFICIENCY_MAX, Requirement, merged};
use crate::engine::time::Time;
use crate::proto;
use crate::rules::{Asked, Served};
use crate::runtime::payload::{Payload, Secret};
use prost::Message;
use ring::digest::{Context, SHA256};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// How long an interaction waits for the customer store, in all.
pub const LOOKUP_DEADLINE: Duration = Duration::from_millis(20);
/// Most requirements of one interaction.
pub const REQUIREMENTS_MAX: usize = 16;
/// Most attributes of one interaction.
const ATTRIBUTES_MAX: usize = 32;
/// Longest wait for a preferred agent, ms.
const BUDGET_MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// A look-up that was not back in time.
pub type LateCustomer = oneshot::Receiver<Result<CustomerId, StoreFault>>;

/// What is asked of the shard, and what is still outstanding.
pub struct Prepared {
    pub submit: Submit,
    pub secret: Secret,
    pub late: Option<LateCustomer>,
}

/// The hashes under which a request is recognised, and that of its content.
pub struct Identity {
    pub keys: [Option<u128>; 2],
    pub content: u128,
}

/// Recognises a request: decided before anything is looked up, over what was received.
pub fn identity(request: &proto::SubmitRequest) -> Result<Identity, ApiError> {
    let interaction = submitted(request)?;
    let external_id = code("interaction.external_id", &interaction.external_id, 128)?;
    let request_id = code("request_id", &request.request_id, 128)?;
    if external_id.is_empty() && request_id.is_empty() {
        let wanted = "1 to 128 characters, or a request_id: without an id a retry would enter twice";
        return Err(ApiError::missing("interaction.external_id", wanted));
    }
    let source = &interaction.source;
    let by_source =
        (!external_id.is_empty()).then(|| hash(&[b"external", source.as_bytes(), external_id.as_bytes()]));
    let by_request = (!request_id.is_empty()).then(|| hash(&[b"request", request_id.as_bytes()]));
    Ok(Identity { keys: [by_source, by_request], content: hash(&[b"content", &interaction.encode_to_vec()]) })
}

/// Makes the command.
pub async fn prepare(
    tenant: &Tenant,
    request: &proto::SubmitRequest,
    identity: &Identity,
) -> Result<Prepared, ApiError> {
    let draft = Draft::of(tenant, request)?;
    let deadline = Instant::now() + LOOKUP_DEADLINE;
    let from = submitted(request)?.from.as_ref();
    let (customer, late) = identify(tenant, from, deadline).await;
    let draft = draft.by(customer);
    let waits = |draft: &Draft| tenant.plans.asks_for_last_agent(&tenant.rules, &draft.floor, &draft.asked());
    let last = match customer.filter(|_| waits(&draft)) {
        Some(customer) => {
            let upto = tenant.recents.heard();
            let now = tenant.clock.now();
            last_agent(&tenant.customers, &draft.floor, customer, upto, now, deadline).await
        }
        None => None,
    };
    Ok(Prepared { late, ..draft.finished(tenant, identity, last) })
}

/// Makes the command without waiting for anything; `None` if the customer has to be looked up first.
pub fn prepare_now(
    tenant: &Tenant,
    request: &proto::SubmitRequest,
    identity: &Identity,
) -> Result<Option<Prepared>, ApiError> {
    let customer = match submitted(request)?.from.as_ref().and_then(usable) {
        None => None,
        Some(address) => match tenant.known.customer(&address) {
            None => return Ok(None),
            known => known,
        },
    };
    let draft = Draft::of(tenant, request)?.by(customer);
    if customer.is_some() && tenant.plans.asks_for_last_agent(&tenant.rules, &draft.floor, &draft.asked()) {
        return Ok(None);
    }
    Ok(Some(draft.finished(tenant, identity, None)))
}

/// What came, checked field by field; to be planned when it is known whose it is.
struct Draft {
    floor: Arc<Floor>,
    source: ids::Text,
    external_id: ids::Text,
    channel: Channel,
    queue: QueueKey,
    requirements: Vec<Requirement>,
    payload: Payload,
    wish: Option<Wish>,
    facts: Facts,
}

impl Draft {
    fn of(tenant: &Tenant, request: &proto::SubmitRequest) -> Result<Draft, ApiError> {
        let interaction = submitted(request)?;
        let source = chosen_id("interaction.source", &interaction.source)?;
        let channel = channel("interaction.channel", interaction.channel)?;
        refuse_outputs(interaction)?;
        let floor = tenant.shard.floor();
        let queue = queue("interaction.queue", tenant, &floor, &interaction.queue)?;
        let requirements =
            requirements("interaction.requirements", &interaction.requirements, tenant, &floor)?;
        let payload = payload(interaction)?;
        let wish = interaction.preferred_agent.as_ref().map(|asked| preferred(tenant, asked)).transpose()?;
        let facts = facts(interaction, tenant.clock.now())?;
        let external_id = interaction.external_id.as_str().into();
        let source = source.into();
        Ok(Draft { floor, source, external_id, channel, queue, requirements, payload, wish, facts })
    }

    fn by(mut self, customer: Option<CustomerId>) -> Draft {
        self.facts.customer = customer.map(|id| ids::CustomerId(id.0));
        self
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            requirements: &self.requirements,
            preferred: self.wish.map(|wish| wish.agent),
            ..Asked::plain(self.channel, self.queue, &self.facts)
        }
    }

    /// `last` is the agent who served the customer last.
    fn finished(self, tenant: &Tenant, identity: &Identity, last: Option<Served>) -> Prepared {
        let asked = Asked { last, ..self.asked() };
        let mut plan = tenant.plans.plan(&tenant.rules, &self.floor, &asked);
        if let Some(wish) = self.wish
            && plan.preferred.is_some_and(|planned| planned.agent == wish.agent)
            && let Some(planned) = &mut Arc::make_mut(&mut plan).preferred
        {
            planned.budget_ms = wish.budget_ms.unwrap_or(planned.budget_ms);
            planned.overdraw |= wish.overdraw;
        }
        let submit = Submit {
            keys: identity.keys,
            content: identity.content,
            source: self.source,
            external_id: self.external_id,
            channel: self.channel,
            facts: self.facts,
            plan,
        };
        Prepared { submit, secret: Secret::payload(self.payload, identity.content), late: None }
    }
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

/// The agent a source wants, and on which terms.
#[derive(Clone, Copy)]
struct Wish {
    agent: AgentKey,
    budget_ms: Option<u64>,
    overdraw: bool,
}

fn preferred(tenant: &Tenant, asked: &proto::PreferredAgent) -> Result<Wish, ApiError> {
    let agent = agent_at(tenant, "interaction.preferred_agent.agent", &asked.agent)?;
    let field = "interaction.preferred_agent.budget";
    let given = asked.budget.is_some();
    let budget_ms = duration_ms(field, asked.budget, 0..=BUDGET_MAX_MS, 0)?;
    Ok(Wish { agent, budget_ms: given.then_some(budget_ms), overdraw: asked.overdraw })
}

fn payload(interaction: &proto::Interaction) -> Result<Payload, ApiError> {
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
        from: interaction.from.as_ref().map(shown_address).transpose()?,
        message,
        attributes: interaction.attributes.clone(),
    })
}

/// What the agent sees of an address: as we know it, or as it came if nobody can be found under it.
fn shown_address(address: &proto::Address) -> Result<(u8, String), ApiError> {
    let kind = address_kind("interaction.from", address)?;
    required("interaction.from.value", &address.value, 320)?;
    let known = Address::parse(kind, &address.value);
    Ok((kind as u8, known.map_or_else(|_| address.value.clone(), |known| known.value().to_owned())))
}

fn address_kind(field: &'static str, address: &proto::Address) -> Result<AddressKind, ApiError> {
    u8::try_from(address.kind).ok().and_then(AddressKind::from_code).ok_or_else(|| {
        let wanted = "1 PHONE, 2 EMAIL, 3 COOKIE, 4 HANDLE or 5 LOYALTY";
        ApiError::field(format!("{field}.kind"), &address.kind.to_string(), wanted)
    })
}

/// An address that is well formed. Its value is personal and never repeated in an error.
pub fn parse_address(field: &'static str, address: &proto::Address) -> Result<Address, ApiError> {
    let kind = address_kind(field, address)?;
    Address::parse(kind, &address.value).map_err(|error| {
        let length = format!("{} characters", address.value.chars().count());
        ApiError::field(format!("{field}.value"), &length, &error.to_string())
    })
}

/// An address that somebody can be found under. A caller who withholds the number, or calls from an extension, is
/// unknown, and still a caller.
fn usable(from: &proto::Address) -> Option<Address> {
    let address = parse_address("interaction.from", from).ok();
    if address.is_none() {
        crate::observe::customer_late("address_unusable");
    }
    address
}

/// Whose address it is. A store that is slow or dead never stops routing: the customer is unknown so far.
async fn identify(
    tenant: &Tenant,
    from: Option<&proto::Address>,
    deadline: Instant,
) -> (Option<CustomerId>, Option<LateCustomer>) {
    let Some(address) = from.and_then(usable) else { return (None, None) };
    if let Some(known) = tenant.known.customer(&address) {
        return (Some(known), None);
    }
    let (begun, asked) = (tenant.known.begin(), address.clone());
    let (reply, mut answer) = oneshot::channel();
    let now_ms = i64::try_from(tenant.clock.now().0).expect("engine time is far below 2^63 ms");
    tenant.customers.resolve(address, None, now_ms, move |resolved| {
        // Whoever asked may have gone.
        let _ = reply.send(resolved.map(|resolved| resolved.customer));
    });
    match timeout_at(deadline, &mut answer).await {
        Ok(Ok(Ok(customer))) => {
            tenant.known.learn(begun, asked, customer);
            (Some(customer), None)
        }
        Ok(_) => {
            crate::observe::customer_late("lookup_failed");
            (None, None)
        }
        Err(_) => {
            crate::observe::customer_late("lookup");
            (None, Some(answer))
        }
    }
}

/// The first half of a SHA-256 over the parts, each with its length.
fn hash(parts: &[&[u8]]) -> u128 {
    let mut digest = Context::new(&SHA256);
    for part in parts {
        digest.update(&part.len().to_le_bytes());
        digest.update(part);
    }
    let hash = digest.finish();
    let half: [u8; 16] = hash.as_ref()[..16].try_into().expect("a SHA-256 has 32 bytes");
    u128::from_le_bytes(half)
}
