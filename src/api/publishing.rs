//! Publishing while the floor runs: what is to come in force is checked, written to the rulebook with its row of the audit
//! trail, and only then put in force; then who waits is planned again, if that was asked for. One at a time.

use super::access::{SERVER, UNAUTHENTICATED};
use super::documents::{self, aside, difference};
use super::in_force::Ruling;
use super::planning_again::{Counted, plan_again};
use super::preview::preview;
use super::status::ApiError;
use super::surroundings;
use super::tenant::Tenant;
use super::trying;
use crate::engine::time::Time;
use crate::journal::Fault;
use crate::observe;
use crate::rulebook::{BookError, Bounded, By, Publication, Refused, Rulebook, Version, Waiting};
use crate::rules::RuleSet;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard, Semaphore};
use tonic::Code;

/// The versions of a tenant's rules, and who may publish one.
pub struct Publishing {
    book: Arc<Mutex<Rulebook>>,
    /// Whoever publishes holds it from the first check to the last plan.
    turn: Mutex<()>,
    /// Whoever reads a document, which may take a second, holds it: one at a time, off the threads that serve.
    reading: Arc<Semaphore>,
    /// The rules of versions that plans were made with, the latest last. A number stands for one text, so they never change.
    read: std::sync::Mutex<Vec<(u32, Option<RuleSet>)>>,
    four_eyes: bool,
}

/// So many versions are remembered ready to plan: those by which people wait, as a rule.
const READ_MAX: usize = 4;

/// What is to come in force.
pub enum What {
    /// The draft, in the state of this etag.
    Draft(String),
    /// A text, and the version it was made from.
    Text(String, Option<u32>),
    /// An older version; `None`: the one before.
    Version(Option<u32>),
}

/// What came of it.
pub struct Published {
    pub version: Version,
    pub effect: Time,
    pub counted: Counted,
    /// The text of the version before.
    pub before: String,
}

impl Publishing {
    /// With this rulebook. With four eyes nobody publishes what they wrote themselves.
    pub fn new(book: Rulebook, four_eyes: bool) -> Publishing {
        Publishing {
            book: Arc::new(Mutex::new(book)),
            turn: Mutex::new(()),
            reading: Semaphore::new(1).into(),
            read: std::sync::Mutex::default(),
            four_eyes,
        }
    }

    /// Does something to the rulebook, on a thread that may wait for the disk.
    pub async fn book<T: Send + 'static>(&self, act: impl FnOnce(&mut Rulebook) -> T + Send + 'static) -> T {
        let mut book = self.book.clone().lock_owned().await;
        let done = tokio::task::spawn_blocking(move || act(&mut book)).await;
        done.expect("the rulebook does not panic")
    }

    /// Looks into the rulebook.
    pub async fn look<T: Send + 'static>(&self, look: impl FnOnce(&Rulebook) -> T + Send + 'static) -> T {
        self.book(move |book| look(book)).await
    }

    /// Waits for the turn to read a document.
    pub async fn reading(&self) -> tokio::sync::OwnedSemaphorePermit {
        self.reading.clone().acquire_owned().await.expect("it is never closed")
    }

    /// The rules of a version, if they were read lately; `Some(None)`: they cannot be read.
    pub fn remembered(&self, number: u32) -> Option<Option<RuleSet>> {
        let read = self.read.lock().expect("nobody panics at it");
        read.iter().find(|(known, _)| *known == number).map(|(_, rules)| rules.clone())
    }

    /// Remembers the rules of a version.
    pub fn remember(&self, number: u32, rules: Option<RuleSet>) {
        let mut read = self.read.lock().expect("nobody panics at it");
        read.retain(|(known, _)| *known != number);
        if read.len() == READ_MAX {
            read.remove(0);
        }
        read.push((number, rules));
    }

    /// Whoever changes what is in force, or beside it, holds it to the end.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// What the server does by itself.
    pub fn server_by(&self, time: Time, reason: &str) -> By {
        By { who: SERVER.to_owned(), time, reason: reason.to_owned() }
    }
}

/// Puts rules in force. It goes on to its end though whoever asked has gone.
pub async fn publish(
    tenant: Arc<Tenant>,
    what: What,
    by: By,
    waiting: Waiting,
) -> Result<Published, ApiError> {
    let done = tokio::spawn(async move { one_at_a_time(&tenant, what, by, waiting).await }).await;
    done.unwrap_or_else(|_| Err(ApiError::new(Code::Unavailable, "STOPPING", "the server is stopping")))
}

