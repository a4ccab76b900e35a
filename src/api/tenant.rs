//! A tenant as the services see it: the way to its shard, its customers, its leases and its rules.

use super::access::{Access, Caller, Service};
pub use super::in_force::{InForce, Ruling};
use super::in_hand::{Entered, InHand};
pub use super::known::Known;
use super::names::{self, shown};
pub use super::publishing::Publishing;
pub use super::shadow::{WITNESSES_MAX, Witness, compare_all};
use super::status::ApiError;
pub use super::surroundings::{Surroundings, keep_looking};
pub use super::tickets::Tickets;
use crate::customers::{Customers, Home};
use crate::engine::ids::{InteractionId, SessionId};
use crate::journal::Erasures;
use crate::runtime::clock::Clock;
use crate::runtime::fates::ByVersion;
use crate::runtime::forgotten::Forgotten;
use crate::runtime::inbox::ShardHandle;
use crate::runtime::leases::Leases;
use crate::runtime::payload::Held;
use crate::runtime::pupil::Outlook;
use crate::runtime::recents::Recents;
use dashmap::DashMap;
use ring::hmac;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tonic::Code;
use tonic::metadata::MetadataMap;

/// One tenant.
pub struct Tenant {
    pub name: String,
    pub shard: ShardHandle,
    /// Calls and streams that are being answered.
    pub in_hand: InHand,
    pub payloads: Arc<DashMap<InteractionId, Held>>,
    /// Cards of the customers who were offered lately.
    pub recents: Arc<Recents>,
    /// What is expected of waits.
    pub outlook: Outlook,
    /// What becomes of interactions, by the version of their rules.
    pub by_version: ByVersion,
    pub customers: Customers,
    pub known: Known,
    /// Where phone numbers may be written without the code of the country.
    pub home: Option<Home>,
    /// What requests are hashed with, to recognise them: whoever has the journal without its keys learns nothing by guessing.
    pub request_key: hmac::Key,
    /// Customers who were erased.
    pub forgotten: Arc<Forgotten>,
    /// Where an erasure is noted first. Whoever erases holds it: one at a time.
    pub erasures: Arc<Mutex<Erasures>>,
    /// The last erasure left traces that are to be wiped: it is asked for again.
    pub unfinished: AtomicBool,
    pub leases: Leases,
    pub clock: Clock,
    /// The rules in force.
    pub rules: InForce,
    /// What they read of the floor.
    pub surroundings: Surroundings,
    /// The way to whoever compares a version in shadow.
    pub witnesses: mpsc::Sender<Witness>,
    /// Counters of their splits, whichever version is in force.
    pub tickets: Tickets,
    /// The versions of its rules, and who may publish one.
    pub publishing: Publishing,
    /// Where its journal lies; `None` for one in memory.
    pub folder: Option<PathBuf>,
    /// Who judges past decisions again, which reads the journal: one at a time, the others wait their turn.
    pub recompute: Semaphore,
}

impl Tenant {
    /// The full name of something of this tenant.
    pub fn name_of(&self, collection: &str, id: impl std::fmt::Display) -> String {
        let mut name = self.named(collection, 20);
        write!(name, "{id}").expect("a string takes whatever is written");
        name
    }

    /// The same for an id that people chose.
    pub fn name_of_chosen(&self, collection: &str, id: &str) -> String {
        let mut name = self.named(collection, id.len());
        name.push_str(id);
        name
    }

    /// A name as far as its id, with room for that.
    fn named(&self, collection: &str, id_length: usize) -> String {
        let parts = ["tenants/", &self.name, "/", collection, "/"];
        let mut name = String::with_capacity(parts.map(str::len).iter().sum::<usize>() + id_length);
        parts.iter().for_each(|part| name.push_str(part));
        name
    }

    /// Refuses another tenant's resource: to this one it does not exist.
    fn owns(&self, field: &'static str, name: &str) -> Result<(), ApiError> {
        let named = names::tenant_of(field, name)?;
        if named == self.name || named == "-" {
            return Ok(());
        }
        Err(ApiError::not_found(field, "TENANT_NOT_FOUND", &format!("tenant {}", shown(named))))
    }

