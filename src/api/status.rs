//! Refusals and faults as gRPC statuses: one table, stable reasons, the field named wherever one is to blame.

use super::convert::real;
use crate::customers::StoreFault;
use crate::engine::command::Refusal;
use crate::journal::Fault;
use crate::observe;
use crate::proto;
use crate::rulebook::{BookError, Refused};
use crate::runtime::inbox::AskError;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of every reason.
pub const DOMAIN: &str = "baton";
/// The server is about to end, or has.
pub const STOPPING: &str = "STOPPING";
/// Longest fallback, in characters.
pub const FALLBACK_MAX: usize = 256;
/// Longest text that an error tells, in characters. Errors travel in headers, and many clients take 8 KiB of those.
const TOLD_MAX: usize = 200;
/// The same for the one text that an error is about.
const TOLD_AT_LENGTH_MAX: usize = 1_500;
/// What a client that was turned away for load, or by a server that stops, is asked to wait, in ms: from so many to
/// that many. Those who were turned away together should not all come back together.
const RETRY_AFTER_MS: std::ops::Range<u64> = 500..1_500;

/// An error on its way out.
#[derive(Clone, Debug)]
pub struct ApiError {
    code: Code,
    reason: &'static str,
    message: String,
    field: Option<String>,
    fallback: Option<String>,
    /// More that a program may read, by name.
    told: Vec<(&'static str, String)>,
}

impl ApiError {
    /// An error that no single field is to blame for.
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> ApiError {
        ApiError { code, reason, message: message.into(), field: None, fallback: None, told: Vec::new() }
    }

    /// A field that is wrong: what came, and what would be right.
    pub fn field(field: impl Into<String>, got: &str, wanted: &str) -> ApiError {
        let field = field.into();
        let message = format!("{field}: got {got}, want {wanted}");
        ApiError { field: Some(field), ..ApiError::new(Code::InvalidArgument, "FIELD_INVALID", message) }
    }

    /// A required field that is missing.
    pub fn missing(field: &'static str, wanted: &str) -> ApiError {
        let message = format!("{field}: got nothing, want {wanted}");
        ApiError {
            field: Some(field.into()),
            ..ApiError::new(Code::InvalidArgument, "FIELD_MISSING", message)
        }
    }

    /// Something a field names does not exist.
    pub fn not_found(field: &'static str, reason: &'static str, name: &str) -> ApiError {
        let message = format!("{field}: {name} does not exist");
        ApiError { field: Some(field.into()), ..ApiError::new(Code::NotFound, reason, message) }
    }

    /// The same error, with something more that a program may read; cut with `…` if it is long.
    pub fn telling(self, name: &'static str, value: &str) -> ApiError {
        self.telling_up_to(TOLD_MAX, name, value)
    }

    /// The same for what an error is about, which may be longer. Once in an error.
    pub fn telling_at_length(self, name: &'static str, value: &str) -> ApiError {
        self.telling_up_to(TOLD_AT_LENGTH_MAX, name, value)
    }

    fn telling_up_to(mut self, most: usize, name: &'static str, value: &str) -> ApiError {
        let value = match value.char_indices().nth(most) {
            Some((end, _)) => format!("{}…", &value[..end]),
            None => value.to_owned(),
        };
        self.told.push((name, value));
        self
    }

    /// The same error blaming a field.
    pub fn blaming(self, field: &'static str) -> ApiError {
        ApiError { field: Some(field.into()), ..self }
    }

    /// The same error; if it blames a field, then this one, which has another name in this request.
    pub fn naming(self, field: &'static str) -> ApiError {
        match self.field {
            Some(_) => self.blaming(field),
            None => self,
        }
    }

    /// The same error repeating the caller's fallback. One that is far too long is not repeated: errors travel in
    /// headers, which have no room for it, and the caller would get none at all.
    pub fn with_fallback(self, fallback: &str) -> ApiError {
        let repeated = (1..=4 * FALLBACK_MAX).contains(&fallback.len());
        ApiError { fallback: repeated.then(|| fallback.to_owned()), ..self }
    }

