//! Reads the bank's call log from CSV, plain or gzipped, and trusts nothing in it.
//!
//! Every column is checked, also those a replay does not use: a file that is wrong in one place is not
//! the file we think it is. What comes out is a `Call` with absolute times.

use std::io::Read;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};
use jiff::civil::Date;

use super::error::RecordError;
use super::record::{AgentNo, Call, Kind, Outcome, Second, Service, midnight};

/// The columns of the format, in their order.
pub(super) const COLUMNS: [&str; 17] = [
    "vru_line",
    "call_id",
    "customer_id",
    "priority",
    "type",
    "date",
    "vru_entry",
    "vru_exit",
    "vru_time",
    "q_start",
    "q_exit",
    "q_time",
    "outcome",
    "ser_start",
    "ser_exit",
    "ser_time",
    "server",
];

/// Rows read at most. A year of the bank had 450,000.
pub(super) const ROWS_MAX: usize = 5_000_000;

const DAY_S: Second = 86_400;

/// Reads every row of a log, phantoms included, in the order of the file.
pub fn read(file: &Path) -> Result<Vec<Call>, RecordError> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(crate::records::open(file).map_err(|source| RecordError::io(file, source))?);
    let mut row = StringRecord::new();
    next(&mut reader, &mut row, file, 1)?;
    check_header(&row, file)?;
    let mut calls = Vec::new();
    while next(&mut reader, &mut row, file, calls.len() as u64 + 2)? {
        if calls.len() == ROWS_MAX {
            return Err(RecordError::TooLong { file: file.to_owned() });
        }
        let line = row.position().map_or(calls.len() as u64 + 2, csv::Position::line);
        calls.push(Row { file, line, row: &row }.call()?);
    }
    Ok(calls)
}

fn next(
    reader: &mut csv::Reader<Box<dyn Read>>,
    row: &mut StringRecord,
    file: &Path,
    line: u64,
) -> Result<bool, RecordError> {
    reader.read_record(row).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(source) => RecordError::io(file, source),
        _ => RecordError::NotText { file: file.to_owned(), line },
    })
}

fn check_header(header: &StringRecord, file: &Path) -> Result<(), RecordError> {
    for index in 0..COLUMNS.len().max(header.len()) {
        let got = header.get(index).unwrap_or("");
        let expected = COLUMNS.get(index).copied().unwrap_or("the end of the line");
        if got != expected {
            let got = shortened(got);
            return Err(RecordError::Header { file: file.to_owned(), position: index + 1, got, expected });
        }
    }
    Ok(())
}

/// Foreign text in a message stays readable: at most 40 characters, no control characters.
fn shortened(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

/// One row with its place, to name it when something is wrong.
struct Row<'a> {
    file: &'a Path,
    line: u64,
    row: &'a StringRecord,
}

