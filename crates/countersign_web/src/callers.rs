//! Who is calling: extractors that hand over the service's witnesses, and nothing else.
//!
//! A handler that takes [`Seat`] can only be reached through a customer's
//! link; one that takes [`Staff`] only with a live session; one that takes
//! [`Machine`] only with a token of the settings. There is no extractor that
//! accepts two of them for a proof.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use countersign_service::{CustomerSeat, MachineCaller, PanelStaff, SignedInStaff};

use crate::Web;
use crate::body::Form;
use crate::problem::Problem;

/// Longest token that is kept in a cookie.
const TOKEN_CHARS_MAX: usize = 128;

/// A signed-in member of staff, by session cookie or bearer token.
#[derive(Debug)]
pub struct Staff(pub SignedInStaff);

/// A program with a token.
#[derive(Debug)]
pub struct Machine(pub MachineCaller);

/// The customer of one case, by the cookie their link set.
#[derive(Debug)]
pub struct Seat(pub CustomerSeat);

/// A member of staff in the panel, asked by one of its own pages.
///
/// The panel's cookie goes along whenever the page it is framed in makes a
/// browser ask us, so who asked is looked at first: only the panel itself may,
/// by what browsers say and no script can forge (Fetch Metadata,
/// `Sec-Fetch-Site`). The one exception is looking at `/panel`, which asks
/// nothing and is how the frame begins.
#[derive(Debug)]
pub struct Panel(pub PanelStaff);

/// A form of the panel that carries the token of its own session.
#[derive(Debug)]
pub struct PanelForm {
    /// Who.
    pub by: PanelStaff,
    /// The form's other fields.
    pub fields: BTreeMap<String, String>,
}

/// A request made by a page of ours; a browser that does not say so is not believed.
#[derive(Debug)]
pub struct SameOrigin;

/// A member of staff or a program: for what both may read or ask.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one a request, on its way to one call"
)]
pub enum Caller {
    /// Staff.
    Staff(SignedInStaff),
    /// A program.
    Machine(MachineCaller),
}

impl FromRequestParts<Web> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        match session_token(&parts.headers, web) {
            Some(token) => web
                .gate
                .staff_session(&token)
                .await
                .map_err(Problem::from)?
                .map(Self)
                .ok_or_else(Problem::sign_in),
            None => Err(Problem::sign_in()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SameOrigin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match fetch_metadata(&parts.headers, "sec-fetch-site") {
            Some("same-origin") => Ok(Self),
            _ => Err(Problem::cross_site()),
        }
    }
}

impl FromRequestParts<Web> for Panel {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let begins = parts.method == Method::GET
            && parts.uri.path() == "/panel"
            && fetch_metadata(&parts.headers, "sec-fetch-mode") == Some("navigate");
        if web.cookies.panel(&parts.headers).is_none() {
            return Err(Problem::sign_in());
        }
        if !begins {
            let SameOrigin = SameOrigin::from_request_parts(parts, web).await?;
        }
        match web.cookies.panel(&parts.headers) {
            Some(token) => web
                .gate
                .panel_session(&token, true)
                .await
                .map_err(Problem::from)?
                .map(Self)
                .ok_or_else(Problem::sign_in),
            None => Err(Problem::sign_in()),
        }
    }
}

impl FromRequest<Web> for PanelForm {
    type Rejection = Problem;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Panel(by) = Panel::from_request_parts(&mut parts, web).await?;
        let Form(mut fields) =
            Form::<BTreeMap<String, String>>::from_request(Request::from_parts(parts, body), web)
                .await?;
        let token = fields.remove("form").unwrap_or_default();
        if by.made_form(&token) {
            Ok(Self { by, fields })
        } else {
            Err(Problem::cross_site())
        }
    }
}

fn fetch_metadata<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl FromRequestParts<Web> for Machine {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        bearer(&parts.headers)
            .and_then(|token| web.gate.machine(token))
            .map(Self)
            .ok_or_else(Problem::sign_in)
    }
}

impl FromRequestParts<Web> for Seat {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        match web.cookies.seat(&parts.headers) {
            Some(token) => web
                .gate
                .seat(&token)
                .await
                .map_err(Problem::from)?
                .map(Self)
                .ok_or_else(Problem::link_over),
            None => Err(Problem::link_over()),
        }
    }
}

impl FromRequestParts<Web> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        if let Some(machine) = bearer(&parts.headers).and_then(|token| web.gate.machine(token)) {
            return Ok(Self::Machine(machine));
        }
        Staff::from_request_parts(parts, web)
            .await
            .map(|staff| Self::Staff(staff.0))
    }
}

