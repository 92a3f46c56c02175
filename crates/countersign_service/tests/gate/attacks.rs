//! People who want what is not theirs, and colleagues who help them.
