//! Style, scripts and icon: in the binary, named by their content.
