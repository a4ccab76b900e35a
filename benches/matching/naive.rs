//! What matching is compared with: scans over flat arrays, and the best of many heads over ready-made queues. They
//! decide by the same order and leave out everything else (presence by channel, cool-downs, the why), so they are
//! faster than a whole engine built on them would be.

use priority_queue::PriorityQueue;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Lines there are.
const LINES: u64 = 64;

/// Agents in an array.
pub struct Roster {
    agents: Vec<Row>,
}

struct Row {
    skills: [(u16, u8); 2],
    free: bool,
    idle_since: u64,
}

impl Roster {
    /// So many, with two of 50 skills; all free, idle since different times.
    pub fn new(agents: u32) -> Roster {
        let row = |agent: u32| Row {
            skills: [
                ((agent % 50) as u16, 1 + (agent / 50 % 10) as u8),
                (((agent * 7 + 3) % 50) as u16, 1 + (agent / 500 % 10) as u8),
            ],
            free: true,
            idle_since: u64::from(agent.wrapping_mul(2_654_435_761)),
        };
        Roster { agents: (0..agents).map(row).collect() }
    }

    /// The longest idle of those with the skill.
    pub fn best(&self, skill: u16, proficiency: u8) -> Option<usize> {
        let meets =
            |row: &Row| row.free && row.skills.iter().any(|held| held.0 == skill && held.1 >= proficiency);
        let able = self.agents.iter().enumerate().filter(|(_, row)| meets(row));
        able.min_by_key(|(key, row)| (row.idle_since, *key)).map(|(key, _)| key)
    }

    /// The agent has served somebody and is idle since now.
    pub fn served(&mut self, agent: usize, now: u64) {
        self.agents[agent].idle_since = now;
    }
}

/// Who waits, in an array.
pub struct Line {
    waiting: Vec<(u16, u64)>,
}

impl Line {
    /// So many, in 64 classes.
    pub fn new(waiting: u64) -> Line {
        Line { waiting: (0..waiting).map(|number| ((number % LINES) as u16, spread(number))).collect() }
    }

    /// The first by score in one of two classes.
    pub fn best(&self, classes: [u16; 2]) -> Option<usize> {
        let able = self.waiting.iter().enumerate().filter(|(_, (class, _))| classes.contains(class));
        able.min_by_key(|(key, (_, score))| (*score, *key)).map(|(key, _)| key)
    }
}

/// Lines of which an agent can serve all.
pub trait Lines {
    /// Takes the best of the heads out and puts another one in.
    fn exchange(&mut self) -> u64;
}

/// A sorted set for each line.
pub struct Sets {
    lines: Vec<BTreeSet<(u64, u64)>>,
    next: u64,
}

impl Sets {
    /// So many wait.
    pub fn new(waiting: u64) -> Sets {
        let mut lines = vec![BTreeSet::new(); LINES as usize];
        for number in 0..waiting {
            lines[(number % LINES) as usize].insert((spread(number), number));
        }
        Sets { lines, next: waiting }
    }
}

impl Lines for Sets {
    fn exchange(&mut self) -> u64 {
        let heads = self.lines.iter().enumerate().filter_map(|(line, set)| Some((*set.first()?, line)));
        let ((score, number), line) = heads.min().expect("somebody waits");
        self.lines[line].remove(&(score, number));
        let next = self.next;
        self.next += 1;
        self.lines[(next % LINES) as usize].insert((spread(next).max(score), next));
        number
    }
}

/// A heap with an index for each line.
pub struct Heaps {
    lines: Vec<PriorityQueue<u64, Reverse<u64>>>,
    next: u64,
}

impl Heaps {
    /// So many wait.
    pub fn new(waiting: u64) -> Heaps {
        let mut lines = vec![PriorityQueue::new(); LINES as usize];
        for number in 0..waiting {
            lines[(number % LINES) as usize].push(number, Reverse(spread(number)));
        }
        Heaps { lines, next: waiting }
    }
}

impl Lines for Heaps {
    fn exchange(&mut self) -> u64 {
        let heads = self.lines.iter().enumerate().filter_map(|(line, heap)| {
            let (number, score) = heap.peek()?;
            Some((score.0, *number, line))
        });
        let (score, number, line) = heads.min().expect("somebody waits");
        self.lines[line].pop();
        let next = self.next;
        self.next += 1;
        self.lines[(next % LINES) as usize].push(next, Reverse(spread(next).max(score)));
        number
    }
}

/// A score: time of entry less some minutes, as points of priority make it.
fn spread(number: u64) -> u64 {
    1_000_000 + number - number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 600_000
}
