//! Who may do what. On loopback without a token file everybody is the tenant `default`; with one, every call needs
//! `authorization: Bearer TOKEN`. Tokens are compared by their hashes.

use super::status::ApiError;
use ring::digest::{SHA256, digest};
use std::collections::BTreeMap;
use std::path::Path;
use thiserror::Error;
use tonic::Code;
use tonic::metadata::MetadataMap;

/// The tenant of those who need no token.
pub const DEFAULT_TENANT: &str = "default";
/// The name of those who need no token: nobody knows who they are.
pub const UNAUTHENTICATED: &str = "unauthenticated";
/// The name of what the server does by itself.
pub const SERVER: &str = "server";

/// What the holder of a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Submits interactions and holds agents' sessions.
    Platform,
    /// Works: agents' and customers' services.
    Agent,
    /// Everything.
    Supervisor,
}

/// The services, as rights know them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Service {
    Interactions,
    Agents,
    Customers,
    Floor,
    Supervision,
    Rules,
    /// The one method of `Customers` that destroys.
    Erase,
}

impl Role {
    fn may(self, service: Service) -> bool {
        match self {
            Role::Supervisor => true,
            Role::Platform => {
                matches!(service, Service::Interactions | Service::Agents | Service::Customers)
            }
            Role::Agent => matches!(service, Service::Agents | Service::Customers),
        }
    }
}

#[derive(Clone, Debug)]
struct Grant {
    tenant: String,
    role: Role,
    /// Whose token it is. Several may be the same person's.
    name: String,
}

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller<'a> {
    pub tenant: &'a str,
    pub name: &'a str,
}

/// Who may come in.
#[derive(Clone, Debug)]
pub enum Access {
    /// Loopback without tokens.
    Open,
    /// By token.
    Tokens(Tokens),
}

/// Grants by the hash of their token.
#[derive(Clone, Debug)]
pub struct Tokens(BTreeMap<Vec<u8>, Grant>);

/// Why a token file is not accepted.
#[derive(Debug, Error)]
pub enum TokensError {
    #[error("cannot read the token file {path}: {source}")]
    Io { path: String, source: std::io::Error },
    #[error(
        "token file {path}, line {line}: {got}; want `TOKEN TENANT ROLE NAME`, the token 16 characters or more, the role one of platform, agent, supervisor"
    )]
    Line { path: String, line: usize, got: String },
    #[error("the token file {path} holds no token")]
    Empty { path: String },
}

impl Tokens {
    /// Reads a file with one `TOKEN TENANT ROLE NAME` a line; blank lines and those that begin with `#` are passed
    /// over.
    pub fn read(path: &Path) -> Result<Tokens, TokensError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| TokensError::Io { path: shown.clone(), source })?;
        Tokens::parse(&text, &shown)
    }

    fn parse(text: &str, path: &str) -> Result<Tokens, TokensError> {
        let mut grants = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |got: &str| TokensError::Line { path: path.into(), line: index + 1, got: got.into() };
            let words: Vec<&str> = line.split_whitespace().collect();
            let [token, tenant, role, name] = words[..] else {
                return Err(wrong(&format!("{} words", words.len())));
            };
            if token.len() < 16 {
                return Err(wrong(&format!("a token of {} characters", token.len())));
            }
            let role = match role {
                "platform" => Role::Platform,
                "agent" => Role::Agent,
                "supervisor" => Role::Supervisor,
                other => return Err(wrong(&format!("role {other:?}"))),
            };
            if super::names::chosen_id("tenant", tenant).is_err() {
                return Err(wrong(&format!("tenant {tenant:?}")));
            }
            if [UNAUTHENTICATED, SERVER].contains(&name) {
                return Err(wrong(&format!("name {name:?}, which stands for nobody")));
            }
            let (tenant, name) = (tenant.to_owned(), name.to_owned());
            grants.insert(hash(token), Grant { tenant, role, name });
        }
        if grants.is_empty() { Err(TokensError::Empty { path: path.into() }) } else { Ok(Tokens(grants)) }
    }

    /// The tenants that are named.
    pub fn tenants(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|grant| grant.tenant.as_str())
    }
}

impl Access {
    /// The tenant of a caller, if they may use a service.
    pub fn tenant(&self, metadata: &MetadataMap, service: Service) -> Result<&str, ApiError> {
        Ok(self.caller(metadata, service)?.tenant)
    }

    /// Who calls, if they may use a service.
    pub fn caller(&self, metadata: &MetadataMap, service: Service) -> Result<Caller<'_>, ApiError> {
        let Access::Tokens(Tokens(grants)) = self else {
            return Ok(Caller { tenant: DEFAULT_TENANT, name: UNAUTHENTICATED });
        };
        let token = metadata
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(|| {
                unauthenticated("no token came; want the metadata `authorization: Bearer TOKEN`")
            })?;
        let grant = grants.get(&hash(token)).ok_or_else(|| unauthenticated("the token is not known"))?;
        if grant.role.may(service) {
            return Ok(Caller { tenant: &grant.tenant, name: &grant.name });
        }
        let message = format!("the role {:?} may not use the service {service:?}", grant.role);
        Err(ApiError::new(Code::PermissionDenied, "ROLE_INSUFFICIENT", message))
    }
}

fn unauthenticated(message: &str) -> ApiError {
    ApiError::new(Code::Unauthenticated, "TOKEN_REQUIRED", message)
}

fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(token: &str) -> MetadataMap {
        let mut map = MetadataMap::new();
        map.insert("authorization", format!("Bearer {token}").parse().expect("plain text"));
        map
    }

    #[test]
    fn a_token_opens_its_tenant_and_only_what_its_role_may_use() {
        let file = "# staff\n0123456789abcdef shop supervisor boss\n\nfedcba9876543210 bank platform pbx\n";
        let access = Access::Tokens(Tokens::parse(file, "tokens").expect("the file is right"));
        assert_eq!(access.tenant(&metadata("0123456789abcdef"), Service::Floor).ok(), Some("shop"));
        assert_eq!(access.tenant(&metadata("fedcba9876543210"), Service::Interactions).ok(), Some("bank"));
        let boss = access.caller(&metadata("0123456789abcdef"), Service::Rules).expect("a supervisor");
        assert_eq!(boss, Caller { tenant: "shop", name: "boss" });
        let denied = access.tenant(&metadata("fedcba9876543210"), Service::Floor).expect_err("a platform");
        assert_eq!((denied.code(), denied.reason()), (Code::PermissionDenied, "ROLE_INSUFFICIENT"));
        let unknown = access.tenant(&metadata("0123456789abcdeX"), Service::Floor).expect_err("unknown");
        assert_eq!(unknown.code(), Code::Unauthenticated);
        let nothing = access.tenant(&MetadataMap::new(), Service::Floor).expect_err("no token");
        assert_eq!(nothing.code(), Code::Unauthenticated);
    }

    #[test]
    fn a_wrong_line_is_named() {
        for wrong in [
            "",
            "short t agent x",
            "0123456789abcdef t king x",
            "0123456789abcdef T agent x",
            "0123456789abcdef t agent",
            "0123456789abcdef t agent unauthenticated",
            "0123456789abcdef t agent server",
        ] {
            assert!(Tokens::parse(wrong, "tokens").is_err(), "{wrong}");
        }
    }
}
