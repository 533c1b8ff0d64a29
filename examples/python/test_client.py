#!/usr/bin/env python3
"""berth.py against servers that are broken or malicious: it raises a BerthError, in time, and never hangs. A fake server speaks real TLS
with a certificate that `openssl` makes (skipped without it). `python3 -B -m unittest -v test_client` in this folder."""
from __future__ import annotations

import base64, hashlib, json, os, random, shutil, socket, ssl, struct, subprocess, sys, tempfile, threading, time, unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
import berth  # noqa: E402

SEEDS = {name: hashlib.sha256(name.encode()).digest() for name in ("server", "vendor", "device", "stranger")}
KEYS = {name: "ed25519:" + berth.b64(berth.ed25519_public(seed)) for name, seed in SEEDS.items()}


def frame(payload: bytes, opcode: int = 1, final: bool = True) -> bytes:
    size = len(payload)
    first = bytes([128 * final | opcode])
    if size < 126:
        return first + bytes([size]) + payload
    return first + (struct.pack(">BH", 126, size) if size < 65536 else struct.pack(">BQ", 127, size)) + payload


class Parser(unittest.TestCase):
    """The WebSocket parser by itself."""

    def fails(self, data: bytes, close: int, limit: int = 1000) -> None:
        with self.assertRaises(berth.Violation) as caught:
            berth.FrameParser(limit).feed(data)
        self.assertEqual(caught.exception.close, close)

    def test_messages_come_out_however_the_bytes_come_in(self):
        data = (frame(b"hel", 1, False) + frame(b"ping", 9) + frame(b"lo", 0) + frame(b"x" * 300) + frame(b"y" * 70000) + frame(b"", 1))
        wanted = [(9, b"ping"), (1, b"hello"), (1, b"x" * 300), (1, b"y" * 70000), (1, b"")]
        for step in (1, 7, 1000, len(data)):
            parser, got = berth.FrameParser(), []
            for at in range(0, len(data), step):
                got += parser.feed(data[at:at + step])
            self.assertEqual(got, wanted)

    def test_an_empty_first_part_is_a_beginning(self):
        self.assertEqual(berth.FrameParser().feed(frame(b"", 1, False) + frame(b"a", 0)), [(1, b"a")])

    def test_violations(self):
        self.fails(b"\xc1\x01a", 1002)  # a reserved bit
        self.fails(b"\x81\x81aaaaa", 1002)  # masked
        self.fails(b"\x83\x00", 1002)  # unknown opcode
        self.fails(frame(b"a", 9, False), 1002)  # a ping in parts
        self.fails(b"\x89\x7e\x00\x7e", 1002)  # a long ping
        self.fails(frame(b"a", 0), 1002)  # a part without a beginning
        self.fails(frame(b"a", 1, False) + frame(b"a", 1), 1002)  # a beginning inside
        self.fails(b"\x81\x7e\x00\x05aaaaa", 1002)  # a length with too many bytes
        self.fails(b"\x81\x7f" + b"\xff" * 8, 1002)  # 2^64 - 1

    def test_limits_hold_before_the_bytes_are_there(self):
        self.fails(b"\x81\x7f" + struct.pack(">Q", 70000), 1009)
        self.fails(frame(b"a" * 600, 1, False) + frame(b"a" * 600, 0), 1009)
        self.fails(frame(b"a", 1, False) + frame(b"a", 0, False) * 40, 1009)

    def test_noise_never_hangs_or_breaks_it(self):
        for seed in range(2000):
            noise = random.Random(seed).randbytes(60)
            try:
                berth.FrameParser().feed(noise)
            except berth.Violation:
                pass

    def test_masking_can_be_undone(self):
        for size in (0, 5, 125, 126, 65535, 65536):
            payload = os.urandom(size)
            data = berth.client_frame(1, payload)
            start = 2 if size < 126 else 4 if size < 65536 else 10
            mask, masked = data[start:start + 4], data[start + 4:]
            self.assertEqual(data[1] & 128, 128)
            self.assertEqual(bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked)), payload)


