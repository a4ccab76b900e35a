//! Who has signed in: the run begins when everybody has.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::error::LoadError;

/// How long everybody may take to sign in.
const SIGN_IN: Duration = Duration::from_secs(120);

/// Counts the present.
#[derive(Clone)]
pub struct Roll {
    wanted: u32,
    present: Arc<Semaphore>,
    why: Arc<Mutex<String>>,
}

impl Roll {
    pub fn of(wanted: u32) -> Roll {
        Roll { wanted, present: Arc::new(Semaphore::new(0)), why: Arc::default() }
    }

    /// One more.
    pub fn present(&self) {
        self.present.add_permits(1);
    }

    /// One could not sign in.
    pub fn absent(&self, why: &str) {
        why.clone_into(&mut self.why.lock().expect("noting does not panic"));
    }

    /// Waits until everybody is there.
    pub async fn complete(&self) -> Result<(), LoadError> {
        if timeout(SIGN_IN, self.present.acquire_many(self.wanted)).await.is_ok() {
            return Ok(());
        }
        Err(LoadError::SignIn {
            wanted: self.wanted,
            signed_in: self.present.available_permits() as u64,
            seconds: SIGN_IN.as_secs(),
            why: self.why.lock().expect("noting does not panic").clone(),
        })
    }
}
