//! Hand-overs that go wrong.
