//! What a customer proves themselves with, as stored: hashed, sealed, or a public key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::CustomerId;
use countersign_language::Method;
use countersign_store::Batch;
use serde_json::Value;

use crate::{
    adapters::{
        dice,
        secrets::Secret,
        totp::{TotpEnrolment, TotpSecret},
        webauthn::{Passkey, RelyingParty},
    },
    customers::{CustomerError, allow, enrolled_by},
    gate::Gate,
    records::{self, Factor, FactorKind, Held, Owner, Registered, space},
    sessions::MachineCaller,
    settings::Scope,
    shell::{Entry, Tries},
    sign_in::{Ceremony, Purpose},
    staff::{PASSKEYS_MAX, StaffError},
    trouble::Trouble,
};

/// Shortest and longest support PIN, in characters.
const PIN_CHARS: std::ops::RangeInclusive<usize> = 4..=64;

impl Gate {
    /// Makes an authenticator secret for a customer and stores it; the company's own pages show it to them, once.
    pub async fn enrol_totp(
        &self,
        by: &MachineCaller,
        id: &CustomerId,
        holding: &str,
    ) -> Result<TotpEnrolment, CustomerError> {
        allow(by, Scope::Customers, "customers")?;
        enrolled_by(&self.procedure(), holding, Method::Totp)?;
        let customer = self
            .load_customer(id)
            .await?
            .ok_or(CustomerError::Unknown)?
            .value;
        let account: String = customer.number.chars().filter(|one| *one != ':').collect();
        let issuer: String = self
            .procedure()
            .organisation
            .chars()
            .filter(|one| *one != ':')
            .collect();
        let enrolment = TotpSecret::enrol(self.dice(), &issuer, &account)
            .map_err(|error| Trouble::Damaged(error.to_string()))?;
        let sealed = self.seal(id, holding, enrolment.secret.expose())?;
        self.change_factors(
            by.name(),
            id,
            holding,
            Some(FactorKind::Totp {
                sealed,
                last_step: None,
            }),
        )
        .await?;
        Ok(enrolment)
    }

    /// Begins to register a passkey for the customer who is signed in to the company's own panel.
    pub async fn start_customer_passkey(
        &self,
        by: &MachineCaller,
        id: &CustomerId,
        holding: &str,
    ) -> Result<Ceremony, CustomerError> {
        allow(by, Scope::Customers, "customers")?;
        enrolled_by(&self.procedure(), holding, Method::Passkey)?;
        let customer = self
            .load_customer(id)
            .await?
            .ok_or(CustomerError::Unknown)?
            .value;
        let (handle, keys) = passkeys_of(&customer, holding)?;
        let challenge = dice::random_bytes::<32>(self.dice());
        let purpose = Purpose::CustomerPasskey {
            customer: id.clone(),
            holding: holding.to_owned(),
        };
        let ceremony = self.remember_prompt(purpose, &challenge).await?;
        let known: Vec<Passkey> = keys
            .iter()
            .map(|registered| registered.key.clone())
            .collect();
        let options = self.enrolling_party()?.creation_options(
            &handle,
            &customer.number,
            &customer.name,
            &challenge,
            &known,
        );
        Ok(Ceremony { ceremony, options })
    }

