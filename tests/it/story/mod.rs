//! A story is a file of blocks, separated by blank lines: commands, a line of dashes, what happened. A block that
//! opens with `# ` begins anew with an empty floor; any other, also under a `## `, goes on where the last one stopped.
//!
//! `words` cuts a line into its parts; `world`, `floor`, `routes` and `asks` tell it to the engine; `render`, `happened`
//! and `look` say what happened, and how things stand.

mod asks;
mod floor;
mod happened;
mod look;
mod render;
mod routes;
mod words;
mod world;

use baton::engine::event::Stamped;
use world::World;

/// The line between what is asked and what happens.
const DASHES: &str = "----";

/// The same file with what really happens below the dashes. An error is a line that cannot be understood, or a story
/// whose events do not lead to the same state again.
pub fn retell(written: &str) -> Result<String, String> {
    let mut told = Vec::new();
    let mut world = World::new();
    for block in written.split("\n\n").map(|block| block.trim_matches('\n')).filter(|block| !block.is_empty())
    {
        if block.starts_with("# ") {
            world.check_recovery()?;
            world = World::new();
        }
        told.push(retell_block(block, &mut world)?);
    }
    world.check_recovery()?;
    Ok(told.join("\n\n") + "\n")
}

/// The events of each story of a file.
pub fn journals(written: &str) -> Vec<Vec<Stamped>> {
    let mut worlds = vec![World::new()];
    for block in written.split("\n\n").map(|block| block.trim_matches('\n')).filter(|block| !block.is_empty())
    {
        if block.starts_with("# ") {
            worlds.push(World::new());
        }
        let world = worlds.last_mut().expect("there is one from the start");
        retell_block(block, world).expect("the stories are told by their own test");
    }
    worlds.into_iter().map(|world| world.journal).collect()
}

fn retell_block(block: &str, world: &mut World) -> Result<String, String> {
    let asked: Vec<&str> = block.lines().take_while(|line| *line != DASHES).collect();
    let mut happened = Vec::new();
    for line in asked.iter().filter(|line| !line.starts_with('#')) {
        let lines = world.tell(line).map_err(|problem| format!("`{line}`: {problem}"))?;
        happened.extend(lines);
    }
    let mut lines: Vec<String> = asked.iter().map(|line| (*line).to_owned()).collect();
    lines.push(DASHES.to_owned());
    lines.extend(happened);
    Ok(lines.join("\n"))
}
