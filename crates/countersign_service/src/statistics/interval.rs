//! A rate with the interval it is known to lie in.
//!
//! C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits
//! illustrated in the case of the binomial", Biometrika 26 (1934): the exact
//! two-sided 95 % interval, from quantiles of the beta distribution.

use serde::{Deserialize, Serialize};
use statrs::function::beta::{beta_reg, inv_beta_reg};

/// Probability left out on each side: 2.5 %.
const TAIL: f64 = 0.025;

/// How often something happened, of how many times it could have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How often it happened.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// `count / of`, 0 to 1; 0 where `of` is 0.
    pub share: f64,
    /// Lower end of the exact 95 % interval, 0 to 1.
    pub low: f64,
    /// Upper end, 0 to 1.
    pub high: f64,
    /// `0 of 10,482: below 0.036 %`
    pub words: String,
}

impl Rate {
    /// `count` of `of`; a count beyond `of` is taken as all of them.
    pub fn new(count: u64, of: u64) -> Self {
        let count = count.min(of);
        let (low, high) = interval(count, of);
        let share = if of == 0 {
            0.0
        } else {
            float(count) / float(of)
        };
        let mut rate = Self {
            count,
            of,
            share,
            low,
            high,
            words: String::new(),
        };
        rate.words = rate.in_words();
        rate
    }

    /// What one case alone shows of a claim that it was isolated; `None` where there is more or less than one.
    ///
    /// `1 of 10,482 is between 0.0002 % and 0.053 %: this does not show that it is isolated`
    pub fn of_one(&self) -> Option<String> {
        (self.count == 1 && self.of > 1).then(|| {
            format!(
                "1 of {} is between {} and {}: this does not show that it is isolated",
                grouped(self.of),
                lower(self.low),
                upper(self.high)
            )
        })
    }

    fn in_words(&self) -> String {
        let of = format!("{} of {}", grouped(self.count), grouped(self.of));
        match (self.count, self.of) {
            (_, 0) => "0 of 0: nothing is known".to_owned(),
            // A claim of "below" is rounded up, one of "above" down, so that neither says too much.
            (0, _) => format!("{of}: below {}", below(self.high)),
            (count, all) if count == all => format!("{of}: above {}", above(self.low)),
            _ => format!(
                "{of}: {}, between {} and {}",
                upper(self.share),
                lower(self.low),
                upper(self.high)
            ),
        }
    }
}

/// The exact interval: `low <= count / of <= high`, each 0 to 1. Nothing known of nothing: 0 to 1.
fn interval(count: u64, of: u64) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let (k, n) = (float(count), float(of));
    let low = match count {
        0 => 0.0,
        _ if count == of => TAIL.powf(1.0 / n),
        1 => -f64::exp_m1(f64::ln_1p(-TAIL) / n),
        _ => quantile(k, n - k + 1.0, TAIL),
    };
    let high = match of - count {
        0 => 1.0,
        left if left == of => -f64::exp_m1(TAIL.ln() / n),
        1 => f64::exp(f64::ln_1p(-TAIL) / n),
        _ => quantile(k + 1.0, n - k, 1.0 - TAIL),
    };
    (low, high)
}