    /// When it is worth trying again, if it is.
    fn retry_after(&self) -> Option<Duration> {
        (self.code == Code::ResourceExhausted || self.reason == STOPPING).then(next_retry)
    }

    /// The gRPC code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// What to tell people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Each time another, dealt evenly: the next of Weyl's sequence by the golden ratio.
fn next_retry() -> Duration {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    static DEALT: AtomicU64 = AtomicU64::new(0);
    let dealt = DEALT.fetch_add(GOLDEN, Ordering::Relaxed);
    let spread = u128::from(dealt) * u128::from(RETRY_AFTER_MS.end - RETRY_AFTER_MS.start);
    let spread = u64::try_from(spread >> 64).expect("a product of two 64-bit numbers has 64 bits above");
    Duration::from_millis(RETRY_AFTER_MS.start + spread)
}

impl From<ApiError> for proto::Failure {
    fn from(error: ApiError) -> proto::Failure {
        observe::refused(error.reason);
        let retry_after = error.retry_after().map(real);
        proto::Failure {
            code: error.code as i32,
            reason: error.reason.to_owned(),
            message: error.message,
            field: error.field.unwrap_or_default(),
            retry_after,
        }
    }
}

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Status {
        observe::refused(error.reason);
        let retry_after = error.retry_after();
        let fallback = error.fallback.map(|fallback| ("fallback", fallback));
        let told = fallback.into_iter().chain(error.told);
        let metadata: HashMap<String, String> = told.map(|(name, value)| (name.to_owned(), value)).collect();
        let mut details = ErrorDetails::with_error_info(error.reason, DOMAIN, metadata);
        if let Some(field) = error.field {
            details.add_bad_request_violation(field, error.message.clone());
        }
        if retry_after.is_some() {
            details.set_retry_info(retry_after);
        }
        Status::with_error_details(error.code, error.message, details)
    }
}

impl From<AskError> for ApiError {
    fn from(error: AskError) -> ApiError {
        match error {
            AskError::Refused(refusal) => refusal.into(),
            AskError::Busy => ApiError::new(Code::ResourceExhausted, "OVERLOADED", error.to_string()),
            AskError::Delayed { waited, .. } => {
                let waited = waited.as_millis().to_string();
                let error = ApiError::new(Code::ResourceExhausted, "OVERLOADED", error.to_string());
                error.telling("waited_ms", &waited)
            }
            AskError::Stopped => ApiError::new(Code::Unavailable, STOPPING, error.to_string()),
        }
    }
}

impl From<StoreFault> for ApiError {
    fn from(fault: StoreFault) -> ApiError {
        let (code, reason) = match fault {
            StoreFault::Overloaded { .. } => (Code::ResourceExhausted, "OVERLOADED"),
            _ => (Code::Unavailable, "CUSTOMER_STORE_UNAVAILABLE"),
        };
        ApiError::new(code, reason, fault.to_string())
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> ApiError {
        ApiError::new(Code::Unavailable, "RULEBOOK_UNAVAILABLE", fault.to_string())
    }
}

impl From<BookError> for ApiError {
    fn from(error: BookError) -> ApiError {
        let refused = match error {
            BookError::Fault(fault) => return fault.into(),
            BookError::Refused(refused) => refused,
        };
        let (code, reason, field) = match &refused {
            Refused::StaleEtag { .. } => (Code::Aborted, "ETAG_MISMATCH", Some("etag")),
            Refused::NoDraft => (Code::FailedPrecondition, "NO_DRAFT", None),
            Refused::VersionUnknown { .. } => (Code::NotFound, "VERSION_NOT_FOUND", Some("version")),
            Refused::NothingBeside => (Code::NotFound, "NOTHING_BESIDE", None),
            Refused::InForceAlready { .. } => (Code::FailedPrecondition, "IN_FORCE_ALREADY", None),
            Refused::BaseOvertaken { .. } => (Code::Aborted, "BASE_OVERTAKEN", None),
            Refused::SamePerson { .. } => (Code::FailedPrecondition, "FOUR_EYES_SAME_PERSON", None),
            Refused::NumberTooHigh { .. } => (Code::InvalidArgument, "FIELD_INVALID", Some("text")),
        };
        ApiError { field: field.map(str::to_owned), ..ApiError::new(code, reason, refused.to_string()) }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        let (code, reason, field) = row(&refusal);
        ApiError { field: field.map(str::to_owned), ..ApiError::new(code, reason, refusal.to_string()) }
    }
}

/// Each refusal's code, reason and, where the request has one for it, field.
fn row(refusal: &Refusal) -> (Code, &'static str, Option<&'static str>) {
    use crate::engine::floor::Kind;
    match refusal {
        Refusal::NotDefined { kind: Kind::Pool, .. } => (Code::NotFound, "POOL_NOT_FOUND", Some("pool")),
        Refusal::NotDefined { kind: Kind::Skill, .. } => (Code::NotFound, "SKILL_NOT_FOUND", Some("skill")),
        Refusal::NotDefined { kind: Kind::Queue, .. } => (Code::NotFound, "QUEUE_NOT_FOUND", Some("queue")),
        Refusal::NotDefined { kind: Kind::Agent, .. } => (Code::NotFound, "AGENT_NOT_FOUND", Some("agent")),
        Refusal::NotDefined { kind: Kind::Group, .. } => (Code::NotFound, "GROUP_NOT_FOUND", Some("group")),
        Refusal::NotDefined { kind: Kind::Hours, .. } => (Code::NotFound, "HOURS_NOT_FOUND", Some("hours")),
        Refusal::AlreadyDefined { .. } => (Code::AlreadyExists, "ALREADY_EXISTS", None),
        Refusal::EtagMismatch { .. } => (Code::Aborted, "ETAG_MISMATCH", Some("etag")),
        Refusal::InUse { .. } => (Code::FailedPrecondition, "IN_USE", None),
        Refusal::TooMany { .. } => (Code::ResourceExhausted, "TOO_MANY", None),
        Refusal::SignedIn => (Code::FailedPrecondition, "AGENT_SIGNED_IN", Some("agent.pool")),
        Refusal::RequestIdReused => (Code::AlreadyExists, "REQUEST_ID_REUSED", None),
        Refusal::QueueFull { .. } => (Code::ResourceExhausted, "QUEUE_FULL", None),
        Refusal::TooManyLanes { .. } => (Code::ResourceExhausted, "TOO_MANY_LANES", None),
        Refusal::IntakeMemoryFull { .. } => (Code::ResourceExhausted, "INTAKE_MEMORY_FULL", None),
        Refusal::TooManySources { .. } => (Code::ResourceExhausted, "TOO_MANY_SOURCES", None),
        Refusal::ParametersOld { .. } => (Code::Aborted, "PARAMETERS_OLD", None),
        Refusal::ParameterOutOfRange { field, .. } => (Code::InvalidArgument, "FIELD_INVALID", Some(field)),
        Refusal::DuePast { .. } => (Code::InvalidArgument, "DUE_TIME_PAST", Some("interaction.due_time")),
        Refusal::InteractionUnknown => (Code::NotFound, "INTERACTION_NOT_FOUND", None),
        Refusal::PlanOvertaken { .. } => (Code::Aborted, "PLAN_OVERTAKEN", None),
        Refusal::AgentUnknown => (Code::NotFound, "AGENT_NOT_FOUND", Some("agent")),
        Refusal::SessionUnknown => (Code::NotFound, "SESSION_NOT_FOUND", Some("session")),
        Refusal::NoSession => (Code::FailedPrecondition, "NO_SESSION", None),
        Refusal::OfferUnknown => (Code::NotFound, "OFFER_NOT_FOUND", Some("offer")),
        Refusal::OfferExpired => (Code::FailedPrecondition, "OFFER_EXPIRED", None),
        Refusal::OfferRescinded => (Code::FailedPrecondition, "OFFER_RESCINDED", None),
        Refusal::OfferDeclined => (Code::FailedPrecondition, "OFFER_DECLINED", None),
        Refusal::OfferAccepted | Refusal::OfferTaken => (Code::FailedPrecondition, "OFFER_TAKEN", None),
        Refusal::AssignmentUnknown => (Code::NotFound, "ASSIGNMENT_NOT_FOUND", Some("assignment")),
        Refusal::AssignmentEnded => (Code::FailedPrecondition, "ASSIGNMENT_ENDED", None),
        Refusal::NotWrappingUp => (Code::FailedPrecondition, "NOT_WRAPPING_UP", None),
        Refusal::QueueClosed { .. } => (Code::FailedPrecondition, "QUEUE_CLOSED", None),
        Refusal::WrapUpMandatory { .. } => (Code::FailedPrecondition, "WRAP_UP_MANDATORY", None),
        Refusal::NoExtensionLeft { .. } => (Code::FailedPrecondition, "NO_EXTENSION_LEFT", None),
        Refusal::WrongState { .. } => (Code::FailedPrecondition, "WRONG_STATE", None),
        Refusal::ConnectedAlready => (Code::FailedPrecondition, "CONNECTED_ALREADY", None),
        Refusal::NotOwner => (Code::FailedPrecondition, "NOT_OWNER", None),
        Refusal::TransferLimit { .. } => (Code::FailedPrecondition, "TRANSFER_LIMIT", None),
        Refusal::SeekingAlready => (Code::FailedPrecondition, "SEEKING_ALREADY", None),
        Refusal::NotSeeking => (Code::FailedPrecondition, "NOT_SEEKING", None),
        Refusal::NotConsulted => (Code::FailedPrecondition, "NOT_CONSULTED", None),
        Refusal::NotParkable { .. } => (Code::FailedPrecondition, "NOT_PARKABLE", None),
        Refusal::PullNotAllowed => (Code::FailedPrecondition, "PULL_NOT_ALLOWED", None),
        Refusal::AgentCannot { .. } => (Code::FailedPrecondition, "AGENT_CANNOT", None),
        Refusal::WindowInvalid { .. } => (Code::InvalidArgument, "WINDOW_INVALID", Some("until_time")),
        Refusal::PriorityOutOfRange { .. } => (Code::InvalidArgument, "PRIORITY_INVALID", Some("priority")),
        Refusal::TimeZoneUnknown { .. } => {
            (Code::InvalidArgument, "TIME_ZONE_UNKNOWN", Some("hours.time_zone"))
        }
        Refusal::Poisoned { .. } => (Code::FailedPrecondition, "POISONED", None),
        Refusal::TimeRunsBack { .. } => (Code::Internal, "TIME_RUNS_BACK", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intake_that_is_shed_is_told_why_when_to_come_back_and_where_to_send_the_customer() {
        let (waited, target) = (Duration::from_millis(250), Duration::from_millis(100));
        let error = ApiError::from(AskError::Delayed { waited, target }).with_fallback("voicemail");
        let status = Status::from(error);
        assert_eq!(status.code(), Code::ResourceExhausted);
        let details = status.get_error_details();
        let info = details.error_info().expect("a reason");
        assert_eq!((info.reason.as_str(), info.metadata["fallback"].as_str()), ("OVERLOADED", "voicemail"));
        assert_eq!(info.metadata["waited_ms"], "250");
        assert!(details.retry_info().is_some());
    }

    #[test]
    fn those_who_were_turned_away_together_are_told_to_come_back_apart() {
        let mut told: Vec<u128> = (0..100).map(|_| next_retry().as_millis()).collect();
        told.sort_unstable();
        assert!(told[0] >= 500 && told[99] < 1_500, "{told:?}");
        // Tests beside this one are told times too, so gaps may be wider than a hundredth.
        assert!(told.windows(2).all(|pair| pair[1] - pair[0] < 200), "{told:?}");
    }
}
