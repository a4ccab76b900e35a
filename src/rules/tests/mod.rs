//! Rules as a small bank meets them: what is written, what is planned, and what is said about mistakes.

mod bank;
mod doubts;
mod fuzz;
mod hostile;
mod journey;
mod mistakes;
mod mutated;
mod ordered;
mod plans;
mod relaxation;
mod repeats;
