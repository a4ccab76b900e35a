//! The server that bears the load: one that runs already, or a child process of our own, in which case its cost is
//! known and nothing of it stays.

use std::net::SocketAddr;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use super::cost;
use super::error::LoadError;
use super::settings;
use crate::config::JournalKind;
use crate::demo::calls::{Server, TENANT, once};
use crate::demo::child::{Launch, ServerProcess};
use crate::demo::folder::Folder;
use crate::demo::free_port;
use crate::proto::ListFloorRequest;

/// Bytes that may be under way to us on a stream, and on a connection: small windows would make us the brake.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// Where the load goes.
pub struct Target {
    pub server: Server,
    address: SocketAddr,
    own: Option<(ServerProcess, Folder)>,
    pub journal: Option<JournalKind>,
}

impl Target {
    /// Reaches or starts it.
    pub async fn open(wanted: &settings::Target) -> Result<Target, LoadError> {
        match wanted {
            settings::Target::Running(address) => Target::reach(*address).await,
            settings::Target::Own { journal, data } => Target::start(*journal, data.as_deref()).await,
        }
    }

    async fn reach(address: SocketAddr) -> Result<Target, LoadError> {
        let server = Server::at(address);
        let mut floor = server.floor();
        let asked = floor.list_pools(ListFloorRequest { parent: TENANT.to_owned() });
        once(asked).await.map_err(|status| LoadError::Away(Box::new(status)))?;
        Ok(Target { server, address, own: None, journal: None })
    }

    async fn start(journal: JournalKind, data: Option<&std::path::Path>) -> Result<Target, LoadError> {
        let address = free_port(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let folder = Folder::open(data, "baton-load")?;
        let launch = Launch { listen: address, data: folder.path().to_owned(), speed: 1, journal };
        let server = Server::at(address);
        match launch.start(&server).await {
            Ok(process) => {
                Ok(Target { server, address, own: Some((process, folder)), journal: Some(journal) })
            }
            Err(error) => {
                folder.discard();
                Err(error.into())
            }
        }
    }

    /// So many connections, one at least.
    pub fn connections(&self, count: u32) -> Vec<Channel> {
        (0..count.max(1)).map(|_| self.connection()).collect()
    }

    /// A connection. It is made when it is first used.
    pub fn connection(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address))
            .expect("an address makes a valid URI")
            .connect_timeout(Duration::from_secs(5))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .tcp_nodelay(true);
        endpoint.connect_lazy()
    }

    /// Whether nobody but us uses it.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    pub fn cpu_s(&self) -> Option<f64> {
        cost::cpu_s(self.own.as_ref()?.0.pid())
    }

    pub fn memory_bytes(&self) -> Option<u64> {
        cost::memory_bytes(self.own.as_ref()?.0.pid())
    }

    pub fn data_bytes(&self) -> Option<u64> {
        Some(cost::folder_bytes(self.own.as_ref()?.1.path()))
    }

    /// Ends a server of our own, and removes its temporary folder.
    pub async fn close(self) {
        if let Some((process, folder)) = self.own {
            process.end().await;
            folder.discard();
        }
    }
}
