//! Conditions from their text to what they say: facts, signs, mistakes, explanations, the index, what is certain, and
//! what chance makes of them all.

mod analysis;
pub(in crate::rules) mod chance;
mod facts;
mod fuzz;
mod given;
mod index;
mod mistakes;
mod oracle;
mod signs;
mod why;
