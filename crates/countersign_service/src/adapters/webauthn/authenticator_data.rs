//! The authenticator data (§6.1) and the attestation object around it (§6.5).

use ciborium::Value;

use super::{
    WebauthnError,
    cose::{self, PublicKey},
    same, sha256,
};

/// §6.1: rpIdHash, flags and counter stand at the front of every authenticator data.
const HEADER_BYTES: usize = 32 + 1 + 4;
const AAGUID_BYTES: usize = 16;

const UP: u8 = 1;
const UV: u8 = 1 << 2;
const BE: u8 = 1 << 3;
const BS: u8 = 1 << 4;
const AT: u8 = 1 << 6;
const ED: u8 = 1 << 7;

#[derive(Debug)]
pub(super) struct AuthenticatorData {
    rp_id_hash: [u8; 32],
    pub(super) flags: Flags,
    pub(super) counter: u32,
    pub(super) credential: Option<AttestedCredential>,
}

#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five independent bits of one byte of the standard"
)]
pub(super) struct Flags {
    user_present: bool,
    user_verified: bool,
    pub(super) backup_eligible: bool,
    pub(super) backed_up: bool,
}

/// Attested credential data (§6.5.1).
#[derive(Debug)]
pub(super) struct AttestedCredential {
    pub(super) id: Vec<u8>,
    /// COSE_Key, exactly these bytes.
    pub(super) public_key: Vec<u8>,
}

impl AuthenticatorData {
    /// Reads all of it: nothing may follow.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, WebauthnError> {
        let malformed = WebauthnError::Malformed("authenticator data");
        let (header, mut rest) = bytes.split_at_checked(HEADER_BYTES).ok_or(malformed)?;
        let (rp_id_hash, header) = header.split_first_chunk::<32>().ok_or(malformed)?;
        let [flags, counter @ ..] = header else {
            return Err(malformed);
        };
        let counter = <[u8; 4]>::try_from(counter).map_err(|_| malformed)?;
        let has = |bit: u8| flags & bit != 0;

        let mut credential = None;
        if has(AT) {
            let (_aaguid, after) = rest.split_at_checked(AAGUID_BYTES).ok_or(malformed)?;
            let (length, after) = after.split_first_chunk::<2>().ok_or(malformed)?;
            let (id, after) = after
                .split_at_checked(u16::from_be_bytes(*length).into())
                .ok_or(malformed)?;
            let (public_key, after) = cose::split_item(after).ok_or(malformed)?;
            credential = Some(AttestedCredential {
                id: id.to_vec(),
                public_key: public_key.to_vec(),
            });
            rest = after;
        }
        if has(ED) {
            // No extension was asked for, and what an authenticator adds by itself is ignored; but it must be well formed.
            let (_extensions, after) = cose::split_item(rest).ok_or(malformed)?;
            rest = after;
        }
        if !rest.is_empty() {
            return Err(malformed);
        }
        Ok(Self {
            rp_id_hash: *rp_id_hash,
            flags: Flags {
                user_present: has(UP),
                user_verified: has(UV),
                backup_eligible: has(BE),
                backed_up: has(BS),
            },
            counter: u32::from_be_bytes(counter),
            credential,
        })
    }

    /// §7.1 steps 14 to 17, §7.2 steps 15 to 18.
    pub(super) fn check(&self, rp_id: &str) -> Result<(), WebauthnError> {
        if !same(&self.rp_id_hash, &sha256(&[rp_id.as_bytes()])) {
            return Err(WebauthnError::WrongRelyingParty);
        }
        if !self.flags.user_present {
            return Err(WebauthnError::UserNotPresent);
        }
        if !self.flags.user_verified {
            return Err(WebauthnError::UserNotVerified);
        }
        if self.flags.backed_up && !self.flags.backup_eligible {
            return Err(WebauthnError::BackupFlags);
        }
        Ok(())
    }
}

/// An attestation object (§6.5).
#[derive(Debug)]
pub(super) struct AttestationObject {
    pub(super) authenticator_data: Vec<u8>,
    format: String,
    statement: Vec<(Value, Value)>,
}

/// §7.1 step 13.
pub(super) fn parse_attestation(bytes: &[u8]) -> Result<AttestationObject, WebauthnError> {
    let malformed = WebauthnError::Malformed("attestation object");
    let map = cose::parse_map(bytes).ok_or(malformed)?;
    let (mut format, mut statement, mut authenticator_data) = (None, None, None);
    for (key, value) in map {
        let slot_was_free = match (key.as_text().ok_or(malformed)?, value) {
            ("fmt", Value::Text(text)) => format.replace(text).is_none(),
            ("attStmt", Value::Map(map)) => statement.replace(map).is_none(),
            ("authData", Value::Bytes(bytes)) => authenticator_data.replace(bytes).is_none(),
            ("fmt" | "attStmt" | "authData", _) => false,
            _ => true,
        };
        if !slot_was_free {
            return Err(malformed);
        }
    }
    match (format, statement, authenticator_data) {
        (Some(format), Some(statement), Some(authenticator_data)) => Ok(AttestationObject {
            authenticator_data,
            format,
            statement,
        }),
        _ => Err(malformed),
    }
}

