//! What an error says: code, stable reason, domain, the field to blame, when to come back, where to send the
//! customer.

use baton::api::DOMAIN;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Code, reason and the field to blame, empty if none is.
pub type Wanted<'a> = (Code, &'a str, &'a str);

/// What a case is called, the change that makes a message wrong, and the refusal it brings.
pub type Case<T> = (&'static str, fn(&mut T), Wanted<'static>);

/// An error as documented: code, reason and, where one is to blame, the field.
pub fn assert_refused<T: std::fmt::Debug>(
    case: &str,
    answer: Result<T, Status>,
    (code, reason, field): Wanted<'_>,
) {
    let status = match answer {
        Err(status) => status,
        Ok(answer) => panic!("{case}: want {reason}, was answered {answer:?}"),
    };
    assert_eq!(status.code(), code, "{case}: {status:?}");
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("{case}: no ErrorInfo in {status:?}"));
    assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason, DOMAIN), "{case}");
    let fields: Vec<&str> = details
        .bad_request()
        .map(|bad| bad.field_violations.iter().map(|violation| violation.field.as_str()).collect())
        .unwrap_or_default();
    let wanted: Vec<&str> = if field.is_empty() { vec![] } else { vec![field] };
    assert_eq!(fields, wanted, "{case}: the field to blame");
    let again = code == Code::ResourceExhausted || reason == "STOPPING";
    let retry = details.retry_info().map(|info| info.retry_delay.expect("RetryInfo says when"));
    assert_eq!(retry.is_some(), again, "{case}: RetryInfo");
    let ms = retry.map_or(500, |delay| delay.as_millis());
    assert!((500..1_500).contains(&ms), "{case}: to be tried again in {ms} ms");
    assert!(!status.message().is_empty() && !status.message().ends_with('.'), "{case}: {status:?}");
    assert!(status.message().len() < 1_000, "{case}: an error of {} bytes", status.message().len());
}

/// The fallback an error repeats.
pub fn fallback(status: &Status) -> Option<String> {
    status.get_error_details().error_info()?.metadata.get("fallback").cloned()
}

pub fn invalid(field: &str) -> Wanted<'_> {
    (Code::InvalidArgument, "FIELD_INVALID", field)
}

pub fn missing(field: &str) -> Wanted<'_> {
    (Code::InvalidArgument, "FIELD_MISSING", field)
}

pub fn unknown<'a>(reason: &'a str, field: &'a str) -> Wanted<'a> {
    (Code::NotFound, reason, field)
}

pub fn failed(reason: &str) -> Wanted<'_> {
    (Code::FailedPrecondition, reason, "")
}
