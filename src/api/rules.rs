//! `Rules`: drafts, versions, publishing, and the trail of who changed what. A document is a text here; what it means is
//! the rules' own business.

use super::access::Service;
use super::backtest;
use super::convert::{required, timestamp};
use super::documents::{self, TOLD_MAX, checked, text_of};
use super::preview::preview;
use super::publishing::{Published, What, publish, with_difference};
use super::rule_trace;
use super::status::ApiError;
use super::tenant::{Gate, Tenant, Tenants};
use super::trying;
use super::versions;
use crate::engine::circumstances::Circumstances;
use crate::engine::floor::Floor;
use crate::engine::ids::InteractionId;
use crate::engine::interaction::Interaction;
use crate::observe;
use crate::proto;
use crate::proto::publish_request::Document as Asked;
use crate::proto::rules_server::Rules;
use crate::proto::run_beside_request::Document as Tried;
use crate::rulebook::By;
use crate::rules::{DocumentErrors, RuleSet, diff};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};

/// The service.
pub struct Api {
    gate: Gate,
}

impl Api {
    /// The service for all tenants of a server.
    pub fn new(tenants: Tenants) -> Api {
        Api { gate: Gate::new(tenants, Service::Rules) }
    }

    async fn update_draft(
        &self,
        metadata: &MetadataMap,
        request: proto::UpdateDraftRequest,
    ) -> Result<proto::RulesDraft, ApiError> {
        let (tenant, who) = self.gate.known(metadata, "parent", &request.parent)?;
        checked("text", &request.text)?;
        let by = self.by(&tenant, who, documents::reason(&request.reason)?);
        let (text, etag) = (request.text, required("etag", &request.etag, 64)?.to_owned());
        let written = tenant.publishing.book(move |book| book.write_draft(&text, &etag, &by)).await;
        match written {
            Ok(draft) => Ok(tenant.show_draft(draft)),
            Err(error) => Err(with_difference(&tenant, error).await),
        }
    }

    async fn discard_draft(
        &self,
        metadata: &MetadataMap,
        request: proto::DiscardDraftRequest,
    ) -> Result<(), ApiError> {
        let (tenant, who) = self.gate.known(metadata, "parent", &request.parent)?;
        let by = self.by(&tenant, who, documents::reason(&request.reason)?);
        let etag = required("etag", &request.etag, 64)?.to_owned();
        let discarded = tenant.publishing.book(move |book| book.discard_draft(&etag, &by)).await;
        match discarded {
            Ok(()) => Ok(()),
            Err(error) => Err(with_difference(&tenant, error).await),
        }
    }

    async fn publish(
        &self,
        metadata: &MetadataMap,
        request: proto::PublishRequest,
    ) -> Result<proto::PublishResponse, ApiError> {
        let (tenant, who) = self.gate.known(metadata, "parent", &request.parent)?;
        let waiting = versions::policy(request.waiting)?;
        let by = self.by(&tenant, who, documents::given_reason(&request.reason)?);
        let what = match request.document {
            None => return Err(ApiError::missing("document", "draft_etag or text")),
            Some(Asked::DraftEtag(etag)) => What::Draft(required("draft_etag", &etag, 64)?.to_owned()),
            Some(Asked::Text(text)) => {
                checked("text", &text)?;
                let base = match request.base.as_str() {
                    "" => None,
                    name => Some(documents::version_number(&tenant, "base", name)?),
                };
                What::Text(text, base)
            }
        };
        let published = publish(tenant.clone(), what, by, waiting).await?;
        observe::rules_published(&tenant.name, "published");
        Ok(answer(&tenant, published).await)
    }

    async fn rollback(
        &self,
        metadata: &MetadataMap,
        request: proto::RollbackRequest,
    ) -> Result<proto::PublishResponse, ApiError> {
        let (tenant, who) = self.gate.known(metadata, "parent", &request.parent)?;
        let waiting = versions::policy(request.waiting)?;
        let by = self.by(&tenant, who, documents::given_reason(&request.reason)?);
        let number = match request.version.as_str() {
            "" => None,
            name => Some(documents::version_number(&tenant, "version", name)?),
        };
        let published = publish(tenant.clone(), What::Version(number), by, waiting).await?;
        observe::rules_published(&tenant.name, "rolled_back");
        Ok(answer(&tenant, published).await)
    }

    fn by(&self, tenant: &Tenant, who: String, reason: &str) -> By {
        By { who, time: tenant.clock.now(), reason: reason.to_owned() }
    }
}

async fn answer(tenant: &Tenant, published: Published) -> proto::PublishResponse {
    let Published { version, effect, counted, before } = published;
    let shown = tenant.show_version_briefly(&version);
    let compared = documents::at_leisure(tenant, move || diff::changes(&before, &version.text));
    let changes = compared.await.unwrap_or_default();
    proto::PublishResponse {
        version: Some(shown),
        effect_time: Some(timestamp(effect)),
        planned_again: counted.planned,
        not_planned_again: counted.refused,
        changes: changes.into_iter().take(TOLD_MAX).collect(),
    }
}

