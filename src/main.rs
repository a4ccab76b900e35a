//! The program: options in, one call out.

use baton::commands::{
    audit, backtest, backup, bound, card, demo, explain, journal, load, replay, report, rules, serve,
    simulate, top, tune, write_snapshot,
};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Requests are many short-lived pieces, made on one thread and freed on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Routes customers' interactions from every channel to the best available agent, with their history attached.
#[derive(Debug, Parser)]
#[command(name = "baton", version)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show it all: a server, a simulated floor and a day of a real bank's load, live in the terminal.
    Demo(demo::DemoArgs),
    /// Run the server.
    Serve(serve::ServeArgs),
    /// Put load on a server: calls a second, latencies, and whether the books balance.
    Load(load::LoadArgs),
    /// Check, compare, draft, publish and put back rules.
    Rules(rules::RulesArgs),
    /// List who changed rules and why, or look whether anybody changed the trail of that.
    Audit(audit::AuditArgs),
    /// Copy a server's data folder while it runs, or look through a copy.
    Backup(backup::BackupArgs),
    /// Look through a data folder, show its events, save what lies before damage, release what was set aside.
    Journal(journal::JournalArgs),
    /// Figures of a period from a server's journal: by queue, channel, agent and interval.
    Report(report::ReportArgs),
    /// Take recorded days through the engine, beside the record.
    Replay(replay::ReplayArgs),
    /// Say what a rule change would have done to a recorded period, before it is published.
    Backtest(backtest::BacktestArgs),
    /// Take days through the engine under several policies, side by side.
    Simulate(simulate::SimulateArgs),
    /// Try how dearly scarce skills are best protected, on past days.
    Tune(tune::TuneArgs),
    /// Say how cheap recorded days could have been, beside what policies cost.
    Bound(bound::BoundArgs),
    /// Show what an agent would see of a customer.
    Card(card::CardArgs),
    /// Watch a floor in the terminal: what its lines cost by the minute, what skills are worth, why who gets what.
    Top(top::TopArgs),
    /// Say why an interaction is where it is: its decisions, and what was known of the customer.
    Explain(explain::ExplainArgs),
    /// Write a snapshot for the server that starts this.
    #[command(hide = true)]
    WriteSnapshot(write_snapshot::WriteSnapshotArgs),
}

fn main() -> ExitCode {
    match Program::parse().command {
        Command::Demo(args) => demo::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Load(args) => load::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Audit(args) => audit::run(args),
        Command::Backup(args) => backup::run(args),
        Command::Journal(args) => journal::run(args),
        Command::Report(args) => report::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Backtest(args) => backtest::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Tune(args) => tune::run(args),
        Command::Bound(args) => bound::run(args),
        Command::Card(args) => card::run(args),
        Command::Top(args) => top::run(args),
        Command::Explain(args) => explain::run(args),
        Command::WriteSnapshot(args) => write_snapshot::run(args),
    }
}
