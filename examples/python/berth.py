#!/usr/bin/env python3
"""A client of a Berth licence server in one file: Python 3.9 or newer, standard library only.

    import berth
    with berth.connect(product="render", vendor_keys=["ed25519:..."]) as client:
        with client.checkout() as seat:
            seat.on_lost(lambda seat: stop_rendering())
            ...                      # seat.state is "held", "grace", "lost" or "released"; reading it does no I/O

It was written from protocol/PROTOCOL.md alone; numbers such as 6.1 in the comments are its sections. It borrows nothing for offline
use and administers nothing. From a shell: `python3 berth.py join LINK`, `python3 berth.py run --product render -- COMMAND`.

1 errors | 2 Ed25519 | 3 tokens | 4 the chain | 5 links, folders | 6 WebSocket | 7 session | 8 seats | 9 client | 10 join | 11 command line
"""
from __future__ import annotations

import argparse, atexit, base64, hashlib, http.client, json, os, queue, random, re, secrets, signal, socket, ssl, struct, subprocess, sys
import threading, time
from pathlib import Path
from typing import Any, Callable, Iterable, Optional

__version__ = "1.0.0"
MAX_INTEGER = 2**53 - 1
REPLY_BYTES = 262144  # 10: a client accepts frames of this size
TOKEN_CHARS, TOKEN_DEPTH, MAX_PARTS, LEASES_PER_SESSION, TOKENS_PER_RESUME = 4096, 8, 32, 64, 10
ANSWER_SECONDS = 10.0
SILENT_SECONDS = 75.0  # 2.1: the server is silent for 60 s at most; after this much the network is gone
STOP_SECONDS = 10.0  # 6.4: what a plugin has to stop in, once its seat is lost

# --- 1 errors --------------------------------------------------------------------------------------------------------------------

_OWN_ERRORS = {  # 9.1: what a client raises by itself. code -> text, next step
    "UNREACHABLE": ("No licence server can be reached.", "Check the network and that berthd runs; the servers tried are listed."),
    "CERTIFICATE_UNTRUSTED": ("The server shows a certificate that this identity does not trust.",
                              "If IT changed the certificate, join again with a new link."),
    "TIMEOUT": ("The server did not answer in time.", "Try again; look at the load of the server."),
    "CONNECTION_LOST": ("The connection to the server was lost before the answer.",
                        "It is tried again by itself; a retry never takes a second seat."),
    "NOT_JOINED": ("This computer has not joined a licence server.",
                   "Run `berth join LINK` or `python3 berth.py join LINK` with the link from your admin."),
    "LINK_INVALID": ("This is not a join link.", "Copy the whole link: berth://host:port/?key=...&token=..."),
    "TOKEN_INVALID": ("The licence token does not verify.",
                      "Check the vendor key; if it is right, the server or the file is not genuine."),
    "CANCELLED": ("Cancelled.", "Nothing was changed."),
    "SERVER_MISMATCH": ("The server is not the one this identity belongs to.",
                        "Check the address; if the server was replaced, join it again."),
    "SUPERSEDED": ("The same device opened a session from another address.",
                   "If that was not you, ask an admin to remove the device."),
    "DEVICE_UNKNOWN": ("This device is not enrolled on this server.", "Ask an admin for an invitation and run `berth join LINK`."),
    "SEAT_LOST": ("The seat was lost: it could not be renewed in time.",
                  "Check the connection to the licence server, then check out again."),
    "LEASE_REVOKED": ("The lease was revoked.", "Save your work; ask an admin why."),
    "IDLE_RELEASED": ("The seat was taken back because nobody had used it for too long.", "Go on working: check out again."),
    "LEASE_UNKNOWN": ("There is no such lease, or it has ended.", "Check out again."),
    "KEY_INVALID": ("This is not a key.", "Give `ed25519:...`, the text your vendor tool prints."),
    "FILE_UNREADABLE": ("A file cannot be read.", "Check the path and the permissions."),
    "INTERNAL": ("What the server said is not of this protocol.", "Check the versions of client and server."),
}


class BerthError(Exception):
    """Something that did not work, and what to do. `code` is stable (9.1); `data` is what the server said besides."""

    def __init__(self, code: str, message: str = "", next: str = "", data: Optional[dict] = None):
        text, step = _OWN_ERRORS.get(code, ("The server refused.", "Ask an admin."))
        self.code, self.message, self.next, self.data = code, message or text, next or step, data or {}
        super().__init__(f"{code}: {self.message} {self.next}")

    @property
    def retryable(self) -> bool:
        """The same request may succeed later although nobody changes anything."""
        return self.code in {"BUSY", "RATE_LIMITED", "DRAINING", "UNREACHABLE", "TIMEOUT", "CONNECTION_LOST", "INTERNAL",
                             "NO_SEAT", "DISK_LOW", "CLOCK_BEHIND"}


class Fault(Exception):
    """A token or a chain that does not verify; `word` is the fault word of 4.1 and 5."""

    def __init__(self, word: str):
        self.word = word
        super().__init__(word)


