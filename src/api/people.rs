//! Who a customer is: one or several under one number, what they want, and what may be sent to them.

use super::calls::take_back_unwanted;
use super::card::{look_up_now, show_customer, shown as shown_card, time, with_pen};
use super::convert::channel;
use super::customers::{asked, input, no_such, not_found, now_ms, profile};
use super::intake::parse_address;
use super::promises::is_tenant;
use super::status::ApiError;
use super::tenant::Tenant;
use super::wire::Wire;
use crate::customers::{
    Address, AskedFacts, CustomerId, Linking, NotAllowed, NotLinked, NotPreferred, NotUnlinked, Preference,
    Preferring, Reason, Unlinking,
};
use crate::proto;
use crate::proto::set_preference_request::Preference as Asked;
use prost::Message;
use std::sync::Arc;
use tonic::Code;

/// A customer by number.
pub async fn get(
    tenant: &Arc<Tenant>,
    request: &proto::GetCustomerRequest,
) -> Result<proto::Customer, ApiError> {
    let id = CustomerId(tenant.number("name", &request.name, "customers")?);
    Ok(show_customer(tenant, &profile(tenant, id).await.map_err(|error| error.naming("name"))?))
}

/// What an agent would see.
pub async fn card(tenant: &Arc<Tenant>, request: &proto::GetCardRequest) -> Result<proto::Card, ApiError> {
    let id = if request.name.is_empty() {
        let address = request.address.as_ref();
        let address = address.ok_or_else(|| ApiError::missing("name", "a customer's name, or an address"))?;
        let address = parse_address(tenant, "address", address)?;
        known(tenant, address).await?.ok_or_else(|| {
            ApiError::not_found("address", "CUSTOMER_NOT_FOUND", "a customer under this address")
        })?
    } else {
        CustomerId(tenant.number("name", &request.name, "customers")?)
    };
    let mut kept = look_up_now(tenant, id).await?.ok_or_else(|| no_such(id))?;
    let now_ms = now_ms(tenant);
    let place = (!request.place.is_empty()).then_some(request.place.as_str());
    let ruling = tenant.rules.now();
    let facts =
        kept.facts(&AskedFacts { about: 0, within_ms: 0, leaving_out: None, now_ms, words: &ruling.words });
    let mut card = Wire::with_room(4_096);
    // No interaction has the number 0.
    with_pen(tenant, |pen| shown_card(tenant, &mut card, &kept.card(0, now_ms, pen), place, now_ms));
    let card = proto::Card::decode(card.finish()).expect("it was written as a card");
    let (sentiment, sentiment_trend) = (facts.sentiment.map(i32::from), facts.sentiment_trend.into());
    Ok(proto::Card { sentiment, sentiment_trend, ..card })
}

/// Makes two customers one person.
pub async fn link(tenant: &Arc<Tenant>, request: &proto::LinkRequest) -> Result<proto::Customer, ApiError> {
    let customer = CustomerId(tenant.number("name", &request.name, "customers")?);
    let into = CustomerId(tenant.number("into", &request.into, "customers")?);
    let reason = reason(&request.by, &request.reason)?;
    let linking = Linking { customer, into, reason, now_ms: now_ms(tenant) };
    let recents = tenant.recents.clone();
    let linked = asked(|reply| {
        tenant.customers.link(linking, move |linked| {
            linked.iter().flatten().for_each(|person| recents.is_one(person));
            reply(linked);
        });
    });
    let person = linked.await?.map_err(|refused| match refused {
        NotLinked::Unknown(id) if id == into => {
            ApiError::not_found("into", "CUSTOMER_NOT_FOUND", &format!("customer {id}"))
        }
        NotLinked::Unknown(id) => no_such(id),
        NotLinked::TooMany { .. } => {
            ApiError::new(Code::FailedPrecondition, "TOO_MANY_LINKED", refused.to_string())
        }
    })?;
    Ok(show_customer(tenant, &person))
}

