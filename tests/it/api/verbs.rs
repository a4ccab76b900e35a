//! What agents, platforms and supervisors do beside the desk's own verbs, each as one call.

use super::harness::{Server, name, within};
use baton::proto::{self, Handover, Target};
use tonic::{Response, Status};

/// To one agent, in the queue the interaction is in.
pub fn to_agent(agent: &str) -> Option<Target> {
    Some(Target { agent: name("agents", agent), ..Target::default() })
}

/// To whoever serves a queue.
pub fn to_queue(queue: &str) -> Option<Target> {
    Some(Target { queue: name("queues", queue), ..Target::default() })
}

/// To an agent who is being consulted.
pub fn to_part(assignment: &str) -> Option<Target> {
    Some(Target { assignment: assignment.into(), ..Target::default() })
}

macro_rules! verbs {
    ($($name:ident($client:ident, $request:ident { $($field:ident: $kind:ty),* }) -> $answer:ident;)*) => {
        impl Server {$(
            pub async fn $name(&self, $($field: $kind),*) -> Result<proto::$answer, Status> {
                let request = proto::$request { $($field: $field.into()),* };
                within(stringify!($name), self.$client().$name(request)).await.map(Response::into_inner)
            }
        )*}
    };
}

verbs! {
    consult(agents, ConsultRequest { assignment: &str, target: Option<Target> }) -> AgentStatus;
    conference(agents, ConferenceRequest { assignment: &str, target: Option<Target> }) -> AgentStatus;
    stop_seeking(agents, StopSeekingRequest { assignment: &str }) -> AgentStatus;
    park(agents, ParkRequest { assignment: &str }) -> AgentStatus;
    pull(agents, PullRequest { agent: String, interaction: &str }) -> AcceptResponse;
    extend_wrap_up(agents, ExtendWrapUpRequest { assignment: &str }) -> AgentStatus;
    update(interactions, UpdateInteractionRequest { name: &str, message: &str }) -> Interaction;
    connected(interactions, ConnectedRequest { name: &str }) -> Interaction;
    connect_failed(interactions, ConnectFailedRequest { name: &str, cause: i32 }) -> Interaction;
    assign(supervision, AssignRequest { interaction: &str, agent: String, overdraw: bool }) -> Interaction;
    reprioritise(supervision, ReprioritiseRequest { interaction: &str, priority: i32 }) -> Interaction;
}

impl Server {
    pub async fn transfer(
        &self,
        assignment: &str,
        target: Option<Target>,
        handover: Handover,
        transcript: &str,
    ) -> Result<proto::AgentStatus, Status> {
        let request = proto::TransferRequest {
            assignment: assignment.into(),
            target,
            handover: handover.into(),
            transcript: transcript.into(),
        };
        within("a transfer", self.agents().transfer(request)).await.map(Response::into_inner)
    }

    pub async fn requeue(&self, assignment: &str) -> Result<proto::AgentStatus, Status> {
        let request = proto::RequeueRequest { assignment: assignment.into() };
        within("a requeue", self.agents().requeue(request)).await.map(Response::into_inner)
    }

    pub async fn request_callback(
        &self,
        request: proto::RequestCallbackRequest,
    ) -> Result<proto::RequestCallbackResponse, Status> {
        within("a call-back", self.interactions().request_callback(request)).await.map(Response::into_inner)
    }

    pub async fn set_agent_state(
        &self,
        agent: &str,
        change: proto::set_agent_state_request::Change,
    ) -> Result<proto::AgentStatus, Status> {
        let request = proto::SetAgentStateRequest {
            agent: name("agents", agent),
            change: Some(change),
            break_reason: String::new(),
        };
        within("a change", self.supervision().set_agent_state(request)).await.map(Response::into_inner)
    }
}