impl AttestationObject {
    /// §7.1 steps 21 and 22, for the two formats a browser gives where attestation `none` was asked for (§5.1.3):
    /// `none` (§8.7), and `packed` self attestation (§8.2), which says no more but must be right.
    pub(super) fn check(
        &self,
        public_key: &PublicKey,
        client_data_hash: &[u8; 32],
    ) -> Result<(), WebauthnError> {
        match self.format.as_str() {
            "none" if self.statement.is_empty() => Ok(()),
            "packed" => self.check_self_attestation(public_key, client_data_hash),
            _ => Err(WebauthnError::UnsupportedAttestation),
        }
    }

    fn check_self_attestation(
        &self,
        public_key: &PublicKey,
        client_data_hash: &[u8; 32],
    ) -> Result<(), WebauthnError> {
        let (mut algorithm, mut signature) = (None, None);
        for (key, value) in &self.statement {
            let slot_was_free = match (key.as_text(), value) {
                (Some("alg"), Value::Integer(id)) => algorithm.replace(i128::from(*id)).is_none(),
                (Some("sig"), Value::Bytes(bytes)) => signature.replace(bytes).is_none(),
                // `x5c` would be attestation by a maker's certificate, which nobody asked for.
                _ => return Err(WebauthnError::UnsupportedAttestation),
            };
            if !slot_was_free {
                return Err(WebauthnError::UnsupportedAttestation);
            }
        }
        if algorithm != Some(public_key.algorithm().cose_id().into()) {
            return Err(WebauthnError::UnsupportedAttestation);
        }
        let signed = [self.authenticator_data.as_slice(), client_data_hash].concat();
        public_key.verify(
            &signed,
            signature.ok_or(WebauthnError::UnsupportedAttestation)?,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assertion_bytes(flags: u8, rest: &[u8]) -> Vec<u8> {
        [
            sha256(&[b"acme.example"]).as_slice(),
            &[flags],
            &7_u32.to_be_bytes(),
            rest,
        ]
        .concat()
    }

    #[test]
    fn flags_and_counter_are_read() {
        let data = AuthenticatorData::parse(&assertion_bytes(UP | UV | BE | BS, &[])).unwrap();
        assert_eq!(data.counter, 7);
        assert!(data.flags.backup_eligible && data.flags.backed_up && data.credential.is_none());
        assert_eq!(data.check("acme.example"), Ok(()));
    }

    #[test]
    fn each_flag_is_checked() {
        let check = |flags, id| {
            AuthenticatorData::parse(&assertion_bytes(flags, &[]))
                .unwrap()
                .check(id)
        };
        assert_eq!(
            check(UP | UV, "acme.example.evil"),
            Err(WebauthnError::WrongRelyingParty)
        );
        assert_eq!(
            check(UV, "acme.example"),
            Err(WebauthnError::UserNotPresent)
        );
        assert_eq!(
            check(UP, "acme.example"),
            Err(WebauthnError::UserNotVerified)
        );
        assert_eq!(
            check(UP | UV | BS, "acme.example"),
            Err(WebauthnError::BackupFlags)
        );
        assert_eq!(check(UP | UV | BE, "acme.example"), Ok(()));
    }

    #[test]
    fn extensions_are_skipped_and_nothing_may_follow() {
        // {"a": true}
        let extensions = [0xa1, 0x61, b'a', 0xf5];
        assert!(AuthenticatorData::parse(&assertion_bytes(UP | UV | ED, &extensions)).is_ok());
        let followed = [extensions.as_slice(), &[0]].concat();
        for (flags, rest) in [
            (UP | UV, extensions.as_slice()),
            (UP | UV | ED, &followed),
            (UP | UV | ED, &[]),
            (UP | UV | AT, &[]),
        ] {
            assert!(AuthenticatorData::parse(&assertion_bytes(flags, rest)).is_err());
        }
    }

    #[test]
    fn no_prefix_of_it_is_accepted() {
        let whole = assertion_bytes(UP | UV, &[]);
        assert!((0..whole.len()).all(|end| AuthenticatorData::parse(&whole[..end]).is_err()));
    }
}
