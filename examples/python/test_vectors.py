#!/usr/bin/env python3
"""berth.py against protocol/vectors: `python3 -B -m unittest -v test_vectors` in this folder. Standard library only."""
from __future__ import annotations

import hashlib, json, os, struct, sys, time, unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
import berth  # noqa: E402

VECTORS = Path(os.environ.get("BERTH_VECTORS", Path(__file__).parents[2] / "protocol" / "vectors"))


def vectors(name: str) -> dict:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def seed_of(text: str) -> bytes:
    return berth.unb64(text.replace("ed25519-secret:", ""))


class Vectors(unittest.TestCase):
    def each(self, rows: list, least: int, judge) -> None:
        """A file that lost its cases must not pass."""
        self.assertGreaterEqual(len(rows), least)
        for number, row in enumerate(rows):
            with self.subTest(row.get("name", row.get("text", number))):
                judge(row)

    def test_ed25519_signatures(self):
        def judge(row):
            seed, message = bytes.fromhex(row["seed"]), bytes.fromhex(row["message"])
            self.assertEqual(berth.ed25519_public(seed).hex(), row["publicKey"])
            self.assertEqual(berth.ed25519_sign(seed, message).hex(), row["signature"])
            self.assertTrue(berth.ed25519_verify(bytes.fromhex(row["publicKey"]), message, bytes.fromhex(row["signature"])))
        self.each(vectors("ed25519.json")["signatures"], 5, judge)

    def test_ed25519_verifications(self):
        def judge(row):
            given = [bytes.fromhex(row[name]) for name in ("publicKey", "message", "signature")]
            self.assertEqual(berth.ed25519_verify(*given), row["valid"])
        self.each(vectors("ed25519.json")["verifications"], 25, judge)

    def test_ed25519_is_fast_enough(self):
        row = vectors("ed25519.json")["signatures"][0]
        key, signature = bytes.fromhex(row["publicKey"]), bytes.fromhex(row["signature"])
        berth.ed25519_verify(key, b"", signature)
        from_ = time.process_time()
        for _ in range(20):
            berth.ed25519_verify(key, b"", signature)
        each = (time.process_time() - from_) / 20 * 1000
        print(f"ed25519_verify: {each:.1f} ms of processor time", file=sys.stderr)
        self.assertLess(each, 20)

    def test_tokens(self):
        file = vectors("tokens.json")

        def judge(row):
            try:
                said = {"ok": True, "claims": berth.verify_token(row["token"], row["type"], row["key"])}
            except berth.Fault as fault:
                said = {"ok": False, "fault": fault.word}
            self.assertEqual(said, row["verdict"])
        self.each(file["valid"] + file["tampered"], 120, judge)

    def test_tokens_are_written_as_they_are_read(self):
        file = vectors("tokens.json")
        seeds = {pair["public"]: seed_of(pair["seed"]) for pair in file["keys"].values()}

        def judge(row):
            self.assertEqual(berth.make_token(row["type"], row["verdict"]["claims"], seeds[row["key"]]), row["token"])
        self.each(file["valid"], 10, judge)

    def test_chain(self):
        def judge(row):
            given = {"device": row.get("device"), "nonce": row.get("nonce"), "now_ms": row.get("nowMs"), "endorsements": row.get("endorsements", [])}
            try:
                berth.verify_chain(row["lease"], row["entitlement"], row["vendorKeys"], **given)
                said = {"ok": True}
            except berth.Fault as fault:
                said = {"ok": False, "fault": fault.word}
            self.assertEqual(said, row["verdict"])
        self.each(vectors("chain.json")["cases"], 50, judge)

    def test_transcript(self):
        file = vectors("transcript.json")

        def judge(row):
            fields = row["transcript"]
            data = berth.transcript(file["contexts"][row["context"]], fields["path"], fields["serverKey"], fields["deviceKey"],
                                    fields["serverNonce"], fields["clientNonce"], bytes.fromhex(fields["binding"]), fields["token"])
            self.assertEqual(data.hex(), row["bytes"])
            self.assertEqual(berth.b64(berth.ed25519_sign(seed_of(row["signer"]["seed"]), data)), row["signature"])
        self.each(file["cases"], 10, judge)

    def test_links(self):
        def judge(row):
            try:
                said = berth.parse_link(row["text"])
            except berth.BerthError as error:
                self.assertEqual(error.code, "LINK_INVALID")
                said = None
            self.assertEqual(said, row["link"])
        self.each(vectors("links.json")["links"], 25, judge)

    def test_addresses(self):
        def judge(row):
            said = berth.parse_address(row["text"])
            self.assertEqual(said and {"host": said[0], "port": said[1]}, row["address"])
        self.each(vectors("links.json")["addresses"], 10, judge)

    def test_keys(self):
        def judge(row):
            said = berth.key_bytes(row["text"])
            self.assertEqual(said and said.hex(), row["public"])
        self.each(vectors("links.json")["keys"], 8, judge)

    def test_windows(self):
        file = vectors("windows.json")

        def judge(row):
            self.assertEqual(berth.window_ms(row["durationMs"]), row["windowMs"])
        self.each(file["online"], 10, judge)
        def judge(row):
            self.assertEqual(berth.borrow_free_at_ms(row["issuedAtMs"], row["expiresAtMs"]), row["freeAtMs"])
        self.each(file["borrow"], 5, judge)

    def test_journal(self):
        """What `head` of a lease witnesses (11)."""
        before = bytes(32)

        def judge(row):
            nonlocal before
            before = hashlib.sha256(struct.pack(">Q", row["seq"]) + before + bytes.fromhex(row["payload"])).digest()
            self.assertEqual((before.hex(), berth.b64(before)), (row["hash"], row["head"]))
        self.each(vectors("journal.json")["records"], 2, judge)


if __name__ == "__main__":
    unittest.main()
