"""Verifies grants without any of our code: PyJWT for the token, hashlib and `cryptography`
for the proof that it is in the ledger.

    python verify_grants.py VECTORS.json

Judges each vector and compares the reason with the one it must have; prints one line per
vector, exit 0 if all agree. `Verifier` is also the shortest complete example of what a backend
in another language does. Needs PyJWT 2.15 or later and cryptography.
"""

import base64
import hashlib
import json
import re
import sys

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LIFETIME_S_MAX = 120
BUNDLE_BYTES_MAX = 64 * 1024


class Refused(Exception):
    """A grant is not accepted; the message is the reason's code."""


def check(holds, reason):
    if not holds:
        raise Refused(reason)


class Verifier:
    def __init__(self, issuer, audience, jwks, policy, leeway_s):
        self.issuer = issuer
        self.audience = audience
        self.keys = {key["kid"]: jwt.PyJWK(key).key for key in jwks["keys"]}
        self.policy = Policy(policy)
        self.leeway_s = leeway_s

    def verify(self, bundle, expected, now, first_use):
        """The claims of a good grant. `first_use(jti, forget_after)` notes the jti and answers
        whether it was new; it belongs into the transaction that does the action."""
        grant, header, claims, detail, proof = parse(bundle)

        check(header["typ"] == "countersign-grant+jwt", "typ")
        check(header["kid"] in self.keys and header["alg"] == "EdDSA", "key")
        # The clock is an argument here, so PyJWT does not look at the times.
        options = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat")}
        try:
            jwt.decode(
                grant,
                self.keys[header["kid"]],
                algorithms=["EdDSA"],
                issuer=self.issuer,
                audience=self.audience,
                options={**options, "strict_aud": True},
            )
        except jwt.InvalidSignatureError:
            raise Refused("signature") from None
        except jwt.InvalidIssuerError:
            raise Refused("issuer") from None
        except jwt.InvalidAudienceError:
            raise Refused("audience") from None

        check(now + self.leeway_s >= claims["nbf"], "not-yet-valid")
        check(now < claims["exp"] + self.leeway_s, "expired")
        lifetime = claims["exp"] - min(claims["iat"], claims["nbf"])
        check(0 < lifetime <= LIFETIME_S_MAX, "lifetime")
        granted = (detail["action"], detail["parameters"], claims["sub"])
        wanted = (expected["action"], expected["parameters"], expected["subject"])
        check(granted == wanted, "parameters")

        check(proof["extra"] is not None, "leaf")
        leaf = parse_leaf(proof["extra"])
        check(leaf["kind"] == "granted", "leaf")
        check(leaf.get("grant") == b64url(hashlib.sha256(grant.encode()).digest()), "leaf")

        note = proof["note"]
        signers = [log for log in self.policy.logs if signed_by(note, log, "log-key")]
        check(signers, "log-key")
        check(any(log["name"] == note["origin"] for log in signers), "origin")
        check(claims["tlog"]["origin"] == note["origin"], "origin")
        check(self.policy.quorum_met(note), "witness-quorum")
        leaf_hash = hashlib.sha256(b"\0" + proof["extra"]).digest()
        check(included(leaf_hash, proof), "inclusion")

        check(first_use(claims["jti"], claims["exp"] + self.leeway_s), "replay")
        return claims


