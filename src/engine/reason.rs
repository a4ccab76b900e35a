//! Every reason the engine gives, as a supervisor reads it: why an offer was taken back, why an interaction left, why
//! nobody is waited for any more. Wait reasons and exclusions are in `explain.rs`, refusals in `command.rs`.

use super::event::{
    AbandonCause, CancelCause, ConnectFailure, EndedBy, Ending, ExitCause, PreferenceEnd, RescindCause,
    SeekEnd,
};

impl Ending {
    /// What became of the offer.
    pub fn sentence(self) -> &'static str {
        match self {
            Ending::Accepted => "the agent accepted",
            Ending::Declined => "the agent declined",
            Ending::Expired => "the agent did not answer in time",
            Ending::Rescinded => "it was taken back before the agent answered",
        }
    }
}

impl RescindCause {
    /// Why the engine took the offer back.
    pub fn sentence(self) -> &'static str {
        match self {
            RescindCause::CustomerLeft => "the customer left",
            RescindCause::Withdrawn => "it was withdrawn",
            RescindCause::AgentUnavailable => "the agent went on break or signed out",
            RescindCause::SessionLost => "the agent's connection was lost",
            RescindCause::EngineRestart => "the engine was restarted",
            RescindCause::SourceLost => "the source of the interaction was lost",
            RescindCause::TakenByAnother => "another agent was faster",
            RescindCause::Supervisor => "a supervisor took it up",
            RescindCause::CallbackRequested => "the customer is called back later",
            RescindCause::Replaced => "the customer came again another way",
            RescindCause::NotSoughtAnyMore => "no second agent is wanted any more",
        }
    }
}

impl AbandonCause {
    /// Why the customer counts as gone.
    pub fn sentence(self) -> &'static str {
        match self {
            AbandonCause::CustomerLeft => "the customer left while waiting",
            AbandonCause::SourceLost => {
                "the source of the interaction was lost and did not come back in time"
            }
            AbandonCause::GoneBeforeConnected => "the customer was gone when the agent was to be connected",
        }
    }
}

impl CancelCause {
    /// Why it was taken out.
    pub fn sentence(self) -> &'static str {
        match self {
            CancelCause::Withdrawn => "its source took it back",
            CancelCause::Replaced { .. } => "another contact of the customer about the matter has its place",
            CancelCause::Merged { .. } => "another contact of the customer is called about the matter",
        }
    }
}

impl EndedBy {
    /// Who did it.
    pub fn sentence(self) -> &'static str {
        match self {
            EndedBy::Agent => "the agent",
            EndedBy::Customer => "the customer",
            EndedBy::Source => "the source",
            EndedBy::Clock => "the clock",
            EndedBy::Supervisor => "a supervisor",
            EndedBy::Transfer => "the transfer to another agent",
            EndedBy::Engine => "the end of the conversation",
        }
    }
}

impl ConnectFailure {
    /// Why agent and customer were not connected.
    pub fn sentence(self) -> &'static str {
        match self {
            ConnectFailure::AgentNoAnswer => "the agent's phone was not answered",
            ConnectFailure::AgentBusy => "the agent's phone was busy",
            ConnectFailure::CustomerGone => "the customer was gone",
            ConnectFailure::CustomerNoAnswer => "the customer did not answer",
            ConnectFailure::Network => "the network failed",
        }
    }
}

impl ExitCause {
    /// Why it left its queue.
    pub fn sentence(self) -> &'static str {
        match self {
            ExitCause::LastStep => "it waited through the last step of relaxation",
            ExitCause::TooManyDeclines => "as many agents refused it as may",
            ExitCause::QueueClosed => "the queue is closed",
            ExitCause::Overflow => "a rule of overflow holds",
            ExitCause::Unreachable => "the customer was called as often as may be and did not answer",
        }
    }
}

impl PreferenceEnd {
    /// Why it does not wait for one agent any more.
    pub fn sentence(self) -> &'static str {
        match self {
            PreferenceEnd::BudgetSpent => "it has waited for that agent as long as it may",
            PreferenceEnd::AgentSignedOut => "that agent has signed out",
            PreferenceEnd::Overdue => "it has waited beyond its maximum",
            PreferenceEnd::AgentRefused => "that agent declined it or did not answer",
        }
    }
}

impl SeekEnd {
    /// Why no second agent is looked for any more.
    pub fn sentence(self) -> &'static str {
        match self {
            SeekEnd::TakenBack => "the agent who asked took it back",
            SeekEnd::TimedOut => "nobody was found in time",
            SeekEnd::AgentRefused => "the agent who was asked declined, did not answer or signed out",
            SeekEnd::ConversationEnded => "the conversation ended",
        }
    }
}