/// Quantile of the beta distribution, checked by putting it back; bisected where the quick answer is not one.
fn quantile(a: f64, b: f64, p: f64) -> f64 {
    let off = |x: f64| beta_reg(a, b, x) - p;
    let quick = inv_beta_reg(a, b, p);
    if quick > 0.0 && quick < 1.0 && off(quick).abs() < 1e-9 {
        return quick;
    }
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if off(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

/// The upper end of an interval, or a share: two significant figures, one decimal from 1 % on.
fn upper(share: f64) -> String {
    let percent = share * 100.0;
    rounded(percent, figures(percent, 2), f64::round)
}

/// The lower end: rounded down, one significant figure below 1 %.
fn lower(share: f64) -> String {
    let percent = share * 100.0;
    rounded(percent, figures(percent, 1), f64::floor)
}

fn below(share: f64) -> String {
    let percent = share * 100.0;
    rounded(percent, figures(percent, 2), f64::ceil)
}

fn above(share: f64) -> String {
    // What is said is how little is missing of everything.
    let missing = (1.0 - share) * 100.0;
    let decimals = figures(missing, 2);
    rounded(share * 100.0, decimals, f64::floor)
}

/// Decimals that leave so many significant figures of a percentage below one; one decimal above.
fn figures(percent: f64, significant: i32) -> i32 {
    if percent >= 1.0 || percent <= 0.0 {
        return 1;
    }
    let mut decimals = significant - 1;
    let mut scaled = percent;
    while scaled < 1.0 && decimals < 15 {
        scaled *= 10.0;
        decimals += 1;
    }
    decimals
}

fn rounded(percent: f64, decimals: i32, round: impl Fn(f64) -> f64) -> String {
    let scale = 10_f64.powi(decimals);
    let value = round(percent * scale) / scale;
    let decimals = usize::try_from(decimals).unwrap_or(1);
    let text = format!("{value:.decimals$}");
    let text = match text.strip_suffix(".0") {
        Some(whole) => whole,
        None => text.as_str(),
    };
    format!("{text} %")
}

/// `10,482`
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P(X <= k) for X of n tries at p, term by term: nothing in common with the beta function.
    fn at_most(k: u64, n: u64, p: f64) -> f64 {
        let (mut term, mut sum) = (f64::ln_1p(-p) * float(n), 0.0);
        for i in 0..=k {
            sum += term.exp();
            term += (float(n - i) / float(i + 1)).ln() + p.ln() - f64::ln_1p(-p);
        }
        sum
    }

    #[test]
    fn the_figures_of_the_incident() {
        assert_eq!(Rate::new(0, 10_482).words, "0 of 10,482: below 0.036 %");
        let one = Rate::new(1, 10_482);
        assert_eq!(
            one.of_one().unwrap(),
            "1 of 10,482 is between 0.0002 % and 0.053 %: this does not show that it is isolated"
        );
        assert_eq!(
            one.words,
            "1 of 10,482: 0.0095 %, between 0.0002 % and 0.053 %"
        );
        assert_eq!(Rate::new(2, 10_482).of_one(), None);
    }

    #[test]
    fn the_ends_are_where_the_tails_are_two_and_a_half_percent() {
        for n in [1_u64, 2, 3, 10, 47, 400, 10_482, 1_000_000] {
            for k in [0, 1, 2, 3, 7, n / 3, n / 2, n - 1, n] {
                if k > n || k > 4_000 {
                    continue;
                }
                let rate = Rate::new(k, n);
                assert!(
                    rate.low <= rate.share && rate.share <= rate.high,
                    "{rate:?}"
                );
                if k > 0 {
                    let tail = 1.0 - at_most(k - 1, n, rate.low);
                    assert!((tail - TAIL).abs() < 1e-6, "low of {k} of {n}: {tail}");
                }
                if k < n {
                    let tail = at_most(k, n, rate.high);
                    assert!((tail - TAIL).abs() < 1e-6, "high of {k} of {n}: {tail}");
                }
            }
        }
    }

    #[test]
    fn words_at_the_edges() {
        assert_eq!(Rate::new(0, 0).words, "0 of 0: nothing is known");
        assert_eq!(Rate::new(0, 1).words, "0 of 1: below 97.5 %");
        assert_eq!(Rate::new(3, 3).words, "3 of 3: above 29.2 %");
        assert_eq!(
            Rate::new(10_482, 10_482).words,
            "10,482 of 10,482: above 99.964 %"
        );
        assert_eq!(
            Rate::new(3, 12).words,
            "3 of 12: 25 %, between 5.4 % and 57.2 %"
        );
        // More than all of them cannot be; nothing is claimed beyond "all".
        assert_eq!(Rate::new(9, 3), Rate::new(3, 3));
        assert_eq!(grouped(1_204_331), "1,204,331");
        assert_eq!(grouped(999), "999");
    }
}
