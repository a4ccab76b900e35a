//! The API, in process: a server on a loopback port, spoken to through the generated clients. What is asserted is
//! what was answered; nothing sleeps, and a guard ends whatever never comes.

mod answers;
mod attach;
mod cards;
mod desk;
mod durability;
mod erase;
mod expect;
mod explain;
mod faults;
mod floor;
mod handing_on;
mod harness;
mod hostile;
mod hours;
mod intake;
mod journeys;
mod load;
mod lost;
mod money;
mod names;
mod parking;
mod people;
mod planted;
mod policies;
mod promises;
mod races;
mod reaching;
mod reports;
mod route;
mod rules;
mod streams;
mod supervising;
mod verbs;
mod waiting;
mod wording;
