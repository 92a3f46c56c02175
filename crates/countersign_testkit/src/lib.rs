//! Fixtures, auditor, tidy tests (development only).

pub mod adversary;
#[cfg(feature = "simulator")]
pub mod auditor;
#[cfg(feature = "browser")]
pub mod browser;
pub mod naive;
#[cfg(unix)]
pub mod postgres;
pub mod replay;
#[cfg(feature = "simulator")]
pub mod simulator;
pub mod world;

/// A procedure's text without its drills: for who plays cases and cannot tell a planted one, and for tests that take away
/// what a drill asks.
pub fn without_drills(text: &str) -> String {
    text.lines()
        .filter(|line| !line.starts_with("drill "))
        .flat_map(|line| [line, "\n"])
        .collect()
}