class FakeServer:
    """One answer to the upgrade, then what `script(send, receive)` does."""

    def __init__(self, folder: Path, script, upgrade=None):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self._socket, self._script, self._upgrade = socket.create_server(("127.0.0.1", 0)), script, upgrade
        self.address, self.open = self._socket.getsockname(), []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            self.open.append(plain)
            threading.Thread(target=self._one, args=(plain,), daemon=True).start()

    def _one(self, plain: socket.socket) -> None:
        try:
            tls = self._context.wrap_socket(plain, server_side=True)
            self.open.append(tls)
            head = b""
            while b"\r\n\r\n" not in head:
                head += tls.recv(4096) or b"\r\n\r\n"
            key = next(line.split(": ")[1] for line in head.decode().split("\r\n") if line.startswith("Sec-WebSocket-Key"))
            accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
            good = (f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
                    f"Sec-WebSocket-Protocol: berth.v1\r\n\r\n").encode()
            tls.sendall(good if self._upgrade is None else self._upgrade)
            self._script(tls)
        except (OSError, StopIteration):
            pass

    def close(self) -> None:
        for one in [self._socket, *self.open]:
            one.close()


def challenge(key: str = KEYS["server"]) -> bytes:
    params = {"versions": ["berth.v1"], "server": {"id": "fake", "key": key}, "nonce": berth.new_nonce(), "nowMs": 1788264000000}
    return frame(json.dumps({"jsonrpc": "2.0", "method": "session.challenge", "params": params}).encode())


def read_request(tls) -> dict:
    data = b""
    while True:
        data += tls.recv(65536)
        size, start = data[1] & 127, 2
        if size == 126:
            size, start = struct.unpack(">H", data[2:4])[0], 4
        if len(data) >= start + 4 + size:
            mask, body = data[start:start + 4], data[start + 4:start + 4 + size]
            return json.loads(bytes(byte ^ mask[at % 4] for at, byte in enumerate(body)))


def answer(request: dict, **body) -> bytes:
    return frame(json.dumps({"jsonrpc": "2.0", "id": request["id"], **body}).encode())


