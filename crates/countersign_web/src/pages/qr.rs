//! QR codes as vector pictures, drawn here from the modules: no picture is fetched, and nothing of it is a style.

use std::fmt::Write as _;

use askama::Template;
use askama::filters::HtmlSafe;
use fast_qr::{ECL, QRBuilder};

/// Blank modules on each side (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;

/// A QR code. Dark on white in either theme: what reads it is a camera.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/qr.html")]
pub struct Qr {
    /// What a picture reader says instead.
    label: String,
    /// Modules on each side, blank ones included.
    size: usize,
    /// The dark modules, a run of them at a time.
    path: String,
}

impl HtmlSafe for Qr {}

impl Qr {
    /// Of this text; `None` if there is too much of it for any code (about 2,300 characters).
    pub fn new(text: &str, label: impl Into<String>) -> Option<Self> {
        let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
        let mut path = String::new();
        for (y, row) in code.data.chunks(code.size).take(code.size).enumerate() {
            let mut x = 0;
            while let Some(module) = row.get(x) {
                if !module.value() {
                    x += 1;
                    continue;
                }
                let run = row.iter().skip(x).take_while(|one| one.value()).count();
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
                x += run;
            }
        }
        Some(Self {
            label: label.into(),
            size: code.size + 2 * QUIET,
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is dark, as the path says.
    fn dark(qr: &Qr) -> Vec<(usize, usize)> {
        let mut dark = Vec::new();
        for run in qr.path.split('z').filter(|run| !run.is_empty()) {
            let (at, rest) = run.trim_start_matches('M').split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            dark.extend((x..x + length).map(|x| (x, y)));
        }
        dark
    }

    #[test]
    fn every_module_is_where_the_code_has_it() {
        let text = "otpauth://totp/Acme:48213?secret=JBSWY3DPEHPK3PXP&issuer=Acme";
        let qr = Qr::new(text, "a code").unwrap();
        let code = QRBuilder::new(text).ecl(ECL::M).build().unwrap();
        assert_eq!(qr.size, code.size + 8);
        let drawn = dark(&qr);
        for y in 0..code.size {
            for x in 0..code.size {
                assert_eq!(
                    drawn.contains(&(x + QUIET, y + QUIET)),
                    code[y][x].value(),
                    "{x} {y}"
                );
            }
        }
        // The three finder patterns begin dark.
        for corner in [(4, 4), (4 + code.size - 7, 4), (4, 4 + code.size - 7)] {
            assert!(drawn.contains(&corner));
        }
    }

    #[test]
    fn a_text_that_is_too_long_has_no_code() {
        assert!(Qr::new(&"x".repeat(4_000), "a code").is_none());
    }
}