/// Undoes a link.
pub async fn unlink(
    tenant: &Arc<Tenant>,
    request: &proto::UnlinkRequest,
) -> Result<proto::Customer, ApiError> {
    let customer = CustomerId(tenant.number("name", &request.name, "customers")?);
    let reason = reason(&request.by, &request.reason)?;
    let unlinking = Unlinking { customer, reason, now_ms: now_ms(tenant) };
    let owner = tenant.clone();
    let unlinked = asked(|reply| {
        tenant.customers.unlink(unlinking, move |unlinked| {
            unlinked.iter().flatten().flatten().for_each(|person| owner.recents.is_one(person));
            // An address of theirs may be known under the number they were seen under.
            owner.known.forget();
            reply(unlinked);
        });
    });
    let [person, _] = unlinked.await?.map_err(|refused| match refused {
        NotUnlinked::Unknown(id) => no_such(id),
        NotUnlinked::NotLinked(_) => {
            ApiError::new(Code::FailedPrecondition, "NOT_LINKED", refused.to_string())
        }
    })?;
    Ok(show_customer(tenant, &person))
}

/// Sets one thing a customer wants, or is.
pub async fn set_preference(
    tenant: &Arc<Tenant>,
    request: &proto::SetPreferenceRequest,
) -> Result<proto::Customer, ApiError> {
    let customer = CustomerId(tenant.number("parent", &request.parent, "customers")?);
    let wanted =
        "a consent, a preferred channel, a language, a tier, a name, whether a minor, or a contact person";
    let asked_for = request.preference.as_ref().ok_or_else(|| ApiError::missing("preference", wanted))?;
    let preference = preference(tenant, asked_for)?.checked().map_err(input("preference"))?;
    let withdraws = matches!(preference, Preference::Consent { allowed: false, .. });
    let reason = reason(&request.by, &request.reason)?;
    let preferring = Preferring { customer, preference, reason, now_ms: now_ms(tenant) };
    let recents = tenant.recents.clone();
    let preferred = asked(|reply| {
        tenant.customers.prefer(preferring, move |preferred| {
            preferred.iter().flatten().for_each(|person| recents.is_one(person));
            reply(preferred);
        });
    });
    let person = preferred.await?.map_err(|refused| match refused {
        NotPreferred::Unknown(id) => not_found(id),
        NotPreferred::UnknownContactPerson(id) => {
            ApiError::not_found("contact_person", "CUSTOMER_NOT_FOUND", &format!("customer {id}"))
        }
        NotPreferred::OwnContactPerson => {
            ApiError::field("contact_person", "the customer themselves", "another customer")
        }
        NotPreferred::TooManyConsents => {
            ApiError::new(Code::FailedPrecondition, "TOO_MANY_CONSENTS", refused.to_string())
        }
    })?;
    if withdraws {
        take_back_unwanted(tenant, &person).await?;
    }
    Ok(show_customer(tenant, &person))
}

fn preference(tenant: &Tenant, asked: &Asked) -> Result<Preference, ApiError> {
    Ok(match asked {
        Asked::Consent(consent) => {
            if consent.time.is_some() || !consent.by.is_empty() {
                let wanted = "nothing: the server fills it in";
                return Err(ApiError::field("consent", "a time, or a name", wanted));
            }
            Preference::Consent {
                channel: any_channel("consent.channel", consent.channel)?,
                address: consent
                    .address
                    .as_ref()
                    .map(|address| parse_address(tenant, "consent.address", address))
                    .transpose()?,
                allowed: consent.allowed,
            }
        }
        Asked::PreferredChannel(code) => {
            Preference::PreferredChannel(any_channel("preferred_channel", *code)?)
        }
        Asked::Language(text) => Preference::Language(plain("preference.language", text)?),
        Asked::Tier(text) => Preference::Tier(plain("preference.tier", text)?),
        Asked::DisplayName(text) => Preference::DisplayName(text.trim().to_owned()),
        Asked::Minor(minor) => Preference::Minor(*minor),
        Asked::ContactPerson(name) if name.is_empty() => Preference::ContactPerson(None),
        Asked::ContactPerson(name) => {
            Preference::ContactPerson(Some(CustomerId(tenant.number("contact_person", name, "customers")?)))
        }
    })
}

/// A code that rules are told, and the journal therefore has in clear: nothing that could name somebody.
fn plain(field: &'static str, text: &str) -> Result<String, ApiError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
    match text.chars().find(|c| !fits(*c)) {
        None => Ok(text.to_owned()),
        Some(found) => {
            Err(ApiError::field(field, &format!("{found:?} in it"), "letters, digits, -, _ and . alone"))
        }
    }
}

