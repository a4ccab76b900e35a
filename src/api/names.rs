//! Resource names: `tenants/{t}/{collection}/{id}`. Parsed once, at the edge.

use super::status::ApiError;

/// The tenant of a name and what follows it.
pub fn tenant_of<'a>(field: &'static str, name: &'a str) -> Result<&'a str, ApiError> {
    let mut parts = name.split('/');
    match (parts.next(), parts.next()) {
        (Some("tenants"), Some(tenant)) if !tenant.is_empty() => Ok(tenant),
        _ => Err(ApiError::field(field, &shown(name), "a name that begins with `tenants/{tenant}`")),
    }
}

/// The id of `tenants/{t}/{collection}/{id}`.
pub fn id<'a>(field: &'static str, name: &'a str, collection: &'static str) -> Result<&'a str, ApiError> {
    tenant_of(field, name)?;
    let mut parts = name.split('/').skip(2);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(found), Some(id), None) if found == collection && !id.is_empty() => Ok(id),
        _ => Err(ApiError::field(field, &shown(name), &format!("`tenants/{{tenant}}/{collection}/{{id}}`"))),
    }
}

/// The number of `tenants/{t}/{collection}/{number}`.
pub fn number(field: &'static str, name: &str, collection: &'static str) -> Result<u64, ApiError> {
    let id = id(field, name, collection)?;
    let wanted =
        || ApiError::field(field, &shown(name), &format!("`tenants/{{tenant}}/{collection}/{{number}}`"));
    id.parse().ok().filter(|number| *number > 0).ok_or_else(wanted)
}

/// An id that people choose: 1 to 63 of `a-z 0-9 - _ .`, starting with a letter or digit.
pub fn chosen_id<'a>(field: &'static str, id: &'a str) -> Result<&'a str, ApiError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let starts = id.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if starts && id.len() <= 63 && id.chars().all(fits) {
        return Ok(id);
    }
    let wanted = "1 to 63 of a-z 0-9 - _ . beginning with a letter or digit";
    Err(ApiError::field(field, &shown(id), wanted))
}

/// What came, short enough to repeat in an error.
pub fn shown(value: &str) -> String {
    match value.char_indices().nth(64) {
        Some((end, _)) => format!("{:?}… ({} characters)", &value[..end], value.chars().count()),
        None => format!("{value:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_its_parts_and_anything_else_is_refused_by_field() {
        assert_eq!(id("queue", "tenants/t/queues/sales", "queues").ok(), Some("sales"));
        assert_eq!(number("name", "tenants/t/offers/7", "offers").ok(), Some(7));
        for wrong in [
            "",
            "sales",
            "tenants//queues/x",
            "tenants/t/queues/",
            "tenants/t/agents/x",
            "tenants/t/queues/a/b",
        ] {
            assert!(id("queue", wrong, "queues").is_err(), "{wrong}");
        }
        for wrong in ["tenants/t/offers/0", "tenants/t/offers/-1", "tenants/t/offers/x"] {
            assert!(number("name", wrong, "offers").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_chosen_id_is_short_and_plain() {
        assert!(chosen_id("id", "a.b-c_9").is_ok());
        for wrong in ["", "-a", "A", "a b", "ä", &"x".repeat(64)] {
            assert!(chosen_id("id", wrong).is_err(), "{wrong}");
        }
    }
}
