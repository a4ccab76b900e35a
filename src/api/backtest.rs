//! A back-test for a supervisor: the recorded period read and decided again on a thread of its own, with progress. Whoever
//! asked may go, which stops it.

use super::convert::moment;
use super::documents::{self, text_of};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::time::Time;
use crate::journal::Fault;
use crate::proto;
use crate::proto::backtest_response::Event;
use crate::replay::backtest::{self, BacktestError, CHANGED_MAX, Options, Recorded};
use crate::rules::RuleSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tonic::{Code, Status};

/// Progress is told so often.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// Interactions that are shown unless asked otherwise.
const CHANGED_USUAL: usize = 20;

type Messages = mpsc::Sender<Result<proto::BacktestResponse, Status>>;

/// What is asked, checked.
pub struct Question {
    folder: PathBuf,
    from: Time,
    to: Time,
    draft: RuleSet,
    published: Arc<RuleSet>,
    options: Options,
}

/// Checks a request.
pub async fn question(tenant: &Tenant, request: &proto::BacktestRequest) -> Result<Question, ApiError> {
    let Some(folder) = tenant.folder.clone() else {
        let message = "the journal is in memory: there are no recorded events to decide again";
        return Err(ApiError::new(Code::FailedPrecondition, "NOT_RETAINED", message));
    };
    let from =
        request.from_time.ok_or_else(|| ApiError::missing("from_time", "the first moment that counts"))?;
    let from = moment("from_time", from)?;
    let to = request.to_time.map(|to| moment("to_time", to)).transpose()?;
    let text = text_of(tenant, "document", request.document.as_ref()).await?;
    let draft = documents::read(tenant, "document", text).await?;
    let seed = if request.seed == 0 { 1 } else { request.seed };
    let changed_max = match request.changed_max {
        0 => CHANGED_USUAL,
        many => usize::try_from(many).ok().filter(|many| *many <= CHANGED_MAX).ok_or_else(|| {
            ApiError::field("changed_max", &many.to_string(), &format!("0 to {CHANGED_MAX}"))
        })?,
    };
    Ok(Question {
        folder,
        from,
        to: to.unwrap_or_else(|| tenant.clock.now()),
        draft,
        published: tenant.rules.now().rules.clone(),
        options: Options { seed, changed_max },
    })
}

/// Answers it on a stream.
pub async fn answer(tenant: Arc<Tenant>, question: Question, send: Messages) {
    let turn = tokio::select! {
        turn = tenant.recompute.acquire() => turn.expect("it is never closed"),
        () = send.closed() => return,
    };
    let out = send.clone();
    let done = tokio::task::spawn_blocking(move || decided_again(&question, &out)).await;
    drop(turn);
    let last = match done {
        Ok(Ok(result)) => Ok(proto::BacktestResponse { event: Some(Event::Result(result)) }),
        Ok(Err(BacktestError::Stopped)) => return,
        Ok(Err(error)) => Err(refused(&error).into()),
        Err(error) => Err(ApiError::new(Code::Internal, "BACKTEST_FAILED", error.to_string()).into()),
    };
    // Whoever asked may be gone.
    let _ = send.send(last).await;
}

fn decided_again(question: &Question, out: &Messages) -> Result<proto::BacktestResult, BacktestError> {
    let recorded = Recorded::from_journal(&question.folder, question.from, question.to)?;
    let mut told = Instant::now();
    let mut progress = |done, total| {
        if out.is_closed() {
            return ControlFlow::Break(());
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            let progress = proto::BacktestProgress { done, total };
            // Of a reader who is slow some are left out: each says all there is to say.
            let _ = out.try_send(Ok(proto::BacktestResponse { event: Some(Event::Progress(progress)) }));
        }
        ControlFlow::Continue(())
    };
    let Question { published, draft, options, .. } = question;
    let result = backtest::backtest(&recorded, published, draft, options, &mut progress)?;
    let json = serde_json::to_string(&result).expect("a result is texts and numbers");
    Ok(proto::BacktestResult { text: result.to_string(), json })
}

fn refused(error: &BacktestError) -> ApiError {
    let code = match error {
        BacktestError::PeriodEmpty { .. } => Code::InvalidArgument,
        BacktestError::NotRetained { .. }
        | BacktestError::JournalEmpty
        | BacktestError::NobodyCame { .. }
        | BacktestError::FloorDiffers { .. }
        | BacktestError::Journal(Fault::NotRetained { .. }) => Code::FailedPrecondition,
        _ => Code::Internal,
    };
    ApiError::new(code, error.reason(), error.to_string())
}
