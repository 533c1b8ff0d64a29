// The hash chain of the journal (PROTOCOL 11).
import { base64Url, sha256 } from './keys.js';

const payloads = [
  Buffer.from('{"changes":[]}'),
  Buffer.from('{"changes":[{"type":"clock.seen","wallMs":1788264000000}]}'),
  Buffer.alloc(0),
  Buffer.from([0, 255, 128, 10, 13]),
  Buffer.from('Ærø, 東京, 🚢'),
  Buffer.alloc(1000, 0x61),
];

function recordAfter(last, payload) {
  const seq = last.seq + 1;
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(seq));
  const hash = sha256(Buffer.concat([number, last.hash, payload]));
  return {
    seq,
    prev: last.hash.toString('hex'),
    payload: payload.toString('hex'),
    hash: hash.toString('hex'),
    head: base64Url(hash),
  };
}

function chain(start, all) {
  let last = start;
  return all.map((payload) => {
    const record = recordAfter(last, payload);
    last = { seq: record.seq, hash: Buffer.from(record.hash, 'hex') };
    return record;
  });
}

export const journalVectors = () => ({
  note: 'h = SHA-256(seq as 8 bytes big-endian || previous h || payload), in hex; `head` is h in base64url, as leases and checkpoints carry it. Before record 1 h is 32 zero bytes.',
  records: chain({ seq: 0, hash: Buffer.alloc(32) }, payloads),
  later: chain({ seq: 4_294_967_295, hash: sha256('berth vector late') }, payloads.slice(0, 2)),
});
