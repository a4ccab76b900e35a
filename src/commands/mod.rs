//! The commands of the program, one file each: their options, a call, and what is printed.

mod at;
pub mod audit;
pub mod backtest;
pub mod backup;
mod bar;
pub mod bound;
pub mod card;
mod card_text;
pub mod demo;
pub mod explain;
mod hold;
pub mod journal;
pub mod load;
mod log;
mod printed;
pub mod replay;
pub mod report;
pub mod rules;
pub mod serve;
pub mod simulate;
pub mod top;
pub mod tune;
pub mod write_snapshot;
