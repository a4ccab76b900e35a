//! The edge: one file per service. It converts, hands over and reports; it never decides.
//!
//! An interaction comes in at `interactions`, and leaves to the agent at `work` with the card of `card`.

pub mod access;
mod agents;
mod attach;
mod backtest;
mod beside;
mod calls;
mod capacity_parts;
mod card;
mod conversation;
mod convert;
mod customer_facts;
mod customers;
mod desk;
mod desk_notices;
mod documents;
mod erase;
mod estimate;
mod explain;
mod floor;
mod floor_parts;
mod handover;
mod histories;
mod hours_parts;
mod in_force;
pub mod in_hand;
mod intake;
mod interactions;
mod known;
mod money;
mod names;
mod people;
mod planned;
mod planning_again;
mod plans;
mod platform;
mod policy_parts;
mod preview;
mod promises;
mod publishing;
mod report;
mod resuming;
mod route;
mod rule_trace;
mod rules;
mod shadow;
mod shown;
mod shown_interaction;
mod status;
mod supervise;
mod supervision;
mod surroundings;
pub mod tenant;
mod tickets;
mod trying;
mod versions;
mod watch;
mod whose;
mod wire;
mod work;

pub use planning_again::take_up;
pub use status::{ApiError, DOMAIN};
pub use trying::watch as watch_beside;

use crate::proto::agents_server::AgentsServer;
use crate::proto::customers_server::CustomersServer;
use crate::proto::floor_server::FloorServer;
use crate::proto::interactions_server::InteractionsServer;
use crate::proto::rules_server::RulesServer;
use crate::proto::supervision_server::SupervisionServer;
use tenant::Tenants;
use tonic::service::Routes;

/// Before the first request: what runs beside the rules in force, and what rules read of the floor.
pub async fn begin(tenant: &tenant::Tenant) {
    trying::take_up(tenant).await;
    surroundings::look(tenant, &crate::rules::condition::Uses::default()).await;
}

/// Largest message that is read, in bytes.
pub const MESSAGE_MAX: usize = 2 * 1024 * 1024;

/// The compiled protocol files, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The services' full names, for the health service.
pub const SERVICES: &[&str] = &[
    "baton.v1.Interactions",
    "baton.v1.Agents",
    "baton.v1.Customers",
    "baton.v1.Floor",
    "baton.v1.Rules",
    "baton.v1.Supervision",
];

/// Every service of a server.
pub fn routes(tenants: &Tenants) -> Routes {
    let limit = MESSAGE_MAX;
    Routes::new(
        InteractionsServer::new(interactions::Api::new(tenants.clone())).max_decoding_message_size(limit),
    )
    .add_service(AgentsServer::new(agents::Api::new(tenants.clone())).max_decoding_message_size(limit))
    .add_service(CustomersServer::new(customers::Api::new(tenants.clone())).max_decoding_message_size(limit))
    .add_service(FloorServer::new(floor::Api::new(tenants.clone())).max_decoding_message_size(limit))
    .add_service(RulesServer::new(rules::Api::new(tenants.clone())).max_decoding_message_size(limit))
    .add_service(
        SupervisionServer::new(supervision::Api::new(tenants.clone())).max_decoding_message_size(limit),
    )
}
