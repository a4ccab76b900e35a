//! Where a command finds its server, and as whom it asks: the same three options wherever rules are concerned.

use crate::client::{ClientError, bearing, connect};
use crate::proto::rules_client::RulesClient;
use clap::Args;
use jiff::Timestamp;
use tonic::Request;
use tonic::transport::Channel;

/// A server and a tenant on it
#[derive(Debug, Clone, Args)]
pub(super) struct At {
    /// The server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7700")]
    addr: String,
    /// The tenant
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// Token of a supervisor, where the server asks for one
    #[arg(long, value_name = "TOKEN", env = "BATON_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl At {
    pub(super) async fn rules(&self) -> Result<RulesClient<Channel>, ClientError> {
        Ok(RulesClient::new(connect(&self.addr).await?))
    }

    pub(super) fn parent(&self) -> String {
        format!("tenants/{}", self.tenant)
    }

    /// The name of a version.
    pub(super) fn version(&self, number: u32) -> String {
        format!("tenants/{}/rules/{number}", self.tenant)
    }

    pub(super) fn asked<T>(&self, message: T) -> Result<Request<T>, ClientError> {
        bearing(message, self.token.as_deref())
    }
}

/// A moment for people, to the second, in UTC.
pub(super) fn moment(at: Option<prost_types::Timestamp>) -> String {
    let at = at.and_then(|at| Timestamp::from_second(at.seconds).ok());
    at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// The last part of a name.
pub(super) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