    /// Registers it. The holding counts as changed from now on.
    pub async fn finish_customer_passkey(
        &self,
        by: &MachineCaller,
        id: &CustomerId,
        holding: &str,
        ceremony: &str,
        response: &Value,
        name: &str,
    ) -> Result<(), CustomerError> {
        allow(by, Scope::Customers, "customers")?;
        let refused = |why| CustomerError::Field {
            field: "response".to_owned(),
            why,
        };
        let purpose = Purpose::CustomerPasskey {
            customer: id.clone(),
            holding: holding.to_owned(),
        };
        let challenge = match self.take_prompt(ceremony, &purpose).await {
            Ok(challenge) => challenge,
            Err(StaffError::Trouble(trouble)) => return Err(trouble.into()),
            Err(_) => {
                return Err(CustomerError::Field {
                    field: "ceremony".to_owned(),
                    why: "is over; start again",
                });
            }
        };
        let mut tries = Tries::default();
        loop {
            let now = self.now();
            let Held {
                value: before,
                revision,
            } = self
                .load_customer(id)
                .await?
                .ok_or(CustomerError::Unknown)?;
            let (handle, mut keys) = passkeys_of(&before, holding)?;
            let passkey = self
                .enrolling_party()?
                .finish_registration(&handle, &challenge, response)
                .map_err(|_| refused("was not accepted"))?;
            if keys.len() >= PASSKEYS_MAX {
                return Err(refused("would be one passkey too many"));
            }
            let credential = URL_SAFE_NO_PAD.encode(&passkey.credential);
            if self
                .load::<Owner>(space::CREDENTIAL, &credential)
                .await?
                .is_some()
            {
                return Err(refused("was not accepted"));
            }
            keys.push(Registered::new(passkey, name, now));
            let mut customer = before.clone();
            let kind = FactorKind::Passkeys {
                handle: URL_SAFE_NO_PAD.encode(&handle),
                keys,
            };
            customer.factors.insert(
                holding.to_owned(),
                Factor {
                    changed_at: Some(now),
                    kind,
                },
            );
            let mut batch = Batch::default();
            let owner = Owner::Customer {
                customer: id.clone(),
                holding: holding.to_owned(),
            };
            batch.records.push(records::put(
                space::CREDENTIAL,
                credential,
                &owner,
                Some(0),
            )?);
            self.write_customer(&mut batch, Some(&before), &customer, revision)
                .await?;
            let entry = Entry::new(
                "customer.passkey_added",
                now,
                Some(&customer.pseudonym),
                &serde_json::json!({ "by": by.name(), "holding": holding }),
            )?;
            self.log(&mut batch, &records::customer_stream(id), entry)
                .await?;
            if self.committed(batch, &mut tries).await? {
                return Ok(());
            }
        }
    }

    /// Customers register passkeys on the gate's own pages or on the panel's, where both are within the relying party's domain.
    fn enrolling_party(&self) -> Result<RelyingParty, Trouble> {
        let settings = self.settings();
        let within = |origin: &&String| {
            RelyingParty::new(&settings.rp_id, "check", &[origin.as_str()]).is_ok()
        };
        let mut origins: Vec<&str> = vec![&settings.origin];
        origins.extend(settings.return_to.iter().filter(within).map(String::as_str));
        RelyingParty::new(&settings.rp_id, &self.procedure().organisation, &origins)
            .map_err(|error| Trouble::Damaged(error.to_string()))
    }

    /// Argon2id of a support PIN.
    pub(crate) async fn hash_pin(
        &self,
        customer: &CustomerId,
        pin: &str,
    ) -> Result<String, CustomerError> {
        if !PIN_CHARS.contains(&pin.chars().count()) {
            return Err(CustomerError::Field {
                field: "pin".to_owned(),
                why: "has 4 to 64 characters",
            });
        }
        let hashed = self.hasher().hash(&customer.0, &Secret::new(pin)).await;
        hashed.map_err(|error| {
            tracing::warn!(%error, "pin not hashed");
            Trouble::Overloaded.into()
        })
    }

    /// Stores the secret of an authenticator app so that only this gate reads it again.
    pub(crate) fn seal_totp(
        &self,
        id: &CustomerId,
        holding: &str,
        base32: &str,
    ) -> Result<String, CustomerError> {
        let wrong = || CustomerError::Field {
            field: "totp_secret".to_owned(),
            why: "is not 20 bytes of base32",
        };
        let bytes = from_base32(base32).ok_or_else(wrong)?;
        let secret = TotpSecret::from_bytes(&bytes).map_err(|_| wrong())?;
        Ok(self.seal(id, holding, secret.expose())?)
    }

