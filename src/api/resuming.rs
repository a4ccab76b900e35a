//! Where a client stands on a stream and wants to go on: cursors out, and cursors that come back.

use super::convert::{moment, timestamp};
use super::status::ApiError;
use crate::engine::ids::Sequence;
use crate::engine::time::Time;
use crate::proto;
use crate::runtime::backlog::{After, Position};
use tonic::Code;

/// The cursor of a message.
pub fn cursor_at(position: Position, time: Time) -> proto::Cursor {
    let Position { sequence, index } = position;
    proto::Cursor { sequence: sequence.0, time: Some(timestamp(time)), index }
}

/// A cursor as it came back. One that nothing was told under yet, with the sequence 0, stands before everything.
pub fn resume_after(cursor: Option<&proto::Cursor>) -> Result<Option<After>, ApiError> {
    let Some(cursor) = cursor else { return Ok(None) };
    let position = Position { sequence: Sequence(cursor.sequence), index: cursor.index };
    let time = cursor.time.map(|time| moment("resume_after.time", time)).transpose()?;
    Ok(Some(After { position, time }))
}

/// Refuses to go on after what never happened here.
pub fn has_happened(after: Option<After>, last: Sequence) -> Result<(), ApiError> {
    let Some(After { position, .. }) = after.filter(|after| after.position.sequence > last) else {
        return Ok(());
    };
    let message = format!(
        "resume_after.sequence: got {}, want at most {last}, the newest event there is: open the stream without a cursor",
        position.sequence
    );
    let ahead = ApiError::new(Code::OutOfRange, "CURSOR_AHEAD", message);
    Err(ahead.blaming("resume_after.sequence").telling("last_sequence", &last.to_string()))
}

/// The error of a reader who was too slow, with the cursor before the gap.
pub fn gap_after(error: ApiError, position: Position) -> ApiError {
    let told = error.telling("after_sequence", &position.sequence.to_string());
    told.telling("after_index", &position.index.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let position = Position { sequence: Sequence(7), index: 2 };
        let time = Time(1_767_225_600_123);
        let back = resume_after(Some(&cursor_at(position, time))).expect("as it went");
        assert_eq!(back, Some(After { position, time: Some(time) }));
        assert_eq!(resume_after(None).expect("nothing is asked"), None);
    }

    #[test]
    fn a_cursor_that_cannot_be_is_refused_by_its_field() {
        let wrong = proto::Cursor {
            sequence: 7,
            index: 1,
            time: Some(prost_types::Timestamp { seconds: 1, nanos: -1 }),
        };
        let error = resume_after(Some(&wrong)).expect_err("no such time");
        assert!(error.message().starts_with("resume_after.time: got 1 s -1 ns"), "{}", error.message());
        let at = |sequence| {
            let position = Position { sequence: Sequence(sequence), index: 1 };
            Some(After { position, time: None })
        };
        assert!(has_happened(at(9), Sequence(9)).is_ok());
        let ahead = has_happened(at(10), Sequence(9)).expect_err("it has not happened");
        assert_eq!((ahead.code(), ahead.reason()), (Code::OutOfRange, "CURSOR_AHEAD"));
    }
}
