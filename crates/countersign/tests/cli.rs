//! The commands as people type them: `tests/cmd/*.trycmd` hold what they print. `TRYCMD=overwrite` writes them anew.

#[test]
fn commands_print_what_their_pages_say() {
    trycmd::TestCases::new()
        .case("tests/cmd/*.trycmd")
        // Diagnostics must not depend on who looks.
        .env("NO_COLOR", "1");
}