@unittest.skipIf(shutil.which("openssl") is None, "openssl is not installed")
class Servers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=fake", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(cls.folder / "key.pem"),
                        "-out", str(cls.folder / "cert.pem")], check=True, capture_output=True)
        cls.ca = (cls.folder / "cert.pem").read_text()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def open_fails(self, script, code: str, upgrade=None) -> None:
        """The limit that is waited for is short; the others are long, for a machine that is busy."""
        reach, ask = (1.0 if code == "UNREACHABLE" else 8.0), (1.0 if code == "TIMEOUT" else 8.0)
        server = FakeServer(self.folder, script, upgrade)
        from_ = time.monotonic()
        try:
            with self.assertRaises(berth.BerthError) as caught:
                session = berth.Session(server.address, self.ca, KEYS["server"], lambda *_: None, timeout=reach)
                original = session.request
                session.request = lambda method, params, timeout=ask: original(method, params, ask)
                session.open(SEEDS["device"], KEYS["device"], {}, None)
            self.assertEqual(caught.exception.code, code)
            self.assertTrue(caught.exception.next)
            self.assertLess(time.monotonic() - from_, reach + ask + 2)
        finally:
            server.close()

    def test_upgrades_that_are_none(self):
        for upgrade in (b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"x" * 70000,
                        b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.1 400 Bad\r\nContent-Length: x\r\n\r\n"):
            with self.subTest(upgrade[:40]):
                self.open_fails(lambda tls: tls.close() if not upgrade else time.sleep(9), "UNREACHABLE", upgrade)

    def test_a_refusal_over_http_keeps_its_code_and_next_step(self):
        body = b'{"code":"TOO_MANY_REQUESTS","message":"Too many.","next":"Wait."}'
        self.open_fails(lambda tls: time.sleep(9), "TOO_MANY_REQUESTS",
                        b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def test_first_frames_that_are_no_challenge(self):
        for first in (b"", frame(b"[]"), frame(b"{"), frame(b"1e999"), frame(b"\xff\xfe"), frame(b"[" * 100000), frame(b"{}"), frame(b"x", 2),
                      frame(b'{"jsonrpc":"2.0","method":"session.challenge"}'), frame(b'{"jsonrpc":"2.0","method":"session.challenge","params":[]}'),
                      frame(b'{"jsonrpc":"2.0","method":"session.challenge","params":{"server":{}}}'), b"\x81\x7f" + b"\x00" * 3 + b"\xff" * 5,
                      frame(b"\x10\x00", 8), frame(b"", 8), b"\xff" * 100):
            with self.subTest(first[:50]):
                def script(tls):
                    tls.sendall(first)
                    time.sleep(9)
                self.open_fails(script, "UNREACHABLE")

    def test_a_server_with_another_key_gets_no_signature(self):
        heard = []

        def script(tls):
            tls.sendall(challenge(KEYS["stranger"]))
            heard.append(tls.recv(65536))
        self.open_fails(script, "SERVER_MISMATCH")
        self.assertTrue(all(data == b"" or data[0] == 0x88 for data in heard))  # nothing, or a close frame

    def test_answers_that_are_none(self):
        for body, code in (({"result": {}}, "INTERNAL"), ({"result": None}, "INTERNAL"), ({"result": []}, "INTERNAL"), ({}, "INTERNAL"),
                           ({"error": 1}, "INTERNAL"), ({"error": {"data": {"code": 7}}}, "INTERNAL"),
                           ({"error": {"data": {"code": "NEVER_HEARD_OF"}, "message": "m"}}, "NEVER_HEARD_OF")):
            with self.subTest(body):
                def script(tls):
                    tls.sendall(challenge())
                    tls.sendall(answer(read_request(tls), **body))
                    time.sleep(9)
                self.open_fails(script, code)

    def test_no_answer_an_answer_to_nobody_and_an_end(self):
        def silent(tls):
            tls.sendall(challenge())
            time.sleep(9)

        def to_nobody(tls):
            tls.sendall(challenge())
            request = read_request(tls)
            for id_ in (None, "1", 1.5, [1], {}, request["id"] + 1):
                tls.sendall(answer({"id": id_}, result={}))
            time.sleep(9)

        def ends(tls):
            tls.sendall(challenge())
            read_request(tls)
            tls.close()
        self.open_fails(silent, "TIMEOUT")
        self.open_fails(to_nobody, "TIMEOUT")
        self.open_fails(ends, "CONNECTION_LOST")

    def test_a_server_that_cannot_prove_its_key(self):
        def script(tls):
            tls.sendall(challenge())
            request = read_request(tls)
            signature = berth.b64(berth.ed25519_sign(SEEDS["stranger"], b"anything"))
            tls.sendall(answer(request, result={"session": "s1", "signature": signature, "device": {"id": "d", "name": "n"}, "user": {"email": "a@b"},
                                                "server": {"id": "fake", "key": KEYS["server"]}, "organisation": {"name": "x"},
                                                "leaseSeconds": 60, "nowMs": 1}))
            time.sleep(9)
        self.open_fails(script, "SERVER_MISMATCH")

    def test_a_certificate_of_somebody_else(self):
        other = Path(tempfile.mkdtemp())
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=fake", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(other / "key.pem"), "-out",
                        str(other / "cert.pem")], check=True, capture_output=True)
        server = FakeServer(other, lambda tls: None)
        try:
            with self.assertRaises(berth.BerthError) as caught:
                berth.Session(server.address, self.ca, KEYS["server"], lambda *_: None, timeout=8.0)
            self.assertEqual(caught.exception.code, "CERTIFICATE_UNTRUSTED")
        finally:
            server.close()
            shutil.rmtree(other)

    def test_noise_after_the_challenge(self):
        for seed in range(30):
            with self.subTest(seed):
                noise = random.Random(seed)

                def script(tls):
                    tls.sendall(challenge())
                    read_request(tls)
                    tls.sendall(frame(noise.randbytes(50), noise.choice([0, 1, 2, 8, 9, 10])) + noise.randbytes(200))
                    tls.close()
                self.open_fails(script, "CONNECTION_LOST")


