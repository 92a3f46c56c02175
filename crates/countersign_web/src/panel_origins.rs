//! Who may put the panel into a frame.

/// What every policy says about frames, until [`PanelOrigins`] says more.
const NOBODY: &str = "frame-ancestors 'none'";

/// The origins in whose pages `/panel` may stand; nobody's by default. Everything else is framed by nobody at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PanelOrigins(Vec<String>);

/// Not an origin that may stand in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnOrigin(String);

impl std::fmt::Display for NotAnOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` is not an origin such as `https://acme.zendesk.com`",
            self.0
        )
    }
}

impl std::error::Error for NotAnOrigin {}

impl PanelOrigins {
    /// Each exactly `https://host` or `https://host:port`, or `http` on loopback: no path, no wildcard, nothing that
    /// could end the directive it is written into (CSP Level 3, §6.4.2).
    ///
    /// # Errors
    /// The first that is something else.
    pub fn new(origins: &[String]) -> Result<Self, NotAnOrigin> {
        match origins.iter().find(|origin| !is_origin(origin)) {
            Some(other) => Err(NotAnOrigin(other.clone())),
            None => Ok(Self(origins.to_vec())),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Separated by spaces.
    pub fn joined(&self) -> String {
        self.0.join(" ")
    }

    /// This policy for the panel.
    pub(crate) fn policy(&self, policy: &str) -> String {
        if self.is_empty() {
            return policy.to_owned();
        }
        policy.replace(NOBODY, &format!("frame-ancestors {}", self.joined()))
    }
}

fn is_origin(text: &str) -> bool {
    let host = if let Some(host) = text.strip_prefix("https://") {
        host
    } else if let Some(host) = text.strip_prefix("http://") {
        let name = host.split(':').next().unwrap_or_default();
        if !matches!(name, "localhost" | "127.0.0.1") {
            return false;
        }
        host
    } else {
        return false;
    };
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.split('.').all(is_label) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(origin: &str) -> Result<PanelOrigins, NotAnOrigin> {
        PanelOrigins::new(&[origin.to_owned()])
    }

    #[test]
    fn an_origin_is_exactly_one() {
        for good in [
            "https://acme.zendesk.com",
            "https://1234.apps.zdusercontent.com",
            "https://chat.acme.example:8443",
            "http://localhost:3000",
            "http://127.0.0.1:9000",
        ] {
            assert!(one(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "https://*",
            "https://*.zendesk.com",
            "https://acme.zendesk.com/",
            "https://acme.zendesk.com/agent",
            "http://acme.zendesk.com",
            "https:",
            "https://",
            "https://acme.zendesk.com; script-src *",
            "https://a.example https://b.example",
            "https://user@a.example",
            "https://a.example:0",
            "https://a.example:99999",
            "https://a.example:",
            "https://A.example",
            "https://a..example",
            "'self'",
            "data:",
        ] {
            assert!(one(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_policy_names_them_and_changes_nothing_else() {
        let policy = format!("default-src 'none'; {NOBODY}; base-uri 'none'");
        assert_eq!(PanelOrigins::default().policy(&policy), policy);
        let two = PanelOrigins::new(&["https://a.example".into(), "https://b.example".into()]);
        assert_eq!(
            two.unwrap().policy(&policy),
            "default-src 'none'; frame-ancestors https://a.example https://b.example; base-uri 'none'"
        );
    }
}