impl Row<'_> {
    fn call(&self) -> Result<Call, RecordError> {
        if self.row.len() != COLUMNS.len() {
            return Err(RecordError::Width {
                file: self.file.to_owned(),
                line: self.line,
                got: self.row.len(),
            });
        }
        self.check_unused()?;
        let day = self.day()?;
        let entry = self.clock("vru_entry")?;
        let queued = self.clock("q_start")? != 0;
        let outcome = self.outcome()?;
        let arrival = self.at(day, entry, if queued { "q_start" } else { "vru_exit" })?;
        let wait_s = self.wait_s(queued)?;
        let service = match outcome {
            Outcome::Agent => Some(self.service(day, entry, arrival + Second::from(wait_s))?),
            Outcome::Hang | Outcome::Phantom => None,
        };
        let priority_customer = self.priority_customer()?;
        let row = u32::try_from(self.line).expect("ROWS_MAX keeps lines far below");
        Ok(Call {
            row,
            kind: self.kind()?,
            day,
            priority_customer,
            arrival,
            queued,
            wait_s,
            outcome,
            service,
        })
    }

    /// Columns without a use here still say whether this is the format.
    fn check_unused(&self) -> Result<(), RecordError> {
        let line = self.text("vru_line");
        if !(line.len() == 6 && line.starts_with("AA") && all_digits(&line[2..])) {
            return Err(self.wrong("vru_line", "a menu unit and line such as AA0106"));
        }
        if !all_digits(self.text("call_id")) {
            return Err(self.wrong("call_id", "a number or nothing"));
        }
        if !all_digits(self.text("customer_id").trim_start_matches('C')) {
            return Err(self.wrong("customer_id", "C and a number, 0 or nothing"));
        }
        self.text("vru_time").parse::<i32>().map_err(|_| self.wrong("vru_time", "whole seconds"))?;
        self.clock("ser_exit").map(|_| ())
    }

    fn day(&self) -> Result<Date, RecordError> {
        let text = self.text("date");
        let iso = text.len() == 10;
        let day = text.parse::<Date>().ok().filter(|day| iso && (1970..2200).contains(&day.year()));
        day.ok_or_else(|| self.wrong("date", "a day from 1970 on as YYYY-MM-DD"))
    }

    fn kind(&self) -> Result<Kind, RecordError> {
        let kind = Kind::from_code(self.text("type"));
        kind.ok_or_else(|| self.wrong("type", "one of PS PE IN NE NW TT AA"))
    }

    fn outcome(&self) -> Result<Outcome, RecordError> {
        match self.text("outcome") {
            "AGENT" => Ok(Outcome::Agent),
            "HANG" => Ok(Outcome::Hang),
            "PHANTOM" => Ok(Outcome::Phantom),
            _ => Err(self.wrong("outcome", "one of AGENT HANG PHANTOM")),
        }
    }

    fn priority_customer(&self) -> Result<bool, RecordError> {
        match self.text("priority") {
            "0" | "1" => Ok(false),
            "2" => Ok(true),
            _ => Err(self.wrong("priority", "0, 1 or 2")),
        }
    }

    /// The wait decides every figure, so it must agree with the two clock times it comes from.
    fn wait_s(&self, queued: bool) -> Result<u32, RecordError> {
        let wait = self.seconds("q_time")?;
        let between = if queued { self.clock("q_exit")? - self.clock("q_start")? } else { 0 };
        let between = between.rem_euclid(DAY_S);
        if Second::from(wait) != between {
            return Err(self.wrong("q_time", &format!("{between}, the seconds from q_start to q_exit")));
        }
        Ok(wait)
    }

    /// Some served calls have no start of service; for those it began when they left the line.
    fn service(&self, day: Date, entry: Second, left_line: Second) -> Result<Service, RecordError> {
        let start = match self.clock("ser_start")? {
            0 => left_line,
            _ => self.at(day, entry, "ser_start")?,
        };
        Ok(Service { start, work_s: self.seconds("ser_time")?, agent: self.agent()? })
    }

    fn agent(&self) -> Result<Option<AgentNo>, RecordError> {
        let text = self.text("server");
        if text == "NO_SERVER" {
            return Ok(None);
        }
        let desk = text.chars().next().filter(|desk| matches!(desk, 'A' | 'Z'));
        let number = text.get(1..).filter(|rest| rest.len() == 2 && all_digits(rest));
        let number = number.and_then(|rest| rest.parse().ok()).filter(|number| *number > 0);
        match (desk, number) {
            (Some(desk), Some(number)) => Ok(Some(AgentNo { desk, number })),
            _ => Err(self.wrong("server", "an agent such as A01 or Z01, or NO_SERVER")),
        }
    }

    /// A clock time as an absolute one. The row carries one date, that of entering the voice menu: a time
    /// more than half a day before that entry is past the next midnight.
    fn at(&self, day: Date, entry: Second, column: &'static str) -> Result<Second, RecordError> {
        let clock = self.clock(column)?;
        let next_day = clock < entry - DAY_S / 2;
        Ok(midnight(day) + clock + if next_day { DAY_S } else { 0 })
    }

    /// Seconds since midnight of a column that says HH:MM:SS.
    fn clock(&self, column: &'static str) -> Result<Second, RecordError> {
        clock_of(self.text(column)).ok_or_else(|| self.wrong(column, "a clock time as HH:MM:SS"))
    }

    fn seconds(&self, column: &'static str) -> Result<u32, RecordError> {
        let seconds = self.text(column).parse().ok().filter(|s| Second::from(*s) < DAY_S);
        seconds.ok_or_else(|| self.wrong(column, "whole seconds, less than a day"))
    }

    fn text(&self, column: &'static str) -> &str {
        let index = COLUMNS.iter().position(|name| *name == column).expect("callers name columns of COLUMNS");
        &self.row[index]
    }

    fn wrong(&self, column: &'static str, expected: &str) -> RecordError {
        RecordError::Field {
            file: self.file.to_owned(),
            line: self.line,
            column,
            got: shortened(self.text(column)),
            expected: expected.to_owned(),
        }
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn clock_of(text: &str) -> Option<Second> {
    let [h1, h0, b':', m1, m0, b':', s1, s0] = *text.as_bytes() else { return None };
    let two = |tens: u8, ones: u8| match (tens, ones) {
        (b'0'..=b'9', b'0'..=b'9') => Some(Second::from((tens - b'0') * 10 + (ones - b'0'))),
        _ => None,
    };
    let (hours, minutes, seconds) = (two(h1, h0)?, two(m1, m0)?, two(s1, s0)?);
    (hours < 24 && minutes < 60 && seconds < 60).then_some(hours * 3600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const GOOD: &str = "AA0101,33118,C00004,2,PS,1999-01-01,06:55:20,06:55:26,6,06:55:26,06:55:43,17,AGENT,\
                        06:55:42,06:56:36,54,A01";

    fn read_text(text: &str) -> Result<Vec<Call>, RecordError> {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary folder is writable");
        file.write_all(text.as_bytes()).expect("a temporary file is writable");
        read(file.path())
    }

    fn read_row(row: &str) -> Result<Vec<Call>, RecordError> {
        read_text(&format!("{}\n{row}\n", COLUMNS.join(",")))
    }

    fn message(result: Result<Vec<Call>, RecordError>) -> String {
        let text = result.expect_err("this input is wrong").to_string();
        text.split_once(": ").expect("the file comes first").1.to_owned()
    }

    #[test]
    fn a_served_row_is_read_whole() {
        let calls = read_row(GOOD).expect("a good row");
        let call = calls[0];
        let midnight = midnight(jiff::civil::date(1999, 1, 1));
        assert_eq!((call.row, call.kind, call.wait_s, call.priority_customer), (2, Kind::Ps, 17, true));
        assert_eq!(call.arrival - midnight, 6 * 3600 + 55 * 60 + 26);
        let service = call.service.expect("an agent took it");
        assert_eq!((service.start - call.arrival, service.work_s), (16, 54));
        assert_eq!(service.agent, Some(AgentNo { desk: 'A', number: 1 }));
    }

    #[test]
    fn gzip_is_recognised_by_its_bytes() {
        let text = format!("{}\n{GOOD}\n", COLUMNS.join(","));
        let mut file = tempfile::NamedTempFile::new().expect("a temporary folder is writable");
        let mut gz = flate2::write::GzEncoder::new(&mut file, flate2::Compression::fast());
        gz.write_all(text.as_bytes()).and_then(|()| gz.finish().map(|_| ())).expect("writable");
        assert_eq!(read(file.path()).expect("a good file").len(), 1);
    }

    #[test]
    fn a_time_past_midnight_belongs_to_the_next_day() {
        let row = "AA0101,1,0,0,PS,1999-01-01,23:59:50,23:59:58,8,23:59:58,00:00:08,10,AGENT,00:00:08,\
                   00:01:00,52,NO_SERVER";
        let call = read_row(row).expect("a good row")[0];
        let service = call.service.expect("an agent took it");
        assert_eq!((call.left_line(), service.agent), (service.start, None));
    }

    #[test]
    fn another_format_is_refused_at_its_first_odd_column() {
        let got = message(read_text("vru_line,call,customer_id\n1,2,3\n"));
        assert!(got.starts_with("line 1: column 2 is `call`, expected `call_id`; --format"), "{got}");
        let got = message(read_text(""));
        assert!(got.starts_with("line 1: column 1 is ``, expected `vru_line`"), "{got}");
        let got = message(read_text(&format!("{},more\n", COLUMNS.join(","))));
        assert!(got.starts_with("line 1: column 18 is `more`, expected `the end of the line`"), "{got}");
    }

    #[test]
    fn a_wrong_value_is_named_with_line_and_column() {
        for (good, wrong, expected) in [
            ("PS", "XX", "line 2: type is `XX`, expected one of PS PE IN NE NW TT AA"),
            (
                "1999-01-01",
                "01.01.99",
                "line 2: date is `01.01.99`, expected a day from 1970 on as YYYY-MM-DD",
            ),
            ("AGENT", "LOST", "line 2: outcome is `LOST`, expected one of AGENT HANG PHANTOM"),
            ("06:55:42", "25:00:00", "line 2: ser_start is `25:00:00`, expected a clock time as HH:MM:SS"),
            (",17,", ",18,", "line 2: q_time is `18`, expected 17, the seconds from q_start to q_exit"),
            (",54,", ",-54,", "line 2: ser_time is `-54`, expected whole seconds, less than a day"),
            (",A01", ",é1", "line 2: server is `é1`, expected an agent such as A01 or Z01, or NO_SERVER"),
            ("AA0101", "ÄA010", "line 2: vru_line is `ÄA010`, expected a menu unit and line such as AA0106"),
            (",2,", ",7,", "line 2: priority is `7`, expected 0, 1 or 2"),
        ] {
            assert_eq!(message(read_row(&GOOD.replace(good, wrong))), expected);
        }
    }

    #[test]
    fn a_short_row_is_refused() {
        assert_eq!(message(read_row("AA0101,1")), "line 2: 2 columns, expected 17");
    }
}
