//! `POST /c/language`: the customer chooses what the pages speak.

use axum::extract::State;
use axum::http::header;
use countersign_service::Language;

use super::{Answer, Fields, field, local_path};
use crate::Web;
use crate::body::Form;
use crate::headers::see_other;

/// Remembers the choice, and goes back to the page it was made on. A language that is not offered changes nothing.
pub async fn choose(State(web): State<Web>, Form(fields): Form<Fields>) -> Answer {
    let mut response = see_other(&local_path(field(&fields, "back")));
    if let Some(language) = Language::of_tag(field(&fields, "language")) {
        response.headers_mut().append(
            header::SET_COOKIE,
            web.cookies.set_choice("language", language.tag()),
        );
    }
    Ok(response)
}