impl Caller {
    /// What an Idempotency-Key of this caller is scoped to.
    pub fn idempotency_scope(&self, route: &str) -> String {
        match self {
            Self::Staff(staff) => format!("staff/{}/{route}", staff.account()),
            Self::Machine(machine) => format!("machine/{}/{route}", machine.name()),
        }
    }
}

/// The names and attributes of the gate's cookies.
///
/// With an `https` origin they carry the `__Host-` prefix and `Secure`, so
/// that no neighbouring host can set them (RFC 6265bis §4.1.3.2). On loopback
/// over plain `http`, for the demo and tests, browsers would refuse that.
#[derive(Debug, Clone)]
pub struct Cookies {
    secure: bool,
}

impl Cookies {
    /// Whether they travel over `https` alone.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// For this origin.
    pub fn new(origin: &str) -> Self {
        Self {
            secure: origin.starts_with("https://"),
        }
    }

    /// The staff session's token.
    pub fn session(&self, headers: &HeaderMap) -> Option<String> {
        cookie(headers, self.session_name())
    }

    /// The panel's token.
    pub fn panel(&self, headers: &HeaderMap) -> Option<String> {
        cookie(headers, self.panel_name())
    }

    /// `Set-Cookie` that signs in to the panel. It goes along in somebody else's page, and is kept apart for each such
    /// page (`Partitioned`, CHIPS): a panel beside one help desk is none beside another. Over plain `http` no browser
    /// would keep such a cookie; there the panel works in a window of its own alone.
    pub fn set_panel(&self, token: &str) -> HeaderValue {
        if !is_token(token) {
            return self.clear_panel();
        }
        self.panel_header(&format!("{}={token}", self.panel_name()))
    }

    /// `Set-Cookie` that forgets the panel's session.
    pub fn clear_panel(&self) -> HeaderValue {
        self.panel_header(&format!("{}=; Max-Age=0", self.panel_name()))
    }

    fn panel_header(&self, pair: &str) -> HeaderValue {
        if !self.secure {
            return self.header(pair);
        }
        HeaderValue::from_str(&format!(
            "{pair}; Path=/; HttpOnly; SameSite=None; Secure; Partitioned"
        ))
        .unwrap_or(HeaderValue::from_static(""))
    }

    fn panel_name(&self) -> &'static str {
        if self.secure {
            "__Host-countersign-panel"
        } else {
            "countersign-panel"
        }
    }

    /// The customer seat's token.
    pub fn seat(&self, headers: &HeaderMap) -> Option<String> {
        cookie(headers, self.seat_name())
    }

    /// The link that was opened and not yet used.
    pub fn link(&self, headers: &HeaderMap) -> Option<String> {
        cookie(headers, self.link_name())
    }

    /// `Set-Cookie` that signs a member of staff in; ends with the browser session at the latest.
    pub fn set_session(&self, token: &str) -> HeaderValue {
        self.set(self.session_name(), token)
    }

    /// `Set-Cookie` that seats the customer.
    pub fn set_seat(&self, token: &str) -> HeaderValue {
        self.set(self.seat_name(), token)
    }

    /// `Set-Cookie` that remembers an opened link, so that its token leaves the address bar.
    pub fn set_link(&self, token: &str) -> HeaderValue {
        self.set(self.link_name(), token)
    }

    /// `Set-Cookie` that forgets the session.
    pub fn clear_session(&self) -> HeaderValue {
        self.clear(self.session_name())
    }

    /// `Set-Cookie` that forgets the link.
    pub fn clear_link(&self) -> HeaderValue {
        self.clear(self.link_name())
    }

    /// The invitation that was opened.
    pub fn invitation(&self, headers: &HeaderMap) -> Option<String> {
        cookie(headers, self.invitation_name())
    }

    /// `Set-Cookie` that remembers an opened invitation.
    pub fn set_invitation(&self, token: &str) -> HeaderValue {
        self.set(self.invitation_name(), token)
    }

    /// `Set-Cookie` that forgets the invitation.
    pub fn clear_invitation(&self) -> HeaderValue {
        self.clear(self.invitation_name())
    }

    /// The sign-in at the company that this browser began.
    pub fn login(&self, headers: &HeaderMap) -> Option<String> {
        cookie(headers, self.login_name())
    }

    /// `Set-Cookie` that remembers it.
    pub fn set_login(&self, token: &str) -> HeaderValue {
        self.set(self.login_name(), token)
    }

    /// `Set-Cookie` that forgets it.
    pub fn clear_login(&self) -> HeaderValue {
        self.clear(self.login_name())
    }

    /// `Set-Cookie` for something the person chose about pages; kept for a year.
    pub fn set_choice(&self, name: &str, value: &str) -> HeaderValue {
        self.header(&format!("{name}={value}; Max-Age=31536000"))
    }

    fn session_name(&self) -> &'static str {
        if self.secure {
            "__Host-countersign"
        } else {
            "countersign"
        }
    }

    fn seat_name(&self) -> &'static str {
        if self.secure {
            "__Host-countersign-seat"
        } else {
            "countersign-seat"
        }
    }

    fn link_name(&self) -> &'static str {
        if self.secure {
            "__Host-countersign-link"
        } else {
            "countersign-link"
        }
    }

    fn invitation_name(&self) -> &'static str {
        if self.secure {
            "__Host-countersign-invitation"
        } else {
            "countersign-invitation"
        }
    }

    fn login_name(&self) -> &'static str {
        if self.secure {
            "__Host-countersign-login"
        } else {
            "countersign-login"
        }
    }

    /// A value that came from an address may say anything; what is no token clears the cookie instead of
    /// adding attributes of its own.
    fn set(&self, name: &str, value: &str) -> HeaderValue {
        if !is_token(value) {
            return self.clear(name);
        }
        self.header(&format!("{name}={value}"))
    }

    fn clear(&self, name: &str) -> HeaderValue {
        self.header(&format!("{name}=; Max-Age=0"))
    }

    fn header(&self, pair: &str) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        // Lax: a customer arrives from a chat, a senior from a mail; no decision is ever a GET.
        HeaderValue::from_str(&format!("{pair}; Path=/; HttpOnly; SameSite=Lax{secure}"))
            .unwrap_or(HeaderValue::from_static(""))
    }
}