/// A channel, or 0 for none in particular.
pub fn any_channel(field: &'static str, code: i32) -> Result<u8, ApiError> {
    match code {
        0 => Ok(0),
        code => Ok(channel(field, code)? as u8),
    }
}

fn reason(by: &str, why: &str) -> Result<Reason, ApiError> {
    Reason { by: by.to_owned(), why: why.to_owned() }.checked().map_err(input("by"))
}

/// Whether something may be sent to a customer.
pub async fn may_contact(
    tenant: &Arc<Tenant>,
    request: &proto::MayContactRequest,
) -> Result<proto::MayContactResponse, ApiError> {
    let on = channel("channel", request.channel)? as u8;
    let address =
        request.address.as_ref().map(|address| parse_address(tenant, "address", address)).transpose()?;
    let of_tenant = is_tenant(&request.parent);
    let customer = match &address {
        None if of_tenant => return Err(ApiError::missing("address", "where it would be sent")),
        Some(address) if of_tenant => match known(tenant, address.clone()).await? {
            Some(customer) => customer,
            None => return Ok(proto::MayContactResponse { allowed: true, ..Default::default() }),
        },
        _ => CustomerId(tenant.number("parent", &request.parent, "customers")?),
    };
    let person = profile(tenant, customer).await?;
    let mut refused = person.may_be_sent(on, address.as_ref()).err();
    // An address may be somebody else's, and they may have said something of it.
    if let (None, false, Some(address)) = (&refused, of_tenant, &address)
        && let Some(owner) = known(tenant, address.clone()).await?
    {
        refused = profile(tenant, owner).await?.may_be_sent(on, Some(address)).err();
    }
    Ok(refused.map_or(proto::MayContactResponse { allowed: true, ..Default::default() }, |refused| {
        let (reason, _) = words(&refused);
        let contact_person = person.contact_person.map(|one| tenant.name_of("customers", one));
        let (since_ms, by) = match refused {
            NotAllowed::Withdrawn { since_ms, by } => (Some(since_ms), by),
            NotAllowed::Minor { .. } => (None, String::new()),
        };
        proto::MayContactResponse {
            allowed: false,
            reason: reason.to_owned(),
            time: since_ms.map(time),
            by,
            contact_person: contact_person.unwrap_or_default(),
        }
    }))
}

fn words(refused: &NotAllowed) -> (&'static str, String) {
    let reason = match refused {
        NotAllowed::Withdrawn { .. } => "CONSENT_WITHDRAWN",
        NotAllowed::Minor { .. } => "MINOR_WITHOUT_CONSENT",
    };
    (reason, refused.to_string())
}

/// Nothing may be sent: why, and who said so or who may be asked.
pub fn not_allowed(tenant: &Tenant, refused: &NotAllowed) -> ApiError {
    let (reason, message) = words(refused);
    let error = ApiError::new(Code::FailedPrecondition, reason, message);
    match refused {
        NotAllowed::Withdrawn { since_ms, by } => {
            error.telling("time", &super::promises::written(*since_ms)).telling("by", by)
        }
        NotAllowed::Minor { contact_person } => {
            let name = contact_person.map(|one| tenant.name_of("customers", one)).unwrap_or_default();
            error.telling("contact_person", &name)
        }
    }
}

/// Who is known under an address, without making them known.
async fn known(tenant: &Tenant, address: Address) -> Result<Option<CustomerId>, ApiError> {
    asked(|reply| tenant.customers.find(address, reply)).await
}

/// Who changed what.
pub async fn list_changes(
    tenant: &Arc<Tenant>,
    request: &proto::ListChangesRequest,
) -> Result<proto::ListChangesResponse, ApiError> {
    let id = CustomerId(tenant.number("parent", &request.parent, "customers")?);
    let changes = asked(|reply| tenant.customers.changes(id, reply)).await?.ok_or_else(|| not_found(id))?;
    let changes = changes.into_iter().map(|change| proto::Change {
        time: Some(time(change.time_ms)),
        customer: tenant.name_of("customers", change.customer),
        what: change.what,
        by: change.reason.by,
        reason: change.reason.why,
    });
    Ok(proto::ListChangesResponse { changes: changes.collect() })
}