# --- 2 Ed25519 (RFC 8032), strict as 4.1 asks ------------------------------------------------------------------------------------
# Pure Python and not constant in time: somebody who can measure this process to the microsecond could learn of its key. Points are
# (X, Y, Z, T) in extended coordinates; the base point has a table of 64 x 16 multiples, made when it is first needed.

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_D2 = 2 * _D % _P
_SQRT_M1 = pow(2, (_P - 1) // 4, _P)
_SMALL_ORDER_Y = {0, 1, _P - 1} | {int.from_bytes(bytes.fromhex(text), "little") for text in (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")}
_ZERO = (0, 1, 1, 0)


def _add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    m, n, c, d = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P, t1 * _D2 * t2 % _P, 2 * z1 * z2 % _P
    e, f, g, h = n - m, d - c, d + c, n + m
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _double(a):
    x, y, z, _ = a
    m, n, c = x * x % _P, y * y % _P, 2 * z * z
    h = m + n
    e = h - (x + y) * (x + y)
    g = m - n
    f = c + g
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _decompress(data: bytes):
    """The point of 32 bytes, or None: not on the curve, not canonical, or of small order (4.1)."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= _P or y in _SMALL_ORDER_Y:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if v * x * x % _P != u:
        x = x * _SQRT_M1 % _P
        if v * x * x % _P != u:
            return None
    if x & 1 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


def _compress(point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, _P - 2, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _multiples(point):
    row = [_ZERO, point]
    for _ in range(14):
        row.append(_add(row[-1], point))
    return row


_base_table: list = []


def _times_base(scalar: int):
    if not _base_table:
        y = 4 * pow(5, _P - 2, _P) % _P
        point, rows = _decompress(y.to_bytes(32, "little")), []
        for _ in range(64):
            rows.append(_multiples(point))
            point = _add(rows[-1][15], point)
        _base_table.extend(rows)
    sum_ = _ZERO
    for row in _base_table:
        if scalar & 15:
            sum_ = _add(sum_, row[scalar & 15])
        scalar >>= 4
    return sum_


def _times(scalar: int, point):
    row, sum_ = _multiples(point), _ZERO
    for at in range(252, -1, -4):
        sum_ = _double(_double(_double(_double(sum_))))
        digit = scalar >> at & 15
        if digit:
            sum_ = _add(sum_, row[digit])
    return sum_


def _scalar(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % _L


def _expand(seed: bytes):
    digest = hashlib.sha512(seed).digest()
    return int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254, digest[32:]


def ed25519_public(seed: bytes) -> bytes:
    return _compress(_times_base(_expand(seed)[0]))


def ed25519_sign(seed: bytes, message: bytes) -> bytes:
    secret, prefix = _expand(seed)
    public = _compress(_times_base(secret))
    r = _scalar(prefix, message)
    point = _compress(_times_base(r))
    return point + ((r + _scalar(point, public, message) * secret) % _L).to_bytes(32, "little")


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """[S]B - [h]A is encoded and compared with R, without the cofactor, after the checks of 4.1."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, r, s = _decompress(public), signature[:32], int.from_bytes(signature[32:], "little")
    y = int.from_bytes(r, "little") & (2**255 - 1)
    if key is None or s >= _L or y >= _P or y in _SMALL_ORDER_Y:
        return False
    x, y, z, t = key
    return _compress(_add(_times_base(s), _times(_scalar(r, public, message), (_P - x, y, z, _P - t)))) == r


# --- 3 tokens (4) ----------------------------------------------------------------------------------------------------------------


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> Optional[bytes]:
    """The bytes of canonical base64url, else None: one way to write them, no more."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        return None
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return data if b64(data) == text else None


def key_bytes(text: str) -> Optional[bytes]:
    """The 32 bytes of `ed25519:...`, white space around it allowed; None if it is none."""
    match = re.fullmatch(r"ed25519:([A-Za-z0-9_-]{43})", text.strip())
    return unb64(match.group(1)) if match else None


def new_nonce() -> str:
    return b64(secrets.token_bytes(16))


def _whole(low: int = 0, high: int = MAX_INTEGER):
    return lambda value: type(value) is int and low <= value <= high


def _text(low: int = 0, high: int = MAX_INTEGER, pattern: Optional[str] = None):
    return lambda value: isinstance(value, str) and low <= len(value) <= high and (pattern is None or re.fullmatch(pattern, value) is not None)


def _one_of(*words: str):
    return lambda value: isinstance(value, str) and value in words


def _list(check, low: int = 0, high: int = MAX_INTEGER):
    return lambda value: isinstance(value, list) and low <= len(value) <= high and all(map(check, value))


def _shape(**members):
    """An object with these members; one whose name ends in _ may be missing. Unknown members are allowed (3.2)."""
    def check(value) -> bool:
        return isinstance(value, dict) and all(
            name[:-1] not in value or test(value[name[:-1]]) if name.endswith("_") else name in value and test(value[name])
            for name, test in members.items())
    return check


_any_text, _boolean = _text(), lambda value: isinstance(value, bool)
_id = _text(1, 80, r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_product = _text(1, 80, r"[a-z0-9][a-z0-9._-]*")
_key = _text(51, 51, r"ed25519:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
_nonce = _text(22, 22, r"[A-Za-z0-9_-]{22}")
_hash = _text(43, 43, r"[A-Za-z0-9_-]{43}")
_signature = _text(86, 86, r"[A-Za-z0-9_-]{86}")
_token = _text(1, TOKEN_CHARS, r"[A-Za-z0-9_.-]+")
_seconds, _epoch, _short = _whole(0, 253402300800), _text(0, 40), _text(0, 400)
_display = _shape(number_=_short, licenseKey_=_short, addOns_=_list(_short, 0, 20), orderedFrom_=_short, currency_=_short, paymentMethod_=_short,
                  download_=_short, buy_=_short, renew_=_short, upgrade_=_short, nfr_=_boolean)
_claims = {
    "entitlement": _shape(jti=_id, rev=_whole(1), replaces_=_id, iss=_key, sub=_key, product=_product, seats=_whole(1, 1000000),
                          nbf=_seconds, exp=_seconds, share=_one_of("process", "device", "user"),
                          borrow_=_shape(maxSeconds=_whole(1, 31622400), seats=_whole(1, 1000000)),
                          earlyReturn=_one_of("at-once", "at-expiry"), holder_=_text(1, 400), credits_=_whole(), display=_display),
    "lease": _shape(jti=_id, ent=_id, product=_product, seat=_id, n=_whole(1, 1000000), kind=_one_of("online", "borrow"), dev=_key,
                    nonce=_nonce, iat=_seconds, exp=_seconds, dur=_seconds, epoch=_epoch, seq=_whole(), head=_hash),
    "stop": _shape(jti=_id, dev=_key, iat=_seconds),
    "checkpoint": _shape(epoch=_epoch, seq=_whole(), head=_hash, iat=_seconds),
    "endorsement": _shape(iss=_key, sub=_key, products_=_list(_product, 1, 20), iat=_seconds),
    "authority": _shape(nonce=_nonce, sha256=_hash, iat=_seconds),
    "borrowRequest": _shape(nonce=_nonce, dev=_key, name=_text(0, 120), product=_product, seats=_whole(1, 64), seconds=_whole(1, 31622400),
                            iat=_seconds, server_=_key),
}
_headers = {kind: b64(b'{"alg":"Ed25519","typ":"berth-%s+jwt"}' % name.encode())
            for kind, name in {**{kind: kind for kind in _claims}, "authority": "ca", "borrowRequest": "borrow-request"}.items()}


def _refuse(_text_: str):
    raise ValueError("not an integer")


def _token_integer(text: str) -> int:
    if text == "-0" or len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise ValueError("not a safe integer")
    return int(text)


def _token_object(pairs: list) -> dict:
    members = dict(pairs)
    if len(members) != len(pairs) or not all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in members):
        raise ValueError("a name twice, or not a name")
    return members


def _depth(value: Any) -> int:
    if isinstance(value, (dict, list)):
        return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


def _one_spelling(text: str) -> Any:
    """4.1 check 5: parse, write again, compare. Python's writer escapes exactly what the protocol wants escaped."""
    try:
        value = json.loads(text, parse_int=_token_integer, parse_float=_refuse, parse_constant=_refuse, object_pairs_hook=_token_object)
        if _depth(value) <= TOKEN_DEPTH and json.dumps(value, separators=(",", ":"), ensure_ascii=False) == text:
            return value
    except (ValueError, RecursionError):
        pass
    raise Fault("NOT_COMPACT_JSON")


def parse_token(token: str, kind: str) -> dict:
    """The claims of a token of strict form (4.1, checks 1 to 6). Raises Fault. The signature is not looked at."""
    if len(token) > TOKEN_CHARS:
        raise Fault("TOO_LONG")
    parts = token.split(".")
    if len(parts) != 3:
        raise Fault("MALFORMED")
    if parts[0] != _headers[kind]:
        raise Fault("WRONG_TYPE")
    payload, signature = unb64(parts[1]), unb64(parts[2])
    if payload is None or signature is None or len(signature) != 64:
        raise Fault("MALFORMED")
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        raise Fault("MALFORMED") from None
    claims = _one_spelling(text)
    if not _claims[kind](claims):
        raise Fault("CLAIMS_INVALID")
    return claims


def signature_fits(token: str, key: str) -> bool:
    signed, _, signature = token.rpartition(".")
    return ed25519_verify(key_bytes(key) or b"", signed.encode(), unb64(signature) or b"")


def verify_token(token: str, kind: str, key: str) -> dict:
    claims = parse_token(token, kind)
    if not signature_fits(token, key):
        raise Fault("SIGNATURE")
    return claims


def make_token(kind: str, claims: dict, seed: bytes) -> str:
    signed = f"{_headers[kind]}.{b64(json.dumps(claims, separators=(',', ':'), ensure_ascii=False).encode())}"
    return f"{signed}.{b64(ed25519_sign(seed, signed.encode()))}"


# --- 4 the chain (5) and the windows (6) -----------------------------------------------------------------------------------------


def window_ms(duration_ms: int) -> int:
    """W: how long the server keeps an online seat after the last renewal (6.2)."""
    return -(-duration_ms * 1001 // 999) + 10000


def borrow_free_at_ms(issued_ms: int, expires_ms: int) -> int:
    return expires_ms + 900000 - (-2 * (expires_ms - issued_ms) // 1000)


def _judged(part: str, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Fault as fault:
        raise Fault(f"{part}_{fault.word}") from None


def verify_chain(lease: str, entitlement: str, vendor_keys: Iterable[str], device: Optional[str] = None, nonce: Optional[str] = None,
                 now_ms: Optional[int] = None, trusted: Optional[set] = None, endorsements: Iterable[str] = ()) -> dict:
    """The claims of a lease that verifies up to a pinned vendor key; raises Fault with the word of the first check of section 5
    that fails. `trusted`: tokens of a vendor whose signature was verified before; these are added."""
    ent = _judged("ENTITLEMENT", lambda: parse_token(entitlement, "entitlement"))
    if ent["iss"] not in vendor_keys and not _endorsed(ent, vendor_keys, endorsements, set() if trusted is None else trusted):
        raise Fault("VENDOR_UNKNOWN")
    if trusted is None or entitlement not in trusted:
        if not signature_fits(entitlement, ent["iss"]):
            raise Fault("ENTITLEMENT_SIGNATURE")
        if trusted is not None:
            trusted.add(entitlement)
    if ent["nbf"] >= ent["exp"]:
        raise Fault("ENTITLEMENT_DATES")
    claims = _judged("LEASE", lambda: parse_token(lease, "lease"))
    if not signature_fits(lease, ent["sub"]):
        raise Fault("LEASE_SIGNATURE")
    for word, right in (
        ("LEASE_OTHER_ENTITLEMENT", claims["ent"] == ent["jti"] and claims["product"] == ent["product"]),
        ("LEASE_TOO_MANY_SEATS", claims["n"] <= ent["seats"]),
        ("LEASE_DURATION", claims["dur"] >= 1 and claims["exp"] - claims["iat"] == claims["dur"]),
        ("LEASE_OUTSIDE_ENTITLEMENT", claims["iat"] >= ent["nbf"] and _free_at_ms(claims) <= ent["exp"] * 1000),
        ("BORROW_NOT_ALLOWED", claims["kind"] != "borrow" or ("borrow" in ent and claims["n"] <= ent["borrow"]["seats"])),
        ("BORROW_TOO_LONG", claims["kind"] != "borrow" or claims["dur"] <= ent.get("borrow", {}).get("maxSeconds", 0)),
        ("LEASE_OTHER_DEVICE", device is None or claims["dev"] == device),
        ("LEASE_OTHER_NONCE", nonce is None or claims["nonce"] == nonce),
        ("EXPIRED", now_ms is None or now_ms < claims["exp"] * 1000),
    ):
        if not right:
            raise Fault(word)
    return claims


def _endorsed(ent: dict, vendor_keys: Iterable[str], endorsements: Iterable[str], trusted: set) -> bool:
    """5, endorsed keys: whether a pinned key is reached in at most 4 steps back from the one that signed the entitlement."""
    good = []
    for token in list(endorsements)[:16]:
        try:
            claims = parse_token(token, "endorsement")
        except Fault:
            continue
        if claims["iss"] == claims["sub"] or ent["product"] not in claims.get("products", [ent["product"]]):
            continue
        if token in trusted or signature_fits(token, claims["iss"]):
            trusted.add(token)
            good.append(claims)
    reached = {ent["iss"]}
    for _ in range(4):
        reached |= {claims["iss"] for claims in good if claims["sub"] in reached}
        if not reached.isdisjoint(vendor_keys):
            return True
    return False


def _free_at_ms(claims: dict) -> int:
    if claims["kind"] == "borrow":
        return borrow_free_at_ms(claims["iat"] * 1000, claims["exp"] * 1000)
    return claims["iat"] * 1000 + window_ms(claims["dur"] * 1000)


# --- 5 join links, and the folders that `berth join` makes -----------------------------------------------------------------------

_HOST = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"


def _host_and_port(host: str, port: Optional[str]) -> Optional[tuple]:
    number = int(port) if port else 7433
    return (host.strip("[]"), number) if 0 < number < 65536 else None


def parse_address(text: str) -> Optional[tuple]:
    """`host`, `host:port`, `[v6]:port` -> (host, port); None if it is none."""
    match = re.fullmatch(rf"{_HOST}(?::(\d{{1,5}}))?", text.strip(), re.ASCII)
    return _host_and_port(*match.groups()) if match else None


def parse_link(text: str) -> dict:
    """2.2: {host, port, serverKey, token}. Raises LINK_INVALID."""
    match = re.fullmatch(rf"berth://{_HOST}(?::(\d{{1,5}}))?/?\?(\S*)", text.strip(), re.ASCII)
    address = _host_and_port(match.group(1), match.group(2)) if match else None
    given = [pair.partition("=")[::2] for pair in match.group(3).split("&")] if match else []
    params = dict(given)
    key = re.sub("%3a", ":", params.get("key", ""), flags=re.IGNORECASE)
    token = params.get("token", "")
    if address is None or len(params) != len(given) or not _key(key) or not _text(16, 200, r"[A-Za-z0-9_.-]+")(token):
        raise BerthError("LINK_INVALID")
    return {"host": address[0], "port": address[1], "serverKey": key, "token": token}


def _roots(home: Optional[str]) -> tuple:
    own = home or os.environ.get("BERTH_HOME")
    if own:
        return Path(own, "config"), Path(own, "state")
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(config, "berth"), Path(state, "berth")


def _write_private(path: Path, text: str) -> None:
    """Replaced as a whole, readable by this user only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(6)}.tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _read_seed(path: Path) -> bytes:
    text = path.read_text(encoding="utf-8").strip()
    seed = unb64(text[len("ed25519-secret:"):]) if text.startswith("ed25519-secret:") else None
    if seed is None or len(seed) != 32:
        raise BerthError("FILE_UNREADABLE", f"{path} does not hold a key.")
    return seed


_witness = _shape(epoch=_epoch, seq=_whole(), head=_hash)


def newer(known: Optional[dict], seen: dict) -> dict:
    """Epochs have no order: a new one comes from a restore and is the later one."""
    return known if known and known["epoch"] == seen["epoch"] and known["seq"] >= seen["seq"] else seen


class Identity:
    """A context (docs/device-folder.md): which server, what to trust, and this device's lease key."""

    def __init__(self, home: Optional[str] = None, context: Optional[str] = None):
        config, state = _roots(home)
        try:
            name = context or (config / "current").read_text(encoding="utf-8").strip()
            self._file = config / "contexts" / f"{name}.json"
            self.facts = json.loads(self._file.read_text(encoding="utf-8"))
            self.seed, self._witness_file = _read_seed(state / name / "lease.key"), state / name / "witness.json"
            self.server_key, self.ca = self.facts["serverKey"], self.facts["caPem"]
            self.servers = [parse_address(text) for text in self.facts["servers"]]
        except FileNotFoundError as error:
            raise BerthError("NOT_JOINED", f"This computer has not joined a licence server: {error.filename} is not there.") from None
        except (OSError, ValueError, KeyError) as error:
            raise BerthError("FILE_UNREADABLE", f"The context cannot be read: {error}") from None
        self.device_key = "ed25519:" + b64(ed25519_public(self.seed))

    def witness(self) -> Optional[dict]:
        """The newest journal position that this device has verified (4.4), also in another process."""
        try:
            place = json.loads(self._witness_file.read_text(encoding="utf-8"))
            if not _witness(place):
                return None
            return {name: place[name] for name in ("epoch", "seq", "head", "token") if isinstance(place.get(name), (str, int))}
        except (OSError, ValueError):
            return None

    def keep_witness(self, place: dict) -> None:
        try:
            _write_private(self._witness_file, json.dumps(newer(self.witness(), place)) + "\n")
        except OSError:
            pass  # it must not cost a seat

    def trust(self, ca: str) -> None:
        self.ca = ca
        _write_private(self._file, json.dumps({**self.facts, "caPem": ca}, indent=2) + "\n")


def fetch_ca(host: str, port: int, server_key: str, timeout: float = 10.0) -> str:
    """2.2: the certificates to trust, proved by the server key. Nothing secret is sent: this connection is not verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    nonce = new_nonce()
    connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    try:
        connection.request("GET", f"/ca?nonce={nonce}")
        answer = json.loads(connection.getresponse().read(1 << 20))
        claims = verify_token(answer["token"], "authority", server_key)
        ca = answer["ca"]
        if claims["nonce"] != nonce or claims["sha256"] != b64(hashlib.sha256(ca.encode()).digest()):
            raise Fault("AUTHORITY")
        return ca
    except (Fault, KeyError, TypeError, ValueError, RecursionError, AttributeError):
        raise BerthError("SERVER_MISMATCH", f"{host}:{port} does not prove the key of the link.") from None
    except (OSError, http.client.HTTPException) as error:
        raise BerthError("UNREACHABLE", f"{host}:{port} cannot be reached: {error}.") from None
    finally:
        connection.close()


# --- 6 WebSocket (RFC 6455): a parser fed byte by byte, and TLS underneath -------------------------------------------------------

_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10


class Violation(Exception):
    """The other end broke RFC 6455, or sent too much; `close` is the close code that says so."""

    def __init__(self, close: int, why: str):
        self.close = close
        super().__init__(why)


class FrameParser:
    """Bytes in, whole messages out: [(opcode, payload)]. Raises Violation."""

    def __init__(self, limit: int = REPLY_BYTES):
        self._bytes, self._parts, self._opcode, self._limit = bytearray(), [], 0, limit

    def feed(self, data: bytes) -> list:
        self._bytes += data
        messages = []
        while True:
            frame = self._frame()
            if frame is None:
                return messages
            message = self._message(*frame)
            if message is not None:
                messages.append(message)

    def _frame(self) -> Optional[tuple]:
        have = self._bytes
        if len(have) < 2:
            return None
        final, opcode, length, start = have[0] >> 7, have[0] & 15, have[1] & 127, 2
        if have[0] & 0x70 or have[1] & 128 or opcode not in (0, _TEXT, _BINARY, _CLOSE, _PING, _PONG):
            raise Violation(1002, "a frame with reserved bits, a mask or an unknown opcode")
        if opcode >= 8 and (not final or length > 125):
            raise Violation(1002, "a control frame in parts, or longer than 125 bytes")
        if length > 125:
            start = 4 if length == 126 else 10
            if len(have) < start:
                return None
            short, length = length == 126, int.from_bytes(have[2:start], "big")
            if length < (126 if short else 65536) or length >> 63:
                raise Violation(1002, "a length that is not written as short as it can be")
        if length + sum(map(len, self._parts)) > self._limit:
            raise Violation(1009, "a message larger than a server may send")
        if len(have) < start + length:
            return None
        payload = bytes(have[start:start + length])
        del have[:start + length]
        return final, opcode, payload

    def _message(self, final: int, opcode: int, payload: bytes) -> Optional[tuple]:
        if opcode >= 8:
            return opcode, payload
        if bool(opcode) == bool(self._parts):
            raise Violation(1002, "a part without a beginning, or a beginning inside of a message")
        self._opcode = opcode or self._opcode
        self._parts.append(payload)
        if len(self._parts) > MAX_PARTS:
            raise Violation(1009, "a message in too many parts")
        if not final:
            return None
        whole, self._parts = b"".join(self._parts), []
        return self._opcode, whole


def client_frame(opcode: int, payload: bytes) -> bytes:
    """One whole frame, masked as a client must."""
    size = len(payload)
    head = bytes([128 | opcode, 128 | size]) if size < 126 else (
        struct.pack(">BBH", 128 | opcode, 254, size) if size < 65536 else struct.pack(">BBQ", 128 | opcode, 255, size))
    mask = secrets.token_bytes(4)
    pad = (mask * (size // 4 + 1))[:size]
    return head + mask + (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")


class TlsSocket:
    """TLS 1.3 over a socket that one thread reads while others write. An SSL object must not be used by two threads at once, so it
    works on buffers, under a lock, and only the plain socket is waited for."""

    def __init__(self, address: tuple, ca: str, deadline: float):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(cadata=ca)
        self._lock, self._in, self._out = threading.Lock(), ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=address[0])
        self.socket = socket.create_connection(address, timeout=_left(deadline))
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self._shake_hands():
                self._fill(deadline)
        except BaseException:
            self.socket.close()
            raise

    def _shake_hands(self) -> bool:
        try:
            self._tls.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            done = False
        except ssl.SSLError:
            try:
                self._flush()  # the alert that says why; what matters is the error
            except OSError:
                pass
            raise
        self._flush()
        return done

    def _flush(self) -> None:
        data = self._out.read()
        if data:
            self.socket.sendall(data)

    def _fill(self, deadline: Optional[float]) -> None:
        self.socket.settimeout(SILENT_SECONDS if deadline is None else _left(deadline))
        data = self.socket.recv(65536)
        with self._lock:
            self._in.write(data) if data else self._in.write_eof()

    def read(self, deadline: Optional[float] = None) -> bytes:
        """What has come, b'' at the end."""
        while True:
            with self._lock:
                try:
                    return self._tls.read(65536)
                except ssl.SSLWantReadError:
                    self._flush()
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return b""
            self._fill(deadline)

    def write(self, data: bytes) -> None:
        with self._lock:
            while data:
                data = data[self._tls.write(data):]
            self._flush()

    def close(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes the reader
        except OSError:
            pass
        self.socket.close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout("out of time")
    return left


# --- 7 session: JSON-RPC over one connection (2, 3) -------------------------------------------------------------------------------


def transcript(context: str, path: str, server_key: str, device_key: str, server_nonce: str, client_nonce: str, binding: bytes = b"",
               token: str = "") -> bytes:
    """2.3: eight fields, each behind its length. Python's ssl has no exporter, so the binding is empty."""
    texts = [context, path, server_key, device_key, server_nonce, client_nonce]
    return b"".join(struct.pack(">I", len(field)) + field for field in [*(text.encode() for text in texts), binding, token.encode()])


_NO_RECONNECT = {1000: "CONNECTION_LOST", 1009: "INTERNAL", 4400: "INTERNAL", 4403: "DEVICE_UNKNOWN", 4409: "SUPERSEDED",
                 4410: "DEVICE_UNKNOWN"}  # 3.4
_warning = _shape(code=_any_text, inMs=_whole())
_renewal = _shape(lease=_id, token_=_token, code_=_any_text, warning_=_warning)
_results = {
    "session.open": _shape(session=_id, signature=_signature, device=_shape(id=_id, name=_any_text), user=_shape(email=_any_text),
                           server=_shape(id=_id, key=_key), organisation=_shape(name=_any_text), leaseSeconds=_whole(), nowMs=_whole()),
    "session.resume": _shape(leases=_list(_renewal), entitlements=_list(_token), endorsements_=_list(_token, 0, 16)),
    "lease.renew": _shape(leases=_list(_renewal), entitlements=_list(_token), endorsements_=_list(_token, 0, 16)),
    "lease.checkout": _shape(leases=_list(_token, 1), entitlements=_list(_token, 1), endorsements_=_list(_token, 0, 16), joined=_boolean),
    "lease.release": _shape(released=_list(_id)),
    "device.enrol": _shape(device=_id, user=_shape(email=_any_text), server=_shape(id=_id, key=_key),
                           organisation=_shape(name=_any_text), scopes=_list(_any_text)),
}
_TAKEN = ("LEASE_REVOKED", "IDLE_RELEASED")
_pushes = {
    "session.challenge": _shape(versions=_list(_any_text), server=_shape(id=_id, key=_key), nonce=_nonce, nowMs=_whole()),
    "lease.revoked": _shape(lease=_id, reason=_any_text, by=_any_text, code_=_any_text),
    "server.draining": _shape(reconnectAfterMs=_whole()),
    "lease.warned": _shape(lease=_id, warning=lambda value: value is None or _warning(value)),
    "lease.queued": _shape(checkout=_any_text, position=_whole(1)),
    "admin.message": _shape(lease=_id, text=_any_text, **{"from": _any_text}),
}


def _frame_number(text: str):
    number = float(text)
    return int(number) if number.is_integer() and abs(number) <= MAX_INTEGER else number  # 3.1: 2.0 is the integer 2


class _Reply:
    def __init__(self):
        self.done, self.result, self.error = threading.Event(), None, None


class Session:
    """A connection on which the server has proved its key and, after open(), this device its own. `on_push(method, params)` is
    called on the thread that reads: it must not wait for an answer."""

    PATH = "/v1/lease"

    def __init__(self, address: tuple, ca: str, server_key: str, on_push: Callable[[str, dict], None], trace=None, timeout: float = 10.0):
        self.server_key, self.ended, self.opened, self.close_code = server_key, threading.Event(), False, 1006
        self._on_push, self._trace, self._lock, self._replies, self._next_id = on_push, trace, threading.Lock(), {}, 0
        self._challenge, self._parser, self.name = queue.Queue(1), FrameParser(), f"{address[0]}:{address[1]}"
        deadline = time.monotonic() + timeout
        try:
            self._socket = TlsSocket(address, ca, deadline)
        except ssl.SSLCertVerificationError as error:
            raise BerthError("CERTIFICATE_UNTRUSTED", f"The certificate of {self.name} does not verify: {error.verify_message}.") from None
        except (OSError, ValueError) as error:  # ssl.SSLError and time-outs among them; a ValueError: a name that TLS does not take
            raise BerthError("UNREACHABLE", f"{self.name} cannot be reached: {error}.") from None
        try:
            first = self._upgrade(address, deadline)
        except (OSError, ValueError) as error:
            self._socket.close()
            raise BerthError("UNREACHABLE", f"{self.name} does not answer as a licence server: {error}.") from None
        except BaseException:
            self._socket.close()
            raise
        threading.Thread(target=self._read, args=(first,), name="berth-read", daemon=True).start()
        try:
            self.challenge = self._challenge.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            self.challenge = None
        if self.challenge is None:
            self.close()
            raise BerthError("UNREACHABLE", f"{self.name} sent no challenge.")
        if self.challenge["server"]["key"] != server_key:  # 2.3: before anything is signed
            self.close()
            raise BerthError("SERVER_MISMATCH")

    def _upgrade(self, address: tuple, deadline: float) -> bytes:
        """The handshake of RFC 6455; gives what came behind it."""
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        self._socket.write((f"GET {self.PATH} HTTP/1.1\r\nHost: {host}:{address[1]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: berth.v1\r\n\r\n").encode())
        data = b""
        while b"\r\n\r\n" not in data:
            more = self._socket.read(deadline)
            data += more
            if not more or len(data) > 65536:
                raise ValueError("no HTTP answer")
        head, _, rest = data.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if " 101" not in status[:13]:
            self._refused(rest, headers, status, deadline)
        accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
        if (headers.get("upgrade", "").lower() != "websocket" or "upgrade" not in headers.get("connection", "").lower()
                or headers.get("sec-websocket-accept") != accept or headers.get("sec-websocket-protocol") != "berth.v1"
                or "sec-websocket-extensions" in headers):
            raise ValueError("not the WebSocket that was asked for")
        return rest

    def _refused(self, rest: bytes, headers: dict, status: str, deadline: float) -> None:
        size = min(int(headers.get("content-length", "0") or 0), 65536)
        while len(rest) < size:
            more = self._socket.read(deadline)
            if not more:
                break
            rest += more
        try:
            said = json.loads(rest)
            error = BerthError(str(said["code"]), str(said["message"]), str(said["next"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ValueError(f"HTTP says {status[:80]!r}") from None
        raise error

    def _read(self, data: bytes) -> None:
        """Until the connection ends. Whatever ends it, everybody who waits is told."""
        try:
            while True:
                for opcode, payload in self._parser.feed(data):
                    if opcode == _CLOSE:
                        self.close_code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else 1005
                        self._socket.write(client_frame(_CLOSE, payload[:2]))
                        return
                    if opcode == _PING:
                        self._socket.write(client_frame(_PONG, payload))
                    elif opcode == _BINARY:
                        raise Violation(1003, "a binary message")
                    elif opcode == _TEXT:
                        self._hear(payload)
                data = self._socket.read()
                if not data:
                    return
        except Violation as violation:
            self.close_code = 1006
            self._close_frame(violation.close)
        except (OSError, ValueError):
            pass
        finally:
            self._end()

    def _end(self) -> None:
        self._socket.close()
        self.ended.set()
        with self._lock:
            waiting, self._replies = list(self._replies.values()), {}
        for reply in waiting:
            reply.error = BerthError("CONNECTION_LOST")
            reply.done.set()
        if self._challenge.empty():
            self._challenge.put(None)

    def _hear(self, payload: bytes) -> None:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            raise Violation(1007, "text that is not UTF-8") from None
        try:
            frame = json.loads(text, parse_float=_frame_number, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise Violation(1002, "a frame that is not JSON") from None
        if not isinstance(frame, dict):
            raise Violation(1002, "a frame that is not an object")
        if self._trace:
            self._trace("heard", text)
        method, params = frame.get("method"), frame.get("params", {})
        if isinstance(method, str):
            if method in _pushes and _pushes[method](params):  # 3.2: one that is unknown is ignored; one that is broken, too
                if method == "session.challenge":
                    if self._challenge.empty() and not self.opened:
                        self._challenge.put(params)
                else:
                    self._on_push(method, params)
            return
        with self._lock:
            reply = self._replies.pop(frame.get("id"), None) if type(frame.get("id")) is int else None
        if reply is not None:
            reply.result, reply.error = frame.get("result"), _error_of(frame)
            reply.done.set()

    def request(self, method: str, params: dict, timeout: float = ANSWER_SECONDS) -> dict:
        """The result. Raises what the server answered, TIMEOUT or CONNECTION_LOST; after those two nobody knows whether it was done (8)."""
        reply = _Reply()
        with self._lock:
            if self.ended.is_set():
                raise BerthError("CONNECTION_LOST")
            self._next_id += 1
            number = self._next_id
            self._replies[number] = reply
        text = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}, separators=(",", ":"))
        if self._trace:
            self._trace("sent", text)
        try:
            self._socket.write(client_frame(_TEXT, text.encode()))
        except (OSError, ValueError):
            self._socket.close()
            raise BerthError("CONNECTION_LOST") from None
        if not reply.done.wait(timeout):
            with self._lock:
                self._replies.pop(number, None)
            raise BerthError("TIMEOUT")
        if reply.error is not None:
            raise reply.error
        if not _results.get(method, lambda _: True)(reply.result):
            raise BerthError("INTERNAL", f"The answer to {method} lacks something or has a member of another type.")
        return reply.result

    def open(self, seed: bytes, device_key: str, client: dict, witness: Optional[dict]) -> dict:
        """7.3. Raises SERVER_MISMATCH when the server does not prove its key."""
        nonce = new_nonce()
        fields = (self.PATH, self.server_key, device_key, self.challenge["nonce"], nonce)
        signature = b64(ed25519_sign(seed, transcript("berth.v1 device opens session", *fields)))
        params = {"deviceKey": device_key, "nonce": nonce, "binding": "none", "signature": signature, "client": client}
        result = self.request("session.open", {**params, **({"witness": witness} if witness else {})})
        proof = transcript("berth.v1 server accepts session", *fields)
        if not ed25519_verify(key_bytes(self.server_key) or b"", proof, unb64(result["signature"]) or b""):
            self.close()
            raise BerthError("SERVER_MISMATCH")
        self.opened = True
        return result

    def _close_frame(self, code: int) -> None:
        try:
            self._socket.write(client_frame(_CLOSE, struct.pack(">H", code)))
        except (OSError, ValueError):
            pass

    def close(self, code: int = 1000, wait: float = 0.0) -> None:
        self._close_frame(code)
        self.ended.wait(wait)
        self._socket.close()


def _error_of(frame: dict) -> Optional[BerthError]:
    error = frame.get("error")
    if error is None:
        return None
    data = error.get("data") if isinstance(error, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("code"), str):
        return BerthError("INTERNAL")
    return BerthError(data["code"], str(error.get("message", "")), str(data.get("next", "")), data)


# --- 8 seats: what counts time (6) ------------------------------------------------------------------------------------------------


class Reading:
    """All clocks at one moment. Monotonic clocks stop in suspend, wall clocks are set back: the one that went furthest counts (6.1)."""

    def __init__(self):
        self.monotonic, self.wall = time.monotonic(), time.time()
        self.boot = time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else self.monotonic

    def elapsed(self) -> float:
        now = Reading()
        return max(now.monotonic - self.monotonic, now.wall - self.wall, now.boot - self.boot, 0.0)


class Lease:
    def __init__(self, claims: dict, token: str, start: Reading):
        self.id, self.claims, self.token, self.start, self.not_renewed = claims["jti"], claims, token, start, False


class Seat:
    """What a plugin holds: all leases of one checkout (6.4). `state` is computed when it is read; "lost" is final. Leaving `with`, or
    release(), gives it back: stop using it first."""

    def __init__(self, client: "Client", leases: list, joined: bool):
        self._client, self._lock, self._callbacks, self._told = client, client._lock, [], "held"
        self.leases, self.joined, self.error, self._given_back, self._lost_at = leases, joined, None, None, None
        self.warning: Optional[dict] = None
        self._idle: Optional[Reading] = None

    @property
    def state(self) -> str:
        with self._lock:
            if self._given_back is not None:
                return "released"
            share = max(lease.start.elapsed() / lease.claims["dur"] for lease in self.leases)
            if self.error is None and share >= 1:
                self._lose(BerthError("SEAT_LOST"))
            if self.error is not None:
                return "lost"
            return "grace" if share >= 0.5 or any(lease.not_renewed for lease in self.leases) else "held"

    @property
    def products(self) -> list:
        return sorted({lease.claims["product"] for lease in self.leases})

    @property
    def lease_ids(self) -> list:
        return [lease.id for lease in self.leases]

    @property
    def seconds_left(self) -> float:
        """Until it is lost if nothing is renewed."""
        with self._lock:
            over = self.error is not None or self._given_back is not None
            return 0.0 if over else max(0.0, min(lease.claims["dur"] - lease.start.elapsed() for lease in self.leases))

    def check(self) -> None:
        """Raises the reason (a BerthError) when the seat may not be used: for the loop of a renderer."""
        if self.state not in ("held", "grace"):
            raise self.error or BerthError("LEASE_UNKNOWN", "The seat was given back.")

    def on(self, event: str, callback: Callable) -> "Seat":
        """callback(seat) at "lost", "grace", "held" (again), "released" or "warning" (`seat.warning`: it will end in inMs although it is
        renewed; None: called off); callback(seat, text, sender) at "message". Each call has a thread of its own, at once when the
        seat is already lost."""
        with self._lock:
            self._callbacks.append((event, callback))
            late = event == "lost" and self._told == "lost"
        if late:
            _call(callback, self)
        return self

    def on_lost(self, callback: Callable[["Seat"], None]) -> "Seat":
        return self.on("lost", callback)

    def idle(self, is_idle: bool = True) -> None:
        """Says that nobody is using the plugin at the moment, or that somebody is again: a pool may take idle seats back (7.6)."""
        with self._lock:
            if is_idle != (self._idle is not None):
                self._idle = Reading() if is_idle else None
                self._client._beat_at = self._client._beat_at if is_idle else 0.0  # in use again: said at once
                self._client._changed()

    def _lose(self, error: BerthError) -> None:
        with self._lock:
            if self.error is None and self._given_back is None:
                self.error, self._lost_at = error, time.monotonic()
                self._client._changed()

    def _warn(self, warning: Optional[dict]) -> None:
        with self._lock:
            told = (self.warning or {}).get("atMs") == (warning or {}).get("atMs")
            self.warning = warning
        if not told:
            self._tell("warning")

    def _tell(self, event: str, *more: Any) -> None:
        with self._lock:
            callbacks = [callback for name, callback in self._callbacks if name == event]
        for callback in callbacks:
            _call(callback, self, *more)

    def _look(self) -> float:
        """Tells callbacks what changed; seconds until the state can change by itself."""
        state = self.state
        with self._lock:
            changed, self._told = state != self._told, state
        if changed:
            self._tell(state)
        if state == "lost" and self.error.code == "SEAT_LOST" and time.monotonic() >= self._lost_at + STOP_SECONDS:
            self._give_back()  # the plugin has stopped by now (6.4), and a heartbeat must not prolong what nobody uses
        return max(0.01, min((share * lease.claims["dur"] - lease.start.elapsed() for lease in self.leases for share in (0.5, 1.0)
                              if share * lease.claims["dur"] > lease.start.elapsed()), default=1.0))

    def _give_back(self) -> "_GiveBack":
        with self._lock:
            if self._given_back is None:
                stops = self.error is not None and self.error.code in _TAKEN
                last = max(lease.start.monotonic + window_ms(lease.claims["dur"] * 1000) / 1000 for lease in self.leases)
                self._given_back = _GiveBack(self.lease_ids, stops, last)
                self._client._give_back(self, self._given_back)
            return self._given_back

    def release(self, timeout: float = 5.0) -> bool:
        """Gives the seat back. True when the server said so in time; if not, it is tried on in the background while this client lives."""
        back = self._give_back()
        back.done.wait(timeout)
        return back.confirmed

    def __enter__(self) -> "Seat":
        return self

    def __exit__(self, *_error: Any) -> None:
        self.release()


class _GiveBack:
    """A release until the server has confirmed it, or the window has passed and it does not matter any more (7.7)."""

    def __init__(self, leases: list, stops: bool, until: float):
        self.key, self.leases, self.stops, self.until = new_nonce(), leases, stops, until
        self.done, self.confirmed = threading.Event(), False

    def end(self, confirmed: bool) -> None:
        self.confirmed = confirmed
        self.done.set()


def _call(callback: Callable, *args: Any) -> None:
    try:
        threading.Thread(target=callback, args=args, name="berth-callback", daemon=True).start()
    except RuntimeError:  # the interpreter shuts down
        pass


# --- 9 client ---------------------------------------------------------------------------------------------------------------------

_HOPELESS = {"DEVICE_UNKNOWN", "SIGNATURE_INVALID", "NOT_ALLOWED", "BINDING_REQUIRED", "SUPERSEDED"}
_AGAIN = {"BUSY", "RATE_LIMITED", "DRAINING", "CONNECTION_LOST", "TIMEOUT"}


def connect(product: Optional[str] = None, vendor_keys: Iterable[str] = (), servers: Iterable[str] = (), home: Optional[str] = None,
            context: Optional[str] = None, name: str = "python", version: str = __version__, timeout: float = 10.0,
            trace: Optional[Callable[[str, str], None]] = None) -> "Client":
    """A session with the licence server that this user has joined. Raises BerthError. `vendor_keys`: the vendor's, current and next;
    what they did not sign is worth nothing. `trace("sent" or "heard", text)` sees every frame."""
    keys = [key.strip() for key in vendor_keys]
    if not keys or not all(key_bytes(key) and _key(key) for key in keys):
        raise BerthError("KEY_INVALID", "A vendor key is missing, or is none.")
    identity = Identity(home, context)
    texts = list(servers) or [text for text in os.environ.get("BERTH_SERVERS", "").split(",") if text.strip()]
    addresses = [parse_address(text) for text in texts] or identity.servers
    if not addresses or None in addresses:
        raise BerthError("UNREACHABLE", "The list of servers is not right.", "Write host or host:port.")
    client = Client(identity, product, keys, addresses, {"name": name, "version": version, "pid": os.getpid()}, trace)
    client._start(timeout)
    return client


class Client:
    """Keeps a session, heartbeats and gives back, each in a thread of its own. Made by connect()."""

    def __init__(self, identity: Identity, product: Optional[str], vendor_keys: list, servers: list, about: dict, trace):
        self.identity, self.product, self.vendor_keys, self.servers, self.about = identity, product, vendor_keys, servers, about
        self.fatal: Optional[BerthError] = None
        self.last_error: Optional[BerthError] = None
        self.user, self.lease_seconds = "", 120
        self._trace, self._lock, self._closing, self._session = trace, threading.RLock(), threading.Event(), None
        self._news = threading.Condition(self._lock)
        self._seats, self._entitlements, self._trusted, self._witness = [], {}, set(), identity.witness()
        self._endorsements: list = []
        self._waiting, self._back, self._pause, self._beat_at, self._on_message = {}, [], 0.0, 0.0, []
        self._early: dict = {}

    # connecting

    def _start(self, timeout: float) -> None:
        for work in (self._keep_session, self._keep_renewing, self._keep_watching, self._keep_giving_back):
            threading.Thread(target=work, name=f"berth{work.__name__.replace('_', '-')}", daemon=True).start()
        atexit.register(self.close)
        try:
            self._wait_for_session(timeout)
        except BaseException:
            self.close()
            raise

    def _wait_for_session(self, timeout: float) -> Session:
        with self._news:
            self._news.wait_for(lambda: self._session or self.fatal or self._closing.is_set(), timeout)
            if self._session is not None:
                return self._session
            raise self.fatal or self._unreachable()

    def _unreachable(self) -> BerthError:
        why, tried = self.last_error, ", ".join(f"{host}:{port}" for host, port in self.servers)
        if why is not None and why.code != "UNREACHABLE":
            return why
        return BerthError("UNREACHABLE", f"No licence server can be reached (tried {tried}). {why.message if why else ''}".strip())

    def _keep_session(self) -> None:
        limit, superseded = 0.25, -1e9  # 3.4
        while not self._closing.is_set() and self.fatal is None:
            self._closing.wait(self._pause)
            self._pause = 0.0
            session, since = self._reach(), time.monotonic()
            if session is not None:
                session.ended.wait()
                with self._news:
                    self._session = None
                    # 3.4: the network of this computer may have changed, so once in ten minutes SUPERSEDED is not the end
                    first = session.close_code == 4409 and time.monotonic() - superseded > 600
                    superseded = time.monotonic() if first else superseded
                    if session.close_code in _NO_RECONNECT and not first and not self._closing.is_set():
                        self.fatal = BerthError(_NO_RECONNECT[session.close_code])
                    self._news.notify_all()
                if time.monotonic() - since >= 10:
                    limit = 0.25
                    continue
            self._closing.wait(random.uniform(limit / 2, limit))
            limit = min(limit * 2, 10.0)

    def _reach(self) -> Optional[Session]:
        for address in self.servers:
            session = None
            try:
                try:
                    session = self._dial(address)
                except BerthError as error:
                    if error.code != "CERTIFICATE_UNTRUSTED":
                        raise
                    ca = fetch_ca(*address, self.identity.server_key)  # 2.2: the server may prove a new authority with its old key
                    if ca == self.identity.ca:
                        raise
                    session = self._dial(address, ca)
                    self.identity.trust(ca)
                opened = session.open(self.identity.seed, self.identity.device_key, self.about, self._witness)
                self.user, self.lease_seconds = opened["user"]["email"], opened["leaseSeconds"]
                if opened.get("readmits") is True:
                    self._show(session)
                self._resume(session, self._live_leases())
                with self._news:
                    if self._closing.is_set():
                        session.close()
                        return None
                    self._session, self._beat_at = session, self._next_beat()
                    self._news.notify_all()
                return session
            except BerthError as error:
                if session is not None:
                    session.close()
                with self._news:
                    self.last_error = error
                    if error.code in _HOPELESS:
                        self.fatal = error
                        self._news.notify_all()
                        return None
            except Exception as error:  # a folder that cannot be written, a mistake of ours: this thread must go on
                if session is not None:
                    session.close()
                self.last_error = _told(error)
        return None

    def _dial(self, address: tuple, ca: Optional[str] = None) -> Session:
        return Session(address, ca or self.identity.ca, self.identity.server_key, self._pushed, self._trace)

    @property
    def online(self) -> bool:
        return self._session is not None

    def _changed(self) -> None:
        with self._news:
            self._news.notify_all()

    # leases

    def _live_leases(self) -> list:
        with self._lock:
            return [lease for seat in self._seats if seat.state in ("held", "grace") for lease in seat.leases]

    def _seat_of(self, lease: str) -> Optional[Seat]:
        with self._lock:
            return next((seat for seat in self._seats if lease in seat.lease_ids), None)

    def _verified(self, token: str, nonce: str) -> dict:
        entitlement = self._entitlements.get(parse_token(token, "lease")["ent"])
        if entitlement is None:
            raise Fault("LEASE_OTHER_ENTITLEMENT")
        claims = verify_chain(token, entitlement, self.vendor_keys, self.identity.device_key, nonce, trusted=self._trusted,
                              endorsements=self._endorsements)
        if claims["kind"] != "online":
            raise Fault("LEASE_OTHER_KIND")
        with self._lock:
            # 7.3: with the lease that names it; without one nobody is believed.
            self._witness = newer(self._witness, {**{name: claims[name] for name in ("epoch", "seq", "head")}, "token": token})
        return claims

    def _keep_entitlements(self, answer: dict) -> None:
        for token in answer.get("endorsements", []):
            if token not in self._endorsements:
                self._endorsements = [*self._endorsements, token][-16:]
        for token in answer["entitlements"]:
            try:
                self._entitlements[parse_token(token, "entitlement")["jti"]] = token
            except Fault:
                pass  # the lease that names it will not verify
        if len(self._trusted) > 1000:
            self._trusted.clear()

    def _renew(self, session: Session, method: str, leases: list) -> list:
        """Asks for renewal; the leases that were not answered, or whose token does not verify."""
        nonce, start = new_nonce(), Reading()
        params = {"leases": [lease.id for lease in leases]} if method == "session.resume" else self._idle_leases()
        result = session.request(method, {**params, "nonce": nonce}, min(10.0, max(1.0, self._shortest() / 6)))
        self._keep_entitlements(result)
        rows, left = {row["lease"]: row for row in result["leases"]}, []
        for lease in leases:
            row = rows.get(lease.id, {})
            if "token" in row:
                try:
                    self._renewed(lease, row["token"], nonce, start)
                    seat = self._seat_of(lease.id)
                    if seat is not None:
                        seat._warn(row.get("warning"))
                except Fault:
                    left.append(lease)
            elif "code" in row:
                self._not_renewed(lease, row["code"])
            else:
                left.append(lease)
        return left

    def _idle_leases(self) -> dict:
        with self._lock:
            idle = [{"lease": lease.id, "seconds": int(seat._idle.elapsed())} for seat in self._seats if seat._idle for lease in seat.leases]
        return {"idle": idle[:LEASES_PER_SESSION]} if idle else {}

    def _renewed(self, lease: Lease, token: str, nonce: str, start: Reading) -> None:
        claims = self._verified(token, nonce)
        if any(claims[name] != lease.claims[name] for name in ("jti", "n", "product")):
            raise Fault("LEASE_CHANGED")
        with self._lock:
            seat = self._seat_of(lease.id)
            if seat is not None and seat.state not in ("held", "grace"):
                return  # 6.4: too late; it is given back
            lease.claims, lease.token, lease.not_renewed = claims, token, False
            if start.monotonic > lease.start.monotonic:
                lease.start = start

    def _not_renewed(self, lease: Lease, code: str) -> None:
        lease.not_renewed = True  # ENTITLEMENT_EXPIRED, or a code of a later version: it lasts to its own end
        if code in ("LEASE_UNKNOWN", *_TAKEN):
            seat = self._seat_of(lease.id)
            lease.start = _long_ago()
            if seat is not None:
                seat._lose(BerthError(code))

    def _resume(self, session: Session, leases: list) -> None:
        for at in range(0, len(leases), LEASES_PER_SESSION):
            self._renew(session, "session.resume", leases[at:at + LEASES_PER_SESSION])

    def _show(self, session: Session) -> None:
        """11.3: a server that was restored does not know what it granted since its backup, and is shown it."""
        tokens = [lease.token for lease in self._live_leases()]
        for at in range(0, len(tokens), TOKENS_PER_RESUME):
            session.request("session.resume", {"leases": [], "nonce": new_nonce(), "tokens": tokens[at:at + TOKENS_PER_RESUME]})

    def _shortest(self) -> float:
        return min((lease.claims["dur"] for lease in self._live_leases()), default=float(self.lease_seconds))

    def _next_beat(self, share: float = 1 / 3) -> float:
        """6.2: every D/3, varied by 10 %; after an error D/10. Somebody who waits in line without leases knocks every 30 s (8.1)."""
        every = self._shortest() if self._live_leases() else 90.0
        return time.monotonic() + every * share * random.uniform(0.9, 1.1)

    def _keep_renewing(self) -> None:
        while not self._closing.is_set():
            with self._news:
                session, busy = self._session, bool(self._live_leases() or self._waiting)
                wait = self._beat_at - time.monotonic() if session and busy else None
                if wait is None or wait > 0:
                    self._news.wait(min(wait, 1.0) if wait is not None else 1.0)
                    continue
            try:
                self._resume(session, self._renew(session, "lease.renew", self._live_leases()))
                self._beat_at = self._next_beat()
            except Exception as error:  # also a mistake of ours or of a trace: this thread must go on
                self.last_error, self._beat_at = _told(error), self._next_beat(1 / 10)
                if self.last_error.code == "TIMEOUT":
                    session.close()  # 2.1: a dead connection; TCP would take minutes to notice

    def _keep_watching(self) -> None:
        saved, saved_at = self._witness, time.monotonic()
        while not self._closing.is_set():
            if self._witness is not saved and time.monotonic() - saved_at >= 60:
                saved, saved_at = self._witness, time.monotonic()
                self.identity.keep_witness(saved)
            with self._lock:
                seats = list(self._seats)
            due = min((seat._look() for seat in seats), default=1.0)
            with self._news:
                self._news.wait(min(due, 0.5))  # wall clocks may jump

    def _pushed(self, method: str, params: dict) -> None:
        if method == "server.draining":
            self._pause = params["reconnectAfterMs"] / 1000
        elif method == "lease.queued":
            _call(self._waiting.get(params["checkout"]) or (lambda _: None), params)
        elif method == "lease.warned":
            seat = self._seat_of(params["lease"])
            if seat is not None:
                seat._warn(params["warning"])
        elif method == "lease.revoked":
            error = BerthError("IDLE_RELEASED") if params.get("code") == "IDLE_RELEASED" else BerthError(
                "LEASE_REVOKED", f"The seat was revoked by {params['by']}: {params['reason']}".rstrip(": "))
            with self._lock:
                seat = self._seat_of(params["lease"])
                if seat is not None:
                    seat._lose(error)
                elif self._waiting and len(self._early) < 1000:
                    self._early[params["lease"]] = error  # 7.25: revoked before its grant has arrived
        elif method == "admin.message":
            seat = self._seat_of(params["lease"])
            for callback in self._on_message:
                _call(callback, seat, params["text"], params["from"])
            if seat is not None:
                seat._tell("message", params["text"], params["from"])

    def on_message(self, callback: Callable[[Optional[Seat], str, str], None]) -> None:
        """callback(seat, text, sender): an administrator writes to the person at the plugin. Show it as plain text."""
        self._on_message.append(callback)

    # checking out

    def checkout(self, product: Any = None, seats: int = 1, wait: float = 0.0, wants: Optional[list] = None,
                 on_queued: Optional[Callable[[dict], None]] = None) -> Seat:
        """A seat. `product`: one, or several in order of preference; connect()'s when left out. `wants`: a bundle, all or nothing, as
        [{"products": [...], "seats": 1}, ...]. `wait`: seconds to stand in line; on_queued({"position", "estimateMs", ...}) tells the
        place. Raises BerthError: NO_SEAT has `data["rule"]`, `data["holders"]`, `data["nextFreeAtMs"]`."""
        chosen = product or self.product
        if wants is None and not chosen:
            raise BerthError("NO_PRODUCT", "No product was named.", "Name one in connect() or checkout().")
        wanted = wants or [{"products": [chosen] if isinstance(chosen, str) else list(chosen), "seats": seats}]
        job = {"key": new_nonce(), "wants": wanted, "wait": wait, "done": threading.Event(), "cancelled": False, "seat": None, "error": None}
        self._waiting[job["key"]] = on_queued or (lambda _: None)
        # In a thread of its own: who cancels (Ctrl-C) may go, but the answer is waited for, and what it brings released (8).
        threading.Thread(target=self._check_out, args=(job,), name="berth-checkout", daemon=True).start()
        try:
            while not job["done"].wait(1.0):  # with a time: on Windows Ctrl-C does not interrupt one without
                pass
        except BaseException:
            self._cancel(job)
            raise
        if job["error"] is not None:
            raise job["error"]
        return job["seat"]

    def _cancel(self, job: dict) -> None:
        with self._lock:
            job["cancelled"], seat, session = True, job["seat"], self._session
        if seat is not None:
            seat.release()
        elif session is not None and job["wait"] > 0:
            try:
                session.request("lease.cancelWait", {"checkout": job["key"]}, 2.0)
            except BerthError:
                pass

    def _check_out(self, job: dict) -> None:
        try:
            seat = self._granted(job)
            with self._lock:
                self._seats.append(seat)
                job["seat"] = seat
                for error in (self._early.pop(id_, None) for id_ in seat.lease_ids):
                    if error is not None:
                        seat._lose(error)
                self._beat_at = min(self._beat_at, self._next_beat())
                self._changed()
                cancelled = job["cancelled"]
            if cancelled:
                seat.release()
        except BerthError as error:
            job["error"] = error
        except Exception as error:  # a mistake of ours must not leave the caller waiting
            job["error"] = _told(error)
        finally:
            with self._lock:
                self._waiting.pop(job["key"], None)
                if not self._waiting:
                    self._early.clear()
            job["done"].set()

    def _granted(self, job: dict) -> Seat:
        """Repeats one request with one key until it is answered (8), and verifies the answer."""
        nonce, start, sent = new_nonce(), Reading(), False
        while True:
            passed = start.elapsed()
            if sent and passed >= self.lease_seconds + job["wait"]:
                raise BerthError("TIMEOUT")  # the seat would be lost anyhow
            session = self._wait_for_session(max(0.0, (self.lease_seconds if sent else ANSWER_SECONDS) + job["wait"] - passed))
            if not sent:
                start, sent = Reading(), True  # 6.1: the moment before the request was first sent
            left = max(0.0, job["wait"] - start.elapsed())
            params = {"key": job["key"], "wants": job["wants"], "nonce": nonce, **({"waitMs": int(left * 1000)} if job["wait"] else {})}
            try:
                result = session.request("lease.checkout", params, left + ANSWER_SECONDS)
                return self._verified_grant(session, job, result, nonce, start)
            except BerthError as error:
                if error.code not in _AGAIN:
                    raise
                if error.code == "TIMEOUT":
                    session.close()
                if error.code != "CONNECTION_LOST":
                    time.sleep(random.uniform(0.25, 0.5))
                session.ended.wait(0.05)

    def _verified_grant(self, session: Session, job: dict, result: dict, nonce: str, start: Reading) -> Seat:
        self._keep_entitlements(result)
        try:
            try:
                leases = [Lease(self._verified(token, nonce), token, start) for token in result["leases"]]
            except Fault as fault:
                if fault.word not in ("LEASE_OTHER_ENTITLEMENT", "LEASE_OUTSIDE_ENTITLEMENT"):
                    raise
                ids = [parse_token(token, "lease")["jti"] for token in result["leases"]]
                again = session.request("session.resume", {"leases": ids, "nonce": new_nonce()})
                self._keep_entitlements(again)  # the vendor may have prolonged one (5)
                leases = [Lease(self._verified(token, nonce), token, start) for token in result["leases"]]
            _must_satisfy(job["wants"], leases)
        except Fault as fault:
            self._release_unverified(result["leases"])
            raise BerthError("TOKEN_INVALID", f"The licence token does not verify ({fault.word}).", data={"fault": fault.word}) from None
        if start.elapsed() > min(lease.claims["dur"] for lease in leases) / 10:  # 8.1: the grant is old; count from a renewal
            left = self._renew(session, "session.resume", leases)
            if left or any(lease.not_renewed and lease.start.elapsed() >= lease.claims["dur"] for lease in leases):
                self._release_unverified(result["leases"])
                raise BerthError("SEAT_LOST", "The seat was lost before its grant arrived.")
        return Seat(self, leases, result["joined"])

    def _release_unverified(self, tokens: list) -> None:
        ids = []
        for token in tokens:
            try:
                ids.append(parse_token(token, "lease")["jti"])
            except Fault:
                pass
        if ids:
            self._give_back(None, _GiveBack(ids, False, time.monotonic() + window_ms(self.lease_seconds * 1000) / 1000))

    # giving back

    def _give_back(self, seat: Optional[Seat], back: _GiveBack) -> None:
        with self._news:
            self._back.append(back)
            if seat in self._seats:
                self._seats.remove(seat)
                seat._tell("released")
            self._news.notify_all()

    def _keep_giving_back(self) -> None:
        while True:
            with self._news:
                for back in [back for back in self._back if time.monotonic() >= back.until]:
                    self._back.remove(back)
                    back.end(False)  # the window is over: the seat is free anyhow
                session, back = self._session, self._back[0] if self._back else None
                if self._closing.is_set() and (back is None or session is None):
                    return
                if session is None or back is None:
                    self._news.wait(1.0)
                    continue
            try:
                self._send_back(session, back)
                with self._news:
                    self._back.remove(back)
                    back.end(True)
            except Exception as error:
                self._not_given_back(session, back, _told(error))

    def _send_back(self, session: Session, back: _GiveBack) -> None:
        for at in range(0, len(back.leases), 32):  # a request with more stops would be too large
            ids = back.leases[at:at + 32]
            now = int(time.time())
            stops = [make_token("stop", {"jti": id_, "dev": self.identity.device_key, "iat": now}, self.identity.seed) for id_ in ids]
            params = {"key": f"{back.key}-{at}", "leases": ids, **({"stops": stops} if back.stops else {})}
            session.request("lease.release", params)

    def _not_given_back(self, session: Session, back: _GiveBack, error: BerthError) -> None:
        if error.code == "STOP_REQUIRED" and not back.stops:
            back.key, back.stops = new_nonce(), True  # 7.7: revoked meanwhile. The plugin has stopped: that is why we are here
        elif error.code not in _AGAIN and error.code != "INTERNAL":
            with self._news:
                self.last_error = error
                self._back.remove(back)
                back.end(False)
        elif error.code == "TIMEOUT":
            session.close()
        self._closing.wait(random.uniform(0.25, 0.5)) if error.code != "STOP_REQUIRED" else None

    def close(self, timeout: float = 5.0) -> None:
        """Gives every seat back and ends the session. Also done by `with`, and when the interpreter exits."""
        if self._closing.is_set():
            return
        with self._lock:
            backs = [seat._give_back() for seat in list(self._seats)] + self._back
        end = time.monotonic() + timeout
        for back in backs:
            back.done.wait(max(0.0, end - time.monotonic()))
        with self._news:
            self._closing.set()
            session = self._session
            self._news.notify_all()
        if session is not None:
            session.close(wait=1.0)
        if self._witness is not None:
            self.identity.keep_witness(self._witness)
        atexit.unregister(self.close)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_error: Any) -> None:
        self.close()


def _told(error: Exception) -> BerthError:
    return error if isinstance(error, BerthError) else BerthError("INTERNAL", f"The client failed: {error!r}.")


def _long_ago() -> Reading:
    reading = Reading()
    reading.monotonic = reading.wall = reading.boot = -1e12
    return reading


def _must_satisfy(wants: list, leases: list) -> None:
    """Every want by leases of one of its products, and nothing else (7.5)."""
    sums: dict = {}
    for lease in leases:
        sums[lease.claims["product"]] = sums.get(lease.claims["product"], 0) + lease.claims["n"]
    for want in wants:
        got = [product for product in want["products"] if product in sums]
        if len(got) != 1 or sums.pop(got[0]) < want["seats"]:
            raise Fault("GRANT_INCOMPLETE")
    if sums:
        raise Fault("LEASE_OTHER_PRODUCT")


# --- 10 joining (2.2, 7.2) --------------------------------------------------------------------------------------------------------


def join(link: str, home: Optional[str] = None, device_name: Optional[str] = None, name: Optional[str] = None) -> dict:
    """Enrols this computer with a join link and writes a context that `berth` can use too. The same link again, after a lost answer, is
    safe: the key is on disk before it is sent."""
    parts = parse_link(link)
    config, state = _roots(home)
    mark = b64(hashlib.sha256(parts["token"].encode()).digest())
    pending = state / ".joins" / f"python-{mark[:22]}.key"
    ca = fetch_ca(parts["host"], parts["port"], parts["serverKey"])
    if not pending.exists():
        _write_private(pending, f"ed25519-secret:{b64(secrets.token_bytes(32))}\n")
    seed = _read_seed(pending)
    key, nonce, device = "ed25519:" + b64(ed25519_public(seed)), new_nonce(), device_name or socket.gethostname()[:120] or "python"
    session = Session((parts["host"], parts["port"]), ca, parts["serverKey"], lambda *_: None)
    try:
        proof = transcript("berth.v1 lease key enrols", Session.PATH, parts["serverKey"], key, session.challenge["nonce"], nonce,
                           token=parts["token"])
        told = session.request("device.enrol", {"token": parts["token"], "leaseKey": key, "deviceName": device, "nonce": nonce,
                                                "leaseSignature": b64(ed25519_sign(seed, proof))})
    finally:
        session.close()
    if told["server"]["key"] != parts["serverKey"]:
        raise BerthError("SERVER_MISMATCH")
    host = f"[{parts['host']}]" if ":" in parts["host"] else parts["host"]
    context = _free_name(config, name or re.sub(r"[^a-z0-9]+", "-", told["organisation"]["name"].lower()).strip("-")[:40] or "berth")
    facts = {"name": context, "servers": [f"{host}:{parts['port']}"], "serverId": told["server"]["id"], "serverKey": parts["serverKey"],
             "caPem": ca, "email": told["user"]["email"], "device": told["device"], "deviceName": device, "scopes": ["lease"],
             "organisation": told["organisation"]["name"], "joinedWith": None}
    _write_private(state / context / "lease.key", pending.read_text(encoding="utf-8"))
    _write_private(config / "contexts" / f"{context}.json", json.dumps(facts, indent=2) + "\n")
    _write_private(config / "current", f"{context}\n")
    pending.unlink()
    return facts


def _free_name(config: Path, wish: str) -> str:
    name, number = wish, 2
    while (config / "contexts" / f"{name}.json").exists():
        name, number = f"{wish}-{number}", number + 1
    return name


# --- 11 command line ----------------------------------------------------------------------------------------------------------------

EXIT_CODES = {**dict.fromkeys(("NO_SEAT", "NO_PRODUCT", "SEAT_LOST", *_TAKEN), 7),
          **dict.fromkeys(("UNREACHABLE", "CERTIFICATE_UNTRUSTED", "TIMEOUT", "CONNECTION_LOST", "DRAINING"), 5),
          **dict.fromkeys(("LINK_INVALID", "KEY_INVALID", "PARAMS_INVALID"), 2), **dict.fromkeys(("LEASE_UNKNOWN",), 6), "CANCELLED": 3,
          **dict.fromkeys(("NOT_JOINED", "DEVICE_UNKNOWN", "NOT_ALLOWED", "SERVER_MISMATCH", "TOKEN_INVALID", "SIGNATURE_INVALID",
                           "INVITATION_INVALID", "INVITATION_USED", "INVITATION_EXPIRED"), 4)}  # 9.1


def _run(given: argparse.Namespace) -> int:
    """Runs a command while a seat is held, and ends it when the seat is lost: politely, then within the ten seconds by force."""
    with connect(given.product.split(","), given.vendor_key, home=given.home, context=given.context, name="berth.py run") as client:
        with client.checkout(seats=given.seats, wait=given.wait) as seat:
            child = subprocess.Popen(given.command)
            killed = threading.Event()

            def stop(seat: Seat) -> None:
                print(f"berth: {seat.error.code} {seat.error.message}\nNext: {seat.error.next}", file=sys.stderr, flush=True)
                killed.set()
                child.terminate()
                try:
                    child.wait(STOP_SECONDS - 2)
                except subprocess.TimeoutExpired:
                    child.kill()

            seat.on_lost(stop)
            seat.on("message", lambda _seat, text, sender: print(f"berth: {sender} writes: {text}", file=sys.stderr, flush=True))
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda number, _frame: child.send_signal(number))
            code = child.wait()
            return 7 if killed.is_set() else code if code >= 0 else 128 - code


def main(words: Optional[list] = None) -> int:
    parser = argparse.ArgumentParser(prog="berth.py", description="A Berth client in one Python file.")
    parser.add_argument("--home", help="folder of contexts and keys, as BERTH_HOME")
    parser.add_argument("--context", help="which joined server to use")
    commands = parser.add_subparsers(dest="what", required=True)
    joins = commands.add_parser("join", help="join a licence server with the link from an invitation; - reads it from stdin")
    joins.add_argument("link")
    joins.add_argument("--device-name")
    runs = commands.add_parser("run", help="run a command while a seat is held; exits 7 when it was lost or none is free")
    runs.add_argument("--product", required=True, help="product id; several, by comma, in order of preference")
    runs.add_argument("--vendor-key", action="append", required=True, help="ed25519:..., the vendor's; twice for current and next")
    runs.add_argument("--seats", type=int, default=1)
    runs.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="stand in line for a seat")
    runs.add_argument("command", nargs="+", metavar="COMMAND", help="after --")
    given = parser.parse_args(words)
    try:
        if given.what == "join":
            link = sys.stdin.read() if given.link == "-" else given.link
            facts = join(link, given.home, given.device_name, given.context)
            print(f"Joined {facts['organisation']} as {facts['email']}. Context \"{facts['name']}\" is now current.")
            return 0
        return _run(given)
    except BerthError as error:
        print(f"berth: {error.code} {error.message}\nNext: {error.next}", file=sys.stderr)
        return EXIT_CODES.get(error.code, 1)
    except KeyboardInterrupt:
        return 3


if __name__ == "__main__":
    sys.exit(main())