async fn one_at_a_time(
    tenant: &Arc<Tenant>,
    what: What,
    by: By,
    waiting: Waiting,
) -> Result<Published, ApiError> {
    let _turn = tenant.publishing.turn.lock().await;
    four_eyes(tenant, &what, &by)?;
    // Now that it is its turn, so that the trail's times are in its order.
    let by = By { time: tenant.clock.now(), ..by };
    let before = tenant.rules.now().rules.text().to_owned();
    let (ruling, version) = match what {
        What::Version(number) => roll_back(tenant, number, by, waiting).await?,
        What::Draft(etag) => {
            let text = of_draft(tenant, &etag).await?;
            let four_eyes = tenant.publishing.four_eyes;
            let publication = Publication { draft: Some(etag), four_eyes, ..publication(text, by, waiting) };
            put_in_force(tenant, publication, "draft_etag").await?
        }
        What::Text(text, base) => {
            let publication = publication(text, by, waiting);
            put_in_force(tenant, Publication { base, ..publication }, "text").await?
        }
    };
    // What they read of the floor is there when they begin.
    surroundings::look(tenant, ruling.rules.uses()).await;
    let old = swap(tenant, ruling);
    let effect = tenant.clock.now();
    let before_these = Arc::downgrade(&old);
    let remembering = tenant.clone();
    aside(move || {
        // Of who waits it will be asked what these would have planned. What is forgotten instead takes its time to go.
        let (number, rules) = (old.rules.version(), old.rules.as_ref().clone());
        remembering.publishing.remember(number, Some(rules));
    })
    .await;
    observe::rules_in_force(&tenant.name, version.number);
    tracing::info!(
        tenant = tenant.name,
        version = version.number,
        rules = version.name,
        "rules are in force"
    );
    let counted = match waiting {
        Waiting::Keep => Counted::default(),
        Waiting::PlanAgain => {
            plan_again(tenant, before_these).await.map_err(|why| cut_short(&version, &why))?
        }
    };
    Ok(Published { version, effect, counted, before })
}

/// Records a document as a version that is to run beside the one in force, and lets it begin.
pub async fn recorded_beside(
    tenant: &Arc<Tenant>,
    what: What,
    by: By,
    (share_ppm, bound): (Option<u32>, Option<Bounded>),
    begin: impl FnOnce(Ruling),
) -> Result<(), ApiError> {
    let _turn = tenant.publishing.turn.lock().await;
    four_eyes(tenant, &what, &by)?;
    let by = By { time: tenant.clock.now(), ..by };
    let (mut publication, field) = match what {
        What::Draft(etag) => {
            let text = of_draft(tenant, &etag).await?;
            let four_eyes = tenant.publishing.four_eyes;
            let publication = publication(text, by, Waiting::Keep);
            (Publication { draft: Some(etag), four_eyes, ..publication }, "draft_etag")
        }
        What::Text(text, base) => (Publication { base, ..publication(text, by, Waiting::Keep) }, "text"),
        What::Version(_) => {
            return Err(ApiError::missing("document", "draft_etag or text"));
        }
    };
    let ruling = serving_everybody(tenant, field, publication.text.clone()).await?;
    (publication.name, publication.number) = (ruling.rules.name().to_owned(), ruling.rules.version());
    let recorded =
        tenant.publishing.book(move |book| book.run_beside(&publication, share_ppm, bound.as_ref())).await;
    match recorded {
        Ok(version) => {
            let ruling = aside(move || ruling.numbered(version.number)).await;
            // What they read of the floor is there when they begin.
            surroundings::look(tenant, ruling.rules.uses()).await;
            begin(ruling);
            Ok(())
        }
        Err(error) => Err(with_difference(tenant, error).await.naming(field)),
    }
}

/// The server stops, or the disk fails: the version stands, and the mark beside it has the next start go on.
fn cut_short(version: &Version, why: &ApiError) -> ApiError {
    let number = version.number;
    let message = format!(
        "version {number} is in force; who waits is planned again from the next start on: {}",
        why.message()
    );
    ApiError::new(Code::Unavailable, "PLANNING_AGAIN_CUT_SHORT", message)
}

fn publication(text: String, by: By, waiting: Waiting) -> Publication {
    let (name, draft, base, four_eyes) = (String::new(), None, None, false);
    Publication { text, name, number: 0, by, waiting, draft, base, four_eyes }
}

/// The text of the draft in the state of an etag. Who is too late hears of that before mistakes in what another wrote;
/// what an etag names never changes, and the rulebook looks once more whether it is the last state.
async fn of_draft(tenant: &Tenant, etag: &str) -> Result<String, ApiError> {
    let named = etag.to_owned();
    let found = tenant.publishing.look(move |book| Ok((book.is_draft(&named)?, book.text_of(&named)?))).await;
    match found.map_err(|fault: Fault| ApiError::from(fault))? {
        (Err(refused), _) => Err(with_difference(tenant, refused.into()).await.naming("draft_etag")),
        (Ok(()), text) => Ok(text.unwrap_or_default()),
    }
}