/// So many rules that match nothing are told by name.
const UNMATCHED_TOLD_MAX: usize = 20;
/// Rules are held against so many of the newest interactions that are known.
const RECORDED_MAX: u64 = 1_000;

async fn validated(tenant: &Tenant, text: String) -> Result<proto::ValidateResponse, ApiError> {
    let (floor, newest) = (tenant.shard.floor(), newest(tenant).await?);
    Ok(documents::at_leisure(tenant, move || looked_through(&text, &floor, &newest)).await)
}

fn looked_through(
    text: &str,
    floor: &Floor,
    newest: &[(Arc<Interaction>, Circumstances)],
) -> proto::ValidateResponse {
    let rules = match RuleSet::read(text) {
        Ok(rules) => rules,
        Err(DocumentErrors(errors)) => {
            return proto::ValidateResponse {
                errors_total: count(errors.len()),
                errors: errors.iter().take(TOLD_MAX).map(documents::error).collect(),
                ..proto::ValidateResponse::default()
            };
        }
    };
    let warning = |line, field: String, message: String| {
        let line = documents::line_number(line);
        proto::RulesWarning { line, field, message }
    };
    let (skipped, doubts) = (rules.skipped(floor), rules.doubts(Some(floor)));
    let skipped = skipped.iter().map(|part| warning(part.line, part.field.to_string(), part.to_string()));
    let doubts = doubts.iter().map(|one| warning(one.line, one.field.to_string(), one.to_string()));
    let unmatched = unmatched(&rules, floor, newest).map(|said| warning(None, "rules".to_owned(), said));
    let mut warnings: Vec<_> = skipped.chain(doubts).chain(unmatched).collect();
    let warnings_total = count(warnings.len());
    warnings.truncate(TOLD_MAX);
    proto::ValidateResponse { warnings, warnings_total, ..proto::ValidateResponse::default() }
}

/// What came lately, as it was told to rules.
async fn newest(tenant: &Tenant) -> Result<Vec<(Arc<Interaction>, Circumstances)>, ApiError> {
    let newest = tenant.shard.read(|shard| {
        let last = shard.last_interaction().0;
        let ids = (last.saturating_sub(RECORDED_MAX) + 1..=last).map(InteractionId);
        ids.filter_map(|id| shard.interaction_shared(id)).collect::<Vec<_>>()
    });
    let newest = newest.await?.value;
    Ok(newest
        .into_iter()
        .map(|one| {
            let made_in = one.made_in();
            (one, made_in)
        })
        .collect())
}

/// Rules that match nothing of it, in a sentence.
fn unmatched(rules: &RuleSet, floor: &Floor, newest: &[(Arc<Interaction>, Circumstances)]) -> Option<String> {
    let never = rules.unmatched(floor, newest.iter().map(|(one, made_in)| rule_trace::told(one, made_in)));
    if newest.is_empty() || never.is_empty() {
        return None;
    }
    let names: Vec<String> = never.iter().take(UNMATCHED_TOLD_MAX).map(|name| format!("{name:?}")).collect();
    let more = never.len() - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let (count, names) = (newest.len(), names.join(", "));
    Some(format!("none of the newest {count} interactions that are known is matched by {names}{more}"))
}

