//! `/settings`: a person's own passkeys, colours and shortcuts.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use serde_json::json;

use super::sign_in::Scripted;
use super::{Answer, Desk, Fields, field, html, local_path};
use crate::Web;
use crate::body::{Form, Json, Path};
use crate::headers::see_other;
use crate::pages::{Errors, KeysPage, PasskeyRow, PasskeysPage, SettingsPage};

/// `GET /settings`
pub async fn page(desk: Desk) -> Answer {
    html(&SettingsPage {
        passkeys: u32::try_from(desk.staff.passkeys()).unwrap_or(u32::MAX),
        frame: desk.frame(None),
    })
}

/// `POST /settings`: theme and shortcuts.
pub async fn save(State(web): State<Web>, _desk: Desk, Form(fields): Form<Fields>) -> Answer {
    let theme = match field(&fields, "theme") {
        "light" => "light",
        "dark" => "dark",
        _ => "system",
    };
    let shortcuts = if field(&fields, "shortcuts").is_empty() {
        "off"
    } else {
        "on"
    };
    let mut response = see_other("/settings");
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.set_choice("theme", theme));
    response.headers_mut().append(
        header::SET_COOKIE,
        web.cookies.set_choice("shortcuts", shortcuts),
    );
    Ok(response)
}

/// `POST /settings/theme`: the one-press toggle of the header.
pub async fn toggle(State(web): State<Web>, Form(fields): Form<Fields>) -> Answer {
    let wanted = if field(&fields, "theme") == "light" {
        "light"
    } else {
        "dark"
    };
    let mut response = see_other(&local_path(field(&fields, "back")));
    response
        .headers_mut()
        .append(header::SET_COOKIE, web.cookies.set_choice("theme", wanted));
    Ok(response)
}

/// `GET /settings/keys`
pub async fn keys(desk: Desk) -> Answer {
    html(&KeysPage {
        frame: desk.frame(None),
    })
}

/// `GET /settings/passkeys`
pub async fn passkeys(State(web): State<Web>, desk: Desk) -> Answer {
    let calendar = &desk.calendar;
    let rows = web
        .gate
        .my_passkeys(&desk.staff)
        .into_iter()
        .map(|passkey| PasskeyRow {
            removable: desk
                .staff
                .is_fresh_without(web.gate.now(), &passkey.credential),
            id: passkey.credential,
            name: passkey.name,
            added: calendar.when(passkey.added_at),
            used: passkey.last_used.map(|at| calendar.when(at)),
        })
        .collect();
    html(&PasskeysPage {
        frame: desk.frame(None),
        fresh: desk.staff.is_fresh(web.gate.now()),
        company: web
            .gate
            .company_sign_in()
            .filter(|_| desk.staff.is_of_company())
            .map(str::to_owned),
        passkeys: rows,
        failed: false,
        errors: Errors::default(),
    })
}

/// `POST /settings/passkeys/confirm/start` (script)
pub async fn start_confirm(State(web): State<Web>, desk: Desk, body: Json<Scripted>) -> Answer {
    let except = Some(body.value.field("except")).filter(|except| !except.is_empty());
    let ceremony = web.gate.start_step_up(&desk.staff, except).await?;
    Ok(
        axum::Json(json!({ "ceremony": ceremony.ceremony, "publicKey": ceremony.options }))
            .into_response(),
    )
}

/// `POST /settings/passkeys/confirm/finish` (script)
pub async fn finish_confirm(State(web): State<Web>, desk: Desk, body: Json<Scripted>) -> Answer {
    web.gate
        .finish_step_up(&desk.staff, &body.value.ceremony, &body.value.credential)
        .await?;
    Ok(axum::Json(json!({ "location": "/settings/passkeys" })).into_response())
}

/// `POST /settings/passkeys/start` (script)
pub async fn start(State(web): State<Web>, desk: Desk) -> Answer {
    let ceremony = web.gate.start_passkey(&desk.staff).await?;
    Ok(
        axum::Json(json!({ "ceremony": ceremony.ceremony, "publicKey": ceremony.options }))
            .into_response(),
    )
}

/// `POST /settings/passkeys/finish` (script)
pub async fn finish(State(web): State<Web>, desk: Desk, body: Json<Scripted>) -> Answer {
    let name = match body.value.field("name") {
        "" => "passkey",
        name => name,
    };
    web.gate
        .finish_passkey(
            &desk.staff,
            &body.value.ceremony,
            &body.value.credential,
            name,
        )
        .await?;
    Ok(axum::Json(json!({ "location": "/settings/passkeys" })).into_response())
}

/// `POST /settings/passkeys/{id}/remove`
pub async fn remove(State(web): State<Web>, desk: Desk, Path(id): Path<String>) -> Answer {
    web.gate.remove_passkey(&desk.staff, &id).await?;
    Ok(see_other("/settings/passkeys"))
}

/// `POST /settings/passkeys/{id}/name`
pub async fn rename(
    State(web): State<Web>,
    desk: Desk,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Answer {
    web.gate
        .rename_passkey(&desk.staff, &id, field(&fields, "name"))
        .await?;
    Ok(see_other("/settings/passkeys"))
}
