//! Leaves nothing behind: what this run submitted and is not over yet is cancelled.

use std::sync::Arc;

use tokio::task::JoinSet;
use tonic::transport::Channel;

use super::run::Run;
use super::seen::Caller;
use super::unary::cancel;
use crate::demo::calls::{Server, TENANT, once};
use crate::proto::ListOpenRequest;

/// Cancelled at once.
const PAGE: i32 = 256;
/// Pages, at most: whatever keeps coming back is no concern of ours.
const PAGES_MAX: usize = 10_000;

/// Cancels everything, a page at a time. What cannot be cancelled is seen in the books.
pub async fn sweep(run: &Arc<Run>, server: &Server, channel: Channel) {
    for _ in 0..PAGES_MAX {
        let request = ListOpenRequest {
            parent: TENANT.to_owned(),
            source: run.source.clone(),
            page_size: PAGE,
            page_token: String::new(),
        };
        let Ok(page) = once(server.interactions().list_open(request)).await else { return };
        if page.interactions.is_empty() {
            return;
        }
        let mut cancels = JoinSet::new();
        for interaction in page.interactions {
            let (run, mut caller) = (run.clone(), Caller::new(channel.clone()));
            cancels.spawn(async move { cancel(&run, &mut caller, interaction.name).await });
        }
        while cancels.join_next().await.is_some() {}
    }
}