async fn compared(tenant: &Tenant, request: &proto::DiffRequest) -> Result<proto::DiffResponse, ApiError> {
    let needed = |field| ApiError::missing(field, "a text or a name");
    let from = request.from.as_ref().ok_or_else(|| needed("from"))?;
    let to = request.to.as_ref().ok_or_else(|| needed("to"))?;
    let (from, to) = (text_of(tenant, "from", Some(from)).await?, text_of(tenant, "to", Some(to)).await?);
    let changes =
        documents::at_leisure(tenant, move || diff::changes(&from, &to)).await.map_err(|error| {
            let message = format!("one of the documents cannot be read: {error}");
            ApiError::new(Code::InvalidArgument, "RULES_WRONG", message)
        })?;
    let changes_total = count(changes.len());
    Ok(proto::DiffResponse { changes: changes.into_iter().take(TOLD_MAX).collect(), changes_total })
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

#[tonic::async_trait]
impl Rules for Api {
    type BacktestStream = Pin<Box<dyn Stream<Item = Result<proto::BacktestResponse, Status>> + Send>>;

    async fn get_draft(
        &self,
        request: Request<proto::GetDraftRequest>,
    ) -> Result<Response<proto::RulesDraft>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let draft = tenant.publishing.look(|book| book.draft()).await.map_err(ApiError::from)?;
        let draft = draft.expect("a server has a version in force, and a draft begins as that");
        Ok(Response::new(tenant.show_draft(draft)))
    }

    async fn update_draft(
        &self,
        request: Request<proto::UpdateDraftRequest>,
    ) -> Result<Response<proto::RulesDraft>, Status> {
        let (metadata, _, request) = request.into_parts();
        Ok(Response::new(Api::update_draft(self, &metadata, request).await?))
    }

    async fn discard_draft(
        &self,
        request: Request<proto::DiscardDraftRequest>,
    ) -> Result<Response<()>, Status> {
        let (metadata, _, request) = request.into_parts();
        Ok(Response::new(Api::discard_draft(self, &metadata, request).await?))
    }

    async fn validate(
        &self,
        request: Request<proto::ValidateRequest>,
    ) -> Result<Response<proto::ValidateResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let text = text_of(&tenant, "document", request.document.as_ref()).await?;
        Ok(Response::new(validated(&tenant, text).await?))
    }

    async fn preview(
        &self,
        request: Request<proto::PreviewRequest>,
    ) -> Result<Response<proto::PreviewResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let text = text_of(&tenant, "document", request.document.as_ref()).await?;
        let ruling = documents::ruling(&tenant, "document", text).await?;
        Ok(Response::new(preview(&tenant, &ruling).await?))
    }

    async fn backtest(
        &self,
        request: Request<proto::BacktestRequest>,
    ) -> Result<Response<Self::BacktestStream>, Status> {
        let (metadata, _, request) = request.into_parts();
        let stream = self.gate.of(&metadata, "parent", &request.parent)?.stream()?;
        let question = backtest::question(&stream.tenant, &request).await?;
        let (send, out) = mpsc::channel(4);
        tokio::spawn(backtest::answer(stream.tenant.clone(), question, send));
        Ok(Response::new(Box::pin(stream.telling(ReceiverStream::new(out)))))
    }

    async fn run_beside(
        &self,
        request: Request<proto::RunBesideRequest>,
    ) -> Result<Response<proto::Beside>, Status> {
        let (metadata, _, request) = request.into_parts();
        let (tenant, who) = self.gate.known(&metadata, "parent", &request.parent)?;
        let by = self.by(&tenant, who, documents::given_reason(&request.reason)?);
        let mode = trying::mode(request.share_ppm)?;
        let bound = trying::bound(mode, request.bound.as_ref())?;
        let what = match request.document {
            None => return Err(ApiError::missing("document", "draft_etag or text").into()),
            Some(Tried::DraftEtag(etag)) => What::Draft(required("draft_etag", &etag, 64)?.to_owned()),
            Some(Tried::Text(text)) => What::Text(checked("text", &text)?.to_owned(), None),
        };
        Ok(Response::new(trying::run(&tenant, what, by, (mode, bound)).await?))
    }

    async fn get_beside(
        &self,
        request: Request<proto::GetBesideRequest>,
    ) -> Result<Response<proto::Beside>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(trying::shown(&tenant).await?))
    }

    async fn end_beside(
        &self,
        request: Request<proto::EndBesideRequest>,
    ) -> Result<Response<proto::Beside>, Status> {
        let (metadata, _, request) = request.into_parts();
        let (tenant, who) = self.gate.known(&metadata, "parent", &request.parent)?;
        let by = self.by(&tenant, who, documents::given_reason(&request.reason)?);
        Ok(Response::new(trying::end(&tenant, by, "by a supervisor".to_owned(), None).await?))
    }

    async fn publish(
        &self,
        request: Request<proto::PublishRequest>,
    ) -> Result<Response<proto::PublishResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        Ok(Response::new(Api::publish(self, &metadata, request).await?))
    }

    async fn rollback(
        &self,
        request: Request<proto::RollbackRequest>,
    ) -> Result<Response<proto::PublishResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        Ok(Response::new(Api::rollback(self, &metadata, request).await?))
    }

    async fn list_versions(
        &self,
        request: Request<proto::ListVersionsRequest>,
    ) -> Result<Response<proto::ListVersionsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(versions::list(&tenant, &request).await?))
    }

    async fn get_version(
        &self,
        request: Request<proto::GetVersionRequest>,
    ) -> Result<Response<proto::RulesVersion>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        Ok(Response::new(versions::get(&tenant, &request.name).await?))
    }

    async fn diff(
        &self,
        request: Request<proto::DiffRequest>,
    ) -> Result<Response<proto::DiffResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(compared(&tenant, &request).await?))
    }

    async fn list_audit(
        &self,
        request: Request<proto::ListAuditRequest>,
    ) -> Result<Response<proto::ListAuditResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(versions::audit(&tenant, &request).await?))
    }

    async fn verify_audit(
        &self,
        request: Request<proto::VerifyAuditRequest>,
    ) -> Result<Response<proto::VerifyAuditResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        Ok(Response::new(versions::verify(&tenant).await?))
    }
}