def parse(bundle):
    """The parts of a bundle; checks their form alone."""
    try:
        check(len(bundle.encode()) <= BUNDLE_BYTES_MAX, "form")
        bundle = json.loads(bundle)
        check(set(bundle) == {"grant", "proof"}, "form")
        grant = bundle["grant"]
        header, payload, signature = map(from_b64url, grant.split("."))
        header, claims = json.loads(header), json.loads(payload)
        check(set(header) == {"alg", "kid", "typ"}, "form")
        for claim in ("iss", "aud", "sub", "jti"):
            check(isinstance(claims[claim], str), "form")
        for claim in ("iat", "nbf", "exp"):
            check(type(claims[claim]) is int and claims[claim] >= 0, "form")
        check(len(from_b64url(claims["jti"])) == 16, "form")
        (detail,) = claims["authorization_details"]
        check(set(detail) == {"type", "action", "parameters", "digest"}, "form")
        check(detail["type"] == "countersign", "form")
        check(isinstance(detail["action"], str), "form")
        check(all(isinstance(value, str) for value in detail["parameters"].values()), "form")
        check(re.fullmatch("[0-9a-f]{64}", detail["digest"]), "form")
        check(set(claims["tlog"]) == {"origin"}, "form")
        return grant, header, claims, detail, parse_proof(bundle["proof"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused("form") from None


def parse_proof(text):
    """A c2sp.org/tlog-proof@v1."""
    head, checkpoint = text.split("\n\n", 1)
    magic, *lines = head.split("\n")
    check(magic == "c2sp.org/tlog-proof@v1", "form")
    extra = None
    if lines[0].startswith("extra "):
        extra = from_b64(lines.pop(0).removeprefix("extra "))
    index = lines.pop(0)
    check(index.startswith("index "), "form")
    hashes = [from_b64(line) for line in lines]
    check(all(len(it) == 32 for it in hashes) and len(hashes) <= 64, "form")
    return {
        "extra": extra,
        "index": decimal(index.removeprefix("index ")),
        "hashes": hashes,
        "note": parse_note(checkpoint),
    }


def parse_note(note):
    """A checkpoint (c2sp.org/tlog-checkpoint) in a signed note (c2sp.org/signed-note)."""
    check(not re.search("[\0-\x09\x0b-\x1f]", note), "form")
    text, lines = note.rsplit("\n\n", 1)
    check(lines.endswith("\n"), "form")
    signatures = []
    for line in lines.removesuffix("\n").split("\n"):
        dash, name, signature = line.split(" ")
        signature = from_b64(signature)
        check(dash == "—" and name and "+" not in name and len(signature) > 4, "form")
        signatures.append((name, signature[:4], signature[4:]))
    origin, size, root, *rest = text.split("\n")
    root = from_b64(root)
    check(origin and len(root) == 32 and all(rest), "form")
    return {
        "text": text + "\n",
        "origin": origin,
        "size": decimal(size),
        "root": root,
        "signatures": signatures,
    }


def parse_leaf(data):
    try:
        leaf = json.loads(data)
        # Canonical JSON (RFC 8785) for members like these: sorted, without spaces.
        canonical = json.dumps(leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        check(canonical.encode() == data and leaf["v"] == 1, "leaf")
        members = {"at", "case", "commitment", "customer", "grant", "kind", "v"}
        check({"at", "commitment", "kind", "v"} <= set(leaf) <= members, "leaf")
        return leaf
    except (ValueError, KeyError, TypeError):
        raise Refused("leaf") from None


class Policy:
    """A c2sp.org/tlog-policy: which logs and witnesses are trusted, and how many it takes."""

    def __init__(self, text):
        self.logs, self.quorum = [], None
        witnesses, rules = [], {}
        for line in text.split("\n"):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "log":
                self.logs.append(parse_vkey(words[1], 0x01))
            elif words[0] == "witness":
                key = parse_vkey(words[2], 0x04)
                witnesses.append(key)
                rules[words[1]] = lambda signed, key=key: key["id"] in signed
            elif words[0] == "group":
                members = [rules[name] for name in words[3:]]
                least = {"all": len(members), "any": 1}.get(words[2]) or int(words[2])
                rules[words[1]] = lambda signed, members=members, least=least: (
                    sum(member(signed) for member in members) >= least
                )
            elif words[0] == "quorum":
                self.quorum = rules[words[1]] if words[1] != "none" else lambda signed: True
            else:
                raise ValueError(line)
        self.witnesses = witnesses

    def quorum_met(self, note):
        signed = {key["id"] for key in self.witnesses if signed_by(note, key, "witness-quorum")}
        return self.quorum(signed)


def parse_vkey(text, kind):
    name, key_id, key = text.split("+", 2)
    key = from_b64(key)
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if key[0] != kind or expected.hex() != key_id:
        raise ValueError(text)
    public = Ed25519PublicKey.from_public_bytes(key[1:])
    return {"name": name, "id": expected, "kind": kind, "public": public}


def signed_by(note, key, reason):
    """Whether the key signed the note; a wrong signature in its name refuses the grant."""
    lines = [it for name, key_id, it in note["signatures"] if (name, key_id) == (key["name"], key["id"])]
    for signature in lines:
        message = note["text"].encode()
        if key["kind"] == 0x04:
            check(len(signature) == 72, reason)
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = f"cosignature/v1\ntime {time}\n".encode() + message
        try:
            key["public"].verify(signature, message)
        except InvalidSignature:
            raise Refused(reason) from None
    return bool(lines)


def included(leaf_hash, proof):
    """RFC 9162, 2.1.3.2."""
    at, last = proof["index"], proof["note"]["size"] - 1
    if at > last:
        return False
    current = leaf_hash
    for sibling in proof["hashes"]:
        if last == 0:
            return False
        if at & 1 or at == last:
            current = hashlib.sha256(b"\1" + sibling + current).digest()
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            current = hashlib.sha256(b"\1" + current + sibling).digest()
        at, last = at >> 1, last >> 1
    return last == 0 and current == proof["note"]["root"]


def decimal(text):
    check(re.fullmatch("0|[1-9][0-9]*", text) and int(text) < 1 << 64, "form")
    return int(text)


def from_b64(text):
    """Standard base64 in its one canonical spelling."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def from_b64url(text):
    """Base64url without padding in its one canonical spelling."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64url(data) != text:
        raise ValueError("not canonical base64url")
    return data


def b64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def main(path):
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    verifier = Verifier(**vectors["verifier"])
    wrong = 0
    for vector in vectors["vectors"]:
        try:
            verifier.verify(
                vector["bundle"],
                vector["expected"],
                vector["now"],
                lambda jti, forget_after: jti not in vector["seen"],
            )
            reason = None
        except Refused as refused:
            reason = str(refused)
        right = reason == vector["reason"]
        wrong += not right
        must = "" if right else f"\tmust be: {vector['reason'] or 'accepted'}"
        print(f"{'ok' if right else 'WRONG'}\t{vector['name']}\t{reason or 'accepted'}{must}")
    accepted = sum(vector["reason"] is None for vector in vectors["vectors"])
    print(f"{len(vectors['vectors'])} vectors, {accepted} to accept, {wrong} judged wrongly")
    return 1 if wrong or not accepted or accepted == len(vectors["vectors"]) else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python verify_grants.py VECTORS.json")
    sys.exit(main(sys.argv[1]))
