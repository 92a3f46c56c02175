//! Whole stories through the gate, with everything real but the company.

mod attacks;
mod backend;
mod delivery;
mod stories;
mod world;