class Grants(unittest.TestCase):
    """What a server grants is worth nothing before it verifies, and only as much as was asked for."""

    def client(self) -> "berth.Client":
        identity = berth.Identity.__new__(berth.Identity)
        identity._witness_file = Path("/nonexistent/witness.json")
        identity.seed, identity.device_key, identity.server_key = SEEDS["device"], KEYS["device"], KEYS["server"]
        return berth.Client(identity, "render", [KEYS["vendor"]], [("127.0.0.1", 1)], {}, None)

    def entitlement(self, signer: str = "vendor", **changed) -> str:
        claims = {"jti": "e1", "rev": 1, "iss": KEYS["vendor"], "sub": KEYS["server"], "product": "render", "seats": 2, "nbf": 1700000000,
                  "exp": 1900000000, "share": "process", "earlyReturn": "at-once", "display": {}, **changed}
        return berth.make_token("entitlement", claims, SEEDS[signer])

    def lease(self, nonce: str, signer: str = "server", **changed) -> str:
        claims = {"jti": "l1", "ent": "e1", "product": "render", "seat": "s1", "n": 1, "kind": "online", "dev": KEYS["device"], "nonce": nonce,
                  "iat": 1788264000, "exp": 1788264060, "dur": 60, "epoch": "e", "seq": 1, "head": "A" * 43, **changed}
        return berth.make_token("lease", claims, SEEDS[signer])

    def grant(self, leases: list, entitlements: list, nonce: str, wants=None, start=None):
        client = self.client()

        class Resumed:  # a session whose resume brings nothing new
            def request(self, method, params, timeout=0):
                return {"leases": [{"lease": id_, "code": "LEASE_UNKNOWN"} for id_ in params["leases"]], "entitlements": []}
        job = {"wants": wants or [{"products": ["render"], "seats": 1}]}
        seat = client._verified_grant(Resumed(), job, {"leases": leases, "entitlements": entitlements, "joined": False}, nonce,
                                      start or berth.Reading())
        return client, seat

    def refused(self, fault: str, leases, entitlements, nonce, wants=None) -> None:
        with self.assertRaises(berth.BerthError) as caught:
            self.grant(leases, entitlements, nonce, wants)
        self.assertEqual((caught.exception.code, caught.exception.data.get("fault")), ("TOKEN_INVALID", fault))

    def test_a_grant_that_is_right(self):
        nonce = berth.new_nonce()
        _, seat = self.grant([self.lease(nonce)], [self.entitlement()], nonce)
        self.assertEqual((seat.state, seat.products, seat.lease_ids), ("held", ["render"], ["l1"]))

    def test_grants_that_are_not(self):
        nonce, ent = berth.new_nonce(), self.entitlement()
        self.refused("LEASE_OTHER_NONCE", [self.lease(berth.new_nonce())], [ent], nonce)
        self.refused("LEASE_SIGNATURE", [self.lease(nonce, "stranger")], [ent], nonce)
        self.refused("VENDOR_UNKNOWN", [self.lease(nonce)], [self.entitlement("stranger", iss=KEYS["stranger"])], nonce)
        self.refused("ENTITLEMENT_SIGNATURE", [self.lease(nonce)], [self.entitlement("stranger")], nonce)
        self.refused("LEASE_OTHER_DEVICE", [self.lease(nonce, dev=KEYS["stranger"])], [ent], nonce)
        self.refused("LEASE_OTHER_ENTITLEMENT", [self.lease(nonce)], [], nonce)
        self.refused("LEASE_OTHER_PRODUCT", [self.lease(nonce), self.lease(nonce, jti="l2", ent="e2", product="gui")],
                     [ent, self.entitlement(jti="e2", product="gui")], nonce)
        self.refused("GRANT_INCOMPLETE", [self.lease(nonce)], [ent], nonce, [{"products": ["render"], "seats": 2}])
        self.refused("GRANT_INCOMPLETE", [self.lease(nonce)], [ent], nonce,
                     [{"products": ["render"], "seats": 1}, {"products": ["gui"], "seats": 1}])

    def test_an_old_grant_counts_only_after_a_renewal(self):
        nonce, start = berth.new_nonce(), berth.Reading()
        start.monotonic -= 7  # more than D/10 ago
        with self.assertRaises(berth.BerthError) as caught:
            self.grant([self.lease(nonce)], [self.entitlement()], nonce, start=start)
        self.assertEqual(caught.exception.code, "SEAT_LOST")

    def seat(self):
        nonce = berth.new_nonce()
        client, seat = self.grant([self.lease(nonce)], [self.entitlement()], nonce)
        client._seats.append(seat)
        return client, seat

    def test_the_clock_that_went_furthest_counts_and_lost_is_final(self):
        for clock in ("monotonic", "wall", "boot"):
            _, seat = self.seat()
            setattr(seat.leases[0].start, clock, getattr(seat.leases[0].start, clock) - 31)
            self.assertEqual(seat.state, "grace")
            setattr(seat.leases[0].start, clock, getattr(seat.leases[0].start, clock) - 30)
            self.assertEqual(seat.state, "lost")
            seat.leases[0].start = berth.Reading()
            self.assertEqual(seat.state, "lost")
            with self.assertRaises(berth.BerthError) as caught:
                seat.check()
            self.assertEqual(caught.exception.code, "SEAT_LOST")

    def test_a_clock_set_back_prolongs_nothing(self):
        _, seat = self.seat()
        seat.leases[0].start.monotonic -= 45  # 15 s are left
        seat.leases[0].start.wall += 100000
        self.assertEqual(seat.state, "grace")
        self.assertAlmostEqual(seat.seconds_left, 10, delta=5)

    def test_a_renewal_moves_the_start_to_just_before_it_was_sent_and_needs_its_own_nonce(self):
        client, seat = self.seat()
        lease, nonce = seat.leases[0], berth.new_nonce()
        lease.start.monotonic -= 40
        sent = berth.Reading()
        for wrong in (self.lease(berth.new_nonce()), self.lease(nonce, n=2), self.lease(nonce, jti="l2"), self.lease(nonce, kind="borrow")):
            with self.assertRaises(berth.Fault):
                client._renewed(lease, wrong, nonce, sent)
            self.assertEqual(seat.state, "grace")
        client._renewed(lease, self.lease(nonce), nonce, sent)
        self.assertEqual((seat.state, lease.start), ("held", sent))
        earlier = berth.Reading()
        earlier.monotonic -= 30
        client._renewed(lease, self.lease(nonce), nonce, earlier)
        self.assertIs(lease.start, sent)

    def test_a_renewal_that_is_answered_too_late_changes_nothing(self):
        client, seat = self.seat()
        nonce, lease = berth.new_nonce(), seat.leases[0]
        lease.start.monotonic -= 61
        before = (lease.start, lease.token)
        client._renewed(lease, self.lease(nonce), nonce, berth.Reading())
        self.assertEqual((seat.state, lease.start, lease.token), ("lost", *before))

    def test_the_newest_journal_position_is_the_witness(self):
        def place(epoch: str, seq: int) -> dict:
            return {"epoch": epoch, "seq": seq, "head": "A" * 43}
        self.assertEqual(berth.newer(None, place("a", 3)), place("a", 3))
        self.assertEqual(berth.newer(place("a", 3), place("a", 2)), place("a", 3))
        self.assertEqual(berth.newer(place("a", 3), place("a", 4)), place("a", 4))
        self.assertEqual(berth.newer(place("a", 3), place("b", 1)), place("b", 1))

    def test_idleness_is_told_with_the_next_renewal_and_use_at_once(self):
        client, seat = self.seat()
        client._beat_at = 1e12
        seat.idle()
        seat._idle.monotonic -= 50
        (idle,) = client._idle_leases()["idle"]
        self.assertEqual((idle["lease"], client._beat_at), ("l1", 1e12))
        self.assertIn(idle["seconds"], range(50, 60))
        seat.idle(False)
        self.assertEqual((client._idle_leases(), client._beat_at), ({}, 0.0))

    def test_a_revocation_that_overtakes_its_grant_is_not_forgotten(self):
        client, nonce = self.client(), berth.new_nonce()
        client._session = object()

        def request(job):
            client._pushed("lease.revoked", {"lease": "l1", "reason": "why", "by": "it"})
            return self.grant([self.lease(nonce)], [self.entitlement()], nonce)[1]
        client._granted = request
        seat = client.checkout()
        self.assertEqual((seat.error.code, seat.state), ("LEASE_REVOKED", "lost"))

    def test_words_of_the_server_about_a_lease(self):
        for code, state in (("LEASE_UNKNOWN", "lost"), ("LEASE_REVOKED", "lost"), ("IDLE_RELEASED", "lost"), ("ENTITLEMENT_EXPIRED", "grace"),
                            ("OF_A_LATER_VERSION", "grace")):
            client, seat = self.seat()
            client._not_renewed(seat.leases[0], code)
            self.assertEqual((code, seat.state), (code, state))

    def test_a_revoked_seat_is_given_back_with_stops_that_verify(self):
        client, seat = self.seat()
        client._pushed("lease.revoked", {"lease": "l1", "reason": "why", "by": "it@studio"})
        self.assertEqual((seat.state, seat.error.code), ("lost", "LEASE_REVOKED"))
        sent = []

        class Session:
            def request(self, method, params, timeout=0):
                sent.append((method, params))
        client._send_back(Session(), seat._give_back())
        (method, params), = sent
        claims = berth.verify_token(params["stops"][0], "stop", KEYS["device"])
        self.assertEqual((method, claims["jti"], claims["dev"]), ("lease.release", "l1", KEYS["device"]))


if __name__ == "__main__":
    unittest.main()
