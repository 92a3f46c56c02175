//! placeholder
/// X
#[derive(Debug)]
pub struct Malformed;
