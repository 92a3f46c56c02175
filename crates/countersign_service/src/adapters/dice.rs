//! The only source of randomness.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::{
    digest,
    rand::{SecureRandom, SystemRandom},
};

/// Draws random bytes.
pub trait Dice: Send + Sync + fmt::Debug {
    /// Fills the whole buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// `N` random bytes.
pub fn random_bytes<const N: usize>(dice: &dyn Dice) -> [u8; N] {
    let mut bytes = [0; N];
    dice.fill(&mut bytes);
    bytes
}

/// Uniform in `0..below`, without bias: draws that do not divide evenly are thrown away.
pub(crate) fn uniform_below(dice: &dyn Dice, below: u32) -> u32 {
    let below = below.max(1);
    let fair = u32::MAX - u32::MAX % below;
    loop {
        let draw = u32::from_be_bytes(random_bytes(dice));
        if draw < fair {
            return draw % below;
        }
    }
}

/// The operating system's generator, through aws-lc.
///
/// A gate that cannot draw randomness must not go on: should the generator
/// ever fail, the process aborts.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDice;

impl Dice for SystemDice {
    fn fill(&self, buffer: &mut [u8]) {
        if SystemRandom::new().fill(buffer).is_err() {
            tracing::error!("the operating system gave no randomness");
            std::process::abort();
        }
    }
}

/// Repeats the same draws for the same seed. For the demo and for tests only: whoever knows the seed knows every draw.
#[derive(Debug)]
pub struct SeededDice {
    seed: u64,
    block: AtomicU64,
}

impl SeededDice {
    /// Dice that start at the beginning of this seed's sequence.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            block: AtomicU64::new(0),
        }
    }
}

impl Dice for SeededDice {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(digest::SHA256_OUTPUT_LEN) {
            let mut input = digest::Context::new(&digest::SHA256);
            input.update(b"countersign/seeded-dice/v1\0");
            input.update(&self.seed.to_be_bytes());
            input.update(&self.block.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            for (to, from) in chunk.iter_mut().zip(input.finish().as_ref()) {
                *to = *from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_dice_repeat_and_differ_by_seed() {
        let draw = |seed| random_bytes::<48>(&SeededDice::new(seed));
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let dice = SeededDice::new(7);
        assert_ne!(random_bytes::<16>(&dice), random_bytes::<16>(&dice));
    }

    #[test]
    fn system_dice_do_not_repeat() {
        assert_ne!(
            random_bytes::<16>(&SystemDice),
            random_bytes::<16>(&SystemDice)
        );
    }

    #[test]
    fn uniform_draws_stay_below_and_reach_every_value() {
        let dice = SeededDice::new(1);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[uniform_below(&dice, 10) as usize] += 1;
        }
        assert!(
            seen.iter().all(|count| (800..1_200).contains(count)),
            "{seen:?}"
        );
    }

    /// A draw in the uneven rest at the top of the range is thrown away rather than folded onto small values.
    #[test]
    fn uneven_draws_are_thrown_away() {
        #[derive(Debug)]
        struct Script(std::sync::Mutex<Vec<u32>>);
        impl Dice for Script {
            fn fill(&self, buffer: &mut [u8]) {
                buffer.copy_from_slice(&self.0.lock().unwrap().remove(0).to_be_bytes());
            }
        }
        // 2^32 - 1 = 42 * 10^8 + 94,967,295: draws from 4,200,000,000 up are unfair for 10^8.
        let script = Script(std::sync::Mutex::new(vec![
            u32::MAX,
            4_200_000_000,
            4_199_999_999,
        ]));
        assert_eq!(uniform_below(&script, 100_000_000), 99_999_999);
    }
}
