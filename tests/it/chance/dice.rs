//! Numbers drawn from those of one move, the same each time: what one command needs beyond its first choices.

/// A row of throws that follows from its start alone.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: [u32; 3]) -> Dice {
        let mixed = seed.iter().fold(0x9e37_79b9_7f4a_7c15, |mixed: u64, number| {
            (mixed ^ u64::from(*number)).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(31)
        });
        Dice(mixed)
    }

    /// One of 0 to below `sides`.
    pub fn of(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed >> 33) % u64::from(sides.max(1))).expect("it is below a u32")
    }

    /// True once in so many throws.
    pub fn one_in(&mut self, sides: u32) -> bool {
        self.of(sides) == 0
    }

    /// One of these.
    pub fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.of(u32::try_from(from.len()).expect("lists here are short")) as usize]
    }
}