    /// AES-256-GCM, bound to the customer and the holding: `nonce || ciphertext || tag`, base64url.
    pub(crate) fn seal(
        &self,
        id: &CustomerId,
        holding: &str,
        secret: &[u8],
    ) -> Result<String, Trouble> {
        self.seal_bytes(&bound_to(id, holding), secret)
    }

    /// Seals with the key outside the database; opens again only for what it is bound to.
    pub(crate) fn seal_bytes(&self, bound_to: &[u8], secret: &[u8]) -> Result<String, Trouble> {
        let failed = |_| Trouble::Damaged("a secret could not be sealed".to_owned());
        let nonce = dice::random_bytes::<NONCE_LEN>(self.dice());
        let mut sealed = secret.to_vec();
        let key = self.seal_key()?;
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(bound_to),
            &mut sealed,
        )
        .map_err(failed)?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    pub(crate) fn unseal(
        &self,
        id: &CustomerId,
        holding: &str,
        sealed: &str,
    ) -> Result<Vec<u8>, Trouble> {
        self.unseal_bytes(&bound_to(id, holding), sealed)
    }

    pub(crate) fn unseal_bytes(&self, bound_to: &[u8], sealed: &str) -> Result<Vec<u8>, Trouble> {
        let damaged = || Trouble::Damaged("a sealed secret cannot be opened".to_owned());
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| damaged())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let mut opened = sealed.to_vec();
        let key = self.seal_key()?;
        let plain = key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(bound_to),
                &mut opened,
            )
            .map_err(|_| damaged())?;
        Ok(plain.to_vec())
    }

    fn seal_key(&self) -> Result<LessSafeKey, Trouble> {
        let key = UnboundKey::new(&AES_256_GCM, &self.settings().keys.seal);
        key.map(LessSafeKey::new)
            .map_err(|_| Trouble::Damaged("the sealing key cannot be used".to_owned()))
    }
}

/// The customer's passkeys of a holding and their user handle, which is made with the first.
pub(crate) fn passkeys_of(
    customer: &records::Customer,
    holding: &str,
) -> Result<(Vec<u8>, Vec<Registered>), Trouble> {
    match customer.factors.get(holding).map(|factor| &factor.kind) {
        Some(FactorKind::Passkeys { handle, keys }) => {
            let handle = URL_SAFE_NO_PAD
                .decode(handle)
                .map_err(|error| Trouble::Damaged(error.to_string()))?;
            Ok((handle, keys.clone()))
        }
        // Made from the ledger's pseudonym, so that start and finish agree on it without storing anything.
        _ => Ok((
            format!("{}/{holding}", customer.pseudonym)
                .into_bytes()
                .into_iter()
                .take(64)
                .collect(),
            Vec::new(),
        )),
    }
}

/// Whether this is an Argon2id hash as a PHC string.
pub(crate) fn is_pin_hash(text: &str) -> bool {
    text.len() <= 512 && text.starts_with("$argon2id$") && argon2::PasswordHash::new(text).is_ok()
}

fn bound_to(id: &CustomerId, holding: &str) -> Vec<u8> {
    format!("countersign/seal/v1\0{}\0{holding}", id.0).into_bytes()
}

/// RFC 4648 base 32 in any case, with or without padding and spaces.
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut bytes = Vec::new();
    for symbol in text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=')
    {
        let value = match symbol.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    (bits == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_reads_as_in_rfc_4648() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("MY======", b"f"),
            ("mzxw6ytboi", b"foobar"),
            ("MZXW 6YQ=", b"foob"),
        ] {
            assert_eq!(from_base32(text).as_deref(), Some(bytes), "{text}");
        }
        for wrong in ["1", "MZ8", "é", "MZ"] {
            assert_eq!(from_base32(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_argon2id_hashes_are_hashes() {
        assert!(!is_pin_hash(
            "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"
        ));
        assert!(!is_pin_hash("1234"));
    }
}