/// Nobody publishes what they wrote themselves, where that is asked for. Putting back what was published once is not
/// writing.
fn four_eyes(tenant: &Tenant, what: &What, by: &By) -> Result<(), ApiError> {
    if !tenant.publishing.four_eyes {
        return Ok(());
    }
    let refused = |reason, message: &str| Err(ApiError::new(Code::FailedPrecondition, reason, message));
    if by.who == UNAUTHENTICATED {
        let message = "rules are published by another supervisor than who wrote them, and without tokens nobody is known";
        return refused("FOUR_EYES_UNAUTHENTICATED", message);
    }
    match what {
        What::Version(_) => Ok(()),
        What::Text(..) => {
            let message = "rules are published by another supervisor than who wrote them: write a draft, and let another publish it";
            refused("FOUR_EYES_DRAFT_ONLY", message)
        }
        // Whose it is, the rulebook says when it is published: it may be changed until then.
        What::Draft(_) => Ok(()),
    }
}

async fn put_in_force(
    tenant: &Arc<Tenant>,
    mut publication: Publication,
    field: &'static str,
) -> Result<(Ruling, Version), ApiError> {
    let ruling = serving_everybody(tenant, field, publication.text.clone()).await?;
    (publication.name, publication.number) = (ruling.rules.name().to_owned(), ruling.rules.version());
    let published = tenant.publishing.book(move |book| book.publish(&publication)).await;
    match published {
        Ok(version) => Ok((aside(move || ruling.numbered(version.number)).await, version)),
        Err(error) => Err(with_difference(tenant, error).await.naming(field)),
    }
}

async fn roll_back(
    tenant: &Arc<Tenant>,
    number: Option<u32>,
    by: By,
    waiting: Waiting,
) -> Result<(Ruling, Version), ApiError> {
    let in_force = tenant.rules.now().rules.version();
    let number = match number {
        Some(number) => number,
        None => tenant.publishing.look(move |book| book.before(in_force)).await?.ok_or_else(|| {
            let message = format!("version {in_force} is the only one there ever was");
            ApiError::new(Code::FailedPrecondition, "NO_VERSION_BEFORE", message)
        })?,
    };
    let version = tenant.publishing.look(move |book| book.version(number)).await?;
    let version = version.ok_or_else(|| documents::no_version("version", number))?;
    let ruling = serving_everybody(tenant, "version", version.text.clone()).await?;
    let version = tenant.publishing.book(move |book| book.roll_back(number, &by, waiting)).await?;
    Ok((aside(move || ruling.numbered(version.number)).await, version))
}

/// The rules of a text, with the plans for everybody who waits now. Refuses those by which one of these would have no queue.
async fn serving_everybody(
    tenant: &Arc<Tenant>,
    field: &'static str,
    text: String,
) -> Result<Ruling, ApiError> {
    let ruling = documents::ruling(tenant, field, text).await?;
    let rules = &ruling.rules;
    if let Some(fallback) = &rules.document().fallback
        && rules.fallback(&tenant.shard.floor()).is_none()
    {
        let message =
            format!("the rules fall back to queue {:?}, which this floor does not have", fallback.queue);
        return Err(ApiError::new(Code::FailedPrecondition, "FALLBACK_WITHOUT_QUEUE", message));
    }
    let told = preview(tenant, &ruling).await?;
    if told.without_queue == 0 {
        return Ok(Arc::into_inner(ruling).expect("whoever looked at what waits is done"));
    }
    let stranded = told.interactions.iter().filter(|one| one.queue_after.is_empty());
    let names: Vec<&str> = stranded.map(|one| one.interaction.as_str()).collect();
    let message = format!("{} who wait now would have no queue", told.without_queue);
    Err(ApiError::new(Code::FailedPrecondition, "WAITING_WITHOUT_QUEUE", message)
        .telling_at_length("interactions", &names.join("\n")))
}

/// Whoever was overtaken is told what changed meanwhile.
pub async fn with_difference(tenant: &Tenant, error: BookError) -> ApiError {
    let between = match &error {
        BookError::Refused(Refused::StaleEtag { got, current }) => Some((got.clone(), current.clone())),
        BookError::Refused(Refused::BaseOvertaken { base, in_force }) => {
            Some((format!("v{base}"), format!("v{in_force}")))
        }
        _ => None,
    };
    let Some((before, now)) = between else { return error.into() };
    let texts = tenant.publishing.look(move |book| Ok((book.text_of(&before)?, book.text_of(&now)?))).await;
    let said = match texts {
        Err(fault) => return ApiError::from(BookError::Fault(fault)),
        Ok((Some(before), Some(now))) => {
            documents::at_leisure(tenant, move || difference(&before, &now)).await
        }
        Ok(_) => "what the etag names is too long ago to compare with".to_owned(),
    };
    ApiError::from(error).telling_at_length("difference", &said)
}

/// From here on whoever is planned is planned by these. What was kept of the ones before: nothing but who plans with them.
fn swap(tenant: &Tenant, ruling: Ruling) -> Arc<Ruling> {
    trying::stop(tenant);
    tenant.rules.publish(ruling)
}
