//! The API, in process: a server on a loopback port, spoken to through the generated clients. What is asserted is
//! what was answered; nothing sleeps, and a guard ends whatever never comes.

mod answers;
mod attach;
mod desk;
mod expect;
mod floor;
mod harness;
mod intake;
mod names;
mod streams;
mod waiting;
