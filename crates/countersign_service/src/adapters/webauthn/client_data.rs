//! The client data: what the browser says it signed, for whom and where (§5.8.1).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{WebauthnError, same};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ceremony {
    Create,
    Get,
}

/// CollectedClientData. Members we do not know may be there (§5.8.1.2); one we know may not be there twice.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    top_origin: Option<String>,
}

impl ClientData {
    /// §7.1 steps 5 and 6, §7.2 steps 8 and 9.
    pub(super) fn parse(json: &[u8]) -> Result<Self, WebauthnError> {
        serde_json::from_slice(json).map_err(|_| WebauthnError::Malformed("clientDataJSON"))
    }

    /// §7.1 steps 7 to 11, §7.2 steps 10 to 14.
    pub(super) fn check(
        &self,
        ceremony: Ceremony,
        challenge: &[u8; 32],
        origins: &[String],
    ) -> Result<(), WebauthnError> {
        let kind = match ceremony {
            Ceremony::Create => "webauthn.create",
            Ceremony::Get => "webauthn.get",
        };
        if self.kind != kind {
            return Err(WebauthnError::WrongType);
        }
        let answered = URL_SAFE_NO_PAD
            .decode(&self.challenge)
            .map_err(|_| WebauthnError::WrongChallenge)?;
        if !same(&answered, challenge) {
            return Err(WebauthnError::WrongChallenge);
        }
        if !origins.contains(&self.origin) {
            return Err(WebauthnError::WrongOrigin);
        }
        // Our pages are never framed, so a frame of any other origin is somebody else's.
        if self.cross_origin || self.top_origin.is_some() {
            return Err(WebauthnError::CrossOrigin);
        }
        Ok(())
    }
}