    /// Refuses another tenant's parent. On a stream it may be left out: the caller is known.
    pub fn has_parent(&self, parent: &str) -> Result<(), ApiError> {
        if parent.is_empty() { Ok(()) } else { self.owns("parent", parent) }
    }

    /// The id of one of this tenant's resources.
    pub fn id<'a>(
        &self,
        field: &'static str,
        name: &'a str,
        collection: &'static str,
    ) -> Result<&'a str, ApiError> {
        self.owns(field, name)?;
        names::id(field, name, collection)
    }

    /// The number of one of this tenant's resources.
    pub fn number(&self, field: &'static str, name: &str, collection: &'static str) -> Result<u64, ApiError> {
        self.owns(field, name)?;
        names::number(field, name, collection)
    }

    /// A session id that cannot be guessed.
    pub fn new_session() -> SessionId {
        use ring::rand::SecureRandom;
        let mut bytes = [0; 8];
        ring::rand::SystemRandom::new().fill(&mut bytes).expect("the system has random numbers");
        SessionId(u64::from_le_bytes(bytes))
    }
}

/// All tenants of a server, and who may come in.
#[derive(Clone)]
pub struct Tenants {
    by_name: Arc<BTreeMap<String, Arc<Tenant>>>,
    access: Arc<Access>,
}

impl Tenants {
    /// The tenants of a server.
    pub fn new(tenants: Vec<Arc<Tenant>>, access: Access) -> Tenants {
        let by_name = tenants.into_iter().map(|tenant| (tenant.name.clone(), tenant)).collect();
        Tenants { by_name: Arc::new(by_name), access: Arc::new(access) }
    }

    /// The caller's tenant, if `name` (of the field `field`) is one of its resources. Another tenant's do not exist.
    pub fn of(
        &self,
        metadata: &MetadataMap,
        service: Service,
        field: &'static str,
        name: &str,
    ) -> Result<Arc<Tenant>, ApiError> {
        let own = self.caller(metadata, service)?;
        own.owns(field, name)?;
        Ok(own)
    }

    /// The caller's tenant.
    pub fn caller(&self, metadata: &MetadataMap, service: Service) -> Result<Arc<Tenant>, ApiError> {
        Ok(self.known_caller(metadata, service)?.0)
    }

    /// The caller's tenant, and what the caller is called.
    fn known_caller(
        &self,
        metadata: &MetadataMap,
        service: Service,
    ) -> Result<(Arc<Tenant>, &str), ApiError> {
        let Caller { tenant: own, name } = self.access.caller(metadata, service)?;
        let tenant = self.by_name.get(own).cloned().ok_or_else(|| {
            ApiError::new(Code::NotFound, "TENANT_NOT_FOUND", format!("tenant {own:?} is not on this server"))
        })?;
        Ok((tenant, name))
    }
}

/// The way into one service: who calls, and whose resource is named.
pub struct Gate {
    tenants: Tenants,
    service: Service,
}

impl Gate {
    /// The way into a service of these tenants.
    pub fn new(tenants: Tenants, service: Service) -> Gate {
        Gate { tenants, service }
    }

    /// The caller's tenant, if `name` (of the field `field`) is one of its resources.
    pub fn of(&self, metadata: &MetadataMap, field: &'static str, name: &str) -> Result<Entered, ApiError> {
        Entered::new(self.tenants.of(metadata, self.service, field, name)?)
    }

    /// The same for a call that may wait for long.
    pub fn of_patient(
        &self,
        metadata: &MetadataMap,
        field: &'static str,
        name: &str,
    ) -> Result<Entered, ApiError> {
        Entered::patient(self.tenants.of(metadata, self.service, field, name)?)
    }

    /// The caller's tenant.
    pub fn caller(&self, metadata: &MetadataMap) -> Result<Entered, ApiError> {
        Entered::new(self.tenants.caller(metadata, self.service)?)
    }

    /// The caller's tenant, if `name` (of the field `field`) is one of its resources, and what the caller is called.
    pub fn known(
        &self,
        metadata: &MetadataMap,
        field: &'static str,
        name: &str,
    ) -> Result<(Entered, String), ApiError> {
        let (own, caller) = self.tenants.known_caller(metadata, self.service)?;
        own.owns(field, name)?;
        Ok((Entered::new(own)?, caller.to_owned()))
    }
}
