//! Promises about procedures, proved or broken.