fn is_token(value: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    !value.is_empty() && value.len() <= TOKEN_CHARS_MAX && value.chars().all(fits)
}

/// What a member of staff is signed in with: a bearer token, and only where there is none the cookie.
pub fn session_token(headers: &HeaderMap, web: &Web) -> Option<String> {
    bearer(headers)
        .map(str::to_owned)
        .or_else(|| web.cookies.session(headers))
}

/// The token of an `Authorization: Bearer …` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The value of a cookie; the first one where a browser sends several.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn a_bearer_token_is_read_and_nothing_else() {
        assert_eq!(
            bearer(&headers(header::AUTHORIZATION, "Bearer abc")),
            Some("abc")
        );
        assert_eq!(
            bearer(&headers(header::AUTHORIZATION, "bearer abc")),
            Some("abc")
        );
        assert_eq!(bearer(&headers(header::AUTHORIZATION, "Basic abc")), None);
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let sent = headers(
            header::COOKIE,
            "xcountersign=1; countersign-seat=2; countersign=3",
        );
        let cookies = Cookies::new("http://localhost:4180");
        assert_eq!(cookies.session(&sent).as_deref(), Some("3"));
        assert_eq!(cookies.seat(&sent).as_deref(), Some("2"));
        assert_eq!(Cookies::new("https://support.example").session(&sent), None);
    }

    #[test]
    fn what_is_no_token_is_not_kept() {
        let cookies = Cookies::new("https://support.example");
        let cleared = "__Host-countersign-link=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure";
        for odd in [
            "",
            "a; Domain=evil.example",
            "a b",
            "a\r\nSet-Cookie: b=c",
            "é",
            &"a".repeat(TOKEN_CHARS_MAX + 1),
        ] {
            assert_eq!(cookies.set_link(odd), cleared, "{odd:?}");
        }
    }

    #[test]
    fn the_panel_has_a_cookie_for_each_page_it_stands_in() {
        let set = Cookies::new("https://support.example").set_panel("t");
        assert_eq!(
            set,
            "__Host-countersign-panel=t; Path=/; HttpOnly; SameSite=None; Secure; Partitioned"
        );
        let local = Cookies::new("http://localhost:4180").set_panel("t");
        assert_eq!(local, "countersign-panel=t; Path=/; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn over_https_cookies_are_bound_to_the_host() {
        let set = Cookies::new("https://support.example").set_session("t");
        assert_eq!(
            set,
            "__Host-countersign=t; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
    }
}
