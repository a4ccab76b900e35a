//! Textbook queues, in closed form or as birth and death.

/// M/M/n: arrivals per hour, handle time in s, agents.
#[derive(Clone, Copy)]
pub struct ErlangC {
    per_hour: f64,
    handle_s: f64,
    agents: u32,
}

impl ErlangC {
    pub fn new(per_hour: f64, handle_s: f64, agents: u32) -> ErlangC {
        ErlangC { per_hour, handle_s, agents }
    }

    fn load(self) -> f64 {
        self.per_hour / 3_600.0 * self.handle_s
    }

    pub fn occupancy(self) -> f64 {
        self.load() / f64::from(self.agents)
    }

    pub fn must_wait(self) -> f64 {
        let blocked = (1..=self.agents).fold(1.0, |blocked, agents| {
            let load = self.load() * blocked;
            load / (f64::from(agents) + load)
        });
        blocked / (1.0 - self.occupancy() * (1.0 - blocked))
    }

    /// How fast the wait of those who wait fades, per s.
    fn fading(self) -> f64 {
        (f64::from(self.agents) - self.load()) / self.handle_s
    }

    pub fn mean_wait_s(self) -> f64 {
        self.must_wait() / self.fading()
    }

    pub fn mean_queue(self) -> f64 {
        self.mean_wait_s() * self.per_hour / 3_600.0
    }

    pub fn answered_within(self, target_s: f64) -> f64 {
        1.0 - self.must_wait() * (-self.fading() * target_s).exp()
    }

    /// The wait that so many stay below.
    pub fn quantile_s(self, share: f64) -> f64 {
        (self.must_wait() / (1.0 - share)).ln() / self.fading()
    }
}

/// M/M/n+M: the same, and customers hang up after an exponential patience.
#[derive(Clone, Copy)]
pub struct ErlangA {
    pub must_wait: f64,
    pub abandons: f64,
    pub mean_wait_s: f64,
    pub mean_queue: f64,
    pub occupancy: f64,
}

impl ErlangA {
    pub fn new(per_hour: f64, handle_s: f64, patience_s: f64, agents: u32) -> ErlangA {
        /// Beyond so many in line there is nobody, to the precision of a double.
        const LINE_MAX: u32 = 5_000;
        let (comes, goes, leaves) = (per_hour / 3_600.0, 1.0 / handle_s, 1.0 / patience_s);
        // Weights are relative to the state in which all agents work and nobody waits, so that none overflows.
        let (mut sum, mut waiting, mut in_line) = (1.0, 1.0, 0.0);
        let mut busy = f64::from(agents);
        let mut weight = 1.0;
        for present in (1..=agents).rev() {
            weight *= f64::from(present) * goes / comes;
            sum += weight;
            busy += weight * f64::from(present - 1);
        }
        weight = 1.0;
        for line in 1..=LINE_MAX {
            weight *= comes / (f64::from(agents) * goes + f64::from(line) * leaves);
            sum += weight;
            waiting += weight;
            busy += weight * f64::from(agents);
            in_line += weight * f64::from(line);
        }
        let mean_queue = in_line / sum;
        ErlangA {
            must_wait: waiting / sum,
            abandons: leaves * mean_queue / comes,
            mean_wait_s: mean_queue / comes,
            mean_queue,
            occupancy: busy / sum / f64::from(agents),
        }
    }
}

#[test]
fn the_formulas_give_what_is_published_of_them() {
    // Mandelbaum and Zeltyn, Garnett and others: 48 calls a minute of a minute each, 50 agents, patience 2 minutes.
    let near =
        |value: f64, published: f64, within: f64| assert!((value - published).abs() < within, "{value}");
    let c = ErlangC::new(2_880.0, 60.0, 50);
    near(c.mean_wait_s(), 20.8, 0.05);
    near(c.quantile_s(0.9), 58.1, 0.05);
    near(c.mean_queue(), 17.0, 0.5);
    near(c.occupancy(), 0.96, 0.005);
    let a = ErlangA::new(2_880.0, 60.0, 120.0, 50);
    near(a.abandons, 0.031, 0.0005);
    near(a.mean_wait_s, 3.7, 0.05);
    near(a.occupancy, 0.93, 0.005);
    near(a.mean_queue, 3.0, 0.05);
}
