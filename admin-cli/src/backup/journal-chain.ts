import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { JournalBase, type NamedBase, namedBaseIn } from './journal-base.js';

const HEADER_BYTES = 52;
const RECORD_BYTES = 48;
const MAGIC = Buffer.from('BERTHJ01');
/** A record is never longer: a larger number is damage, and nothing to wait for. */
const MOST_PAYLOAD_BYTES = 64 * 1024 * 1024;

/**
 * Follows the hash chain of a journal (PROTOCOL 11) through its files, fed as they come. Written from the format, not from the server's
 * reader: what both agree on is so.
 */
export class JournalChain {
  seq = 0;
  head = Buffer.alloc(32);
  #rest = Buffer.alloc(0);
  #inFile = false;
  #base: JournalBase | null = null;
  #inBase = false;
  /** By the last record that says so. */
  #named: NamedBase | null = null;
  #first = true;
  #fault: string | null = null;

  /** The next file begins. @param firstSeq as its name says */
  begin(firstSeq: number): void {
    this.#endFile();
    // What was pruned may be missing, and no more: the header of the first file says what it continues.
    if (this.seq === 0 && this.#base !== null && firstSeq > 1 && firstSeq <= this.#base.until.seq + 1)
      this.seq = firstSeq - 1;
    if (firstSeq !== this.seq + 1)
      this.#fault ??= `the file of record ${firstSeq} follows record ${this.seq}`;
    this.#inFile = false;
  }

  /** The base that a pruned journal goes on from, before its files. @param bytes its length */
  beginBase(bytes: number): void {
    if (this.seq > 0 || this.#base !== null) this.#fault ??= 'its base stands in the wrong place';
    this.#base = new JournalBase(bytes);
    this.#inBase = true;
  }

  add(bytes: Uint8Array): void {
    if (this.#inBase) {
      this.#base!.add(bytes);
      return;
    }
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    let at = this.#inFile ? 0 : this.#header();
    while (at !== null && this.#fault === null) {
      const next = this.#record(at);
      if (next === null) break;
      at = next;
    }
    if (at !== null && at > 0) this.#rest = this.#rest.subarray(at);
  }

  /** @returns what is wrong; `null`: it ends at this record, with this hash */
  end(seq: number, head: string): string | null {
    this.#endFile();
    if (this.#fault !== null) return this.#fault;
    if ((this.#base?.at.seq ?? 0) > seq) return 'its base is of records that it does not have';
    if (this.#base !== null && (this.#named === null || !this.#base.isNamed(this.#named)))
      return 'its base is not the one that its records name';
    if (this.seq !== seq) return `it ends with record ${this.seq}, not ${seq}`;
    return this.head.toString('base64url') === head ? null : `record ${seq} is another one`;
  }

  #endFile(): void {
    if (this.#inBase) this.#fault ??= this.#base!.end();
    this.#inBase = false;
    if (this.#rest.length > 0) this.#fault ??= `record ${this.seq + 1} is cut short`;
    this.#rest = Buffer.alloc(0);
  }

  /** The records that the base names are those of this journal. */
  #bind(): void {
    if (this.#base?.names(this.seq, this.head) === false)
      this.#fault ??= `record ${this.seq} is not the one that its base names`;
  }

  /** @returns where records begin; `null`: there is not enough yet */
  #header(): number | null {
    const bytes = this.#rest;
    if (bytes.length < HEADER_BYTES) return null;
    if (this.#base !== null && this.#first && this.seq > 0) this.head = Buffer.from(bytes.subarray(16, 48));
    this.#first = false;
    this.#bind();
    const isHeader =
      bytes.subarray(0, 8).equals(MAGIC) &&
      crc32(bytes.subarray(0, 48)) === bytes.readUInt32BE(48) &&
      bytes.readBigUInt64BE(8) === BigInt(this.seq + 1) &&
      bytes.subarray(16, 48).equals(this.head);
    if (!isHeader) this.#fault ??= `the file of record ${this.seq + 1} does not continue the one before`;
    this.#inFile = true;
    return HEADER_BYTES;
  }

  /** @returns where the next one begins; `null`: there is not enough yet */
  #record(at: number): number | null {
    const bytes = this.#rest;
    if (bytes.length < at + RECORD_BYTES) return null;
    const payload = bytes.readUInt32BE(at);
    const end = at + RECORD_BYTES + payload;
    if (payload > MOST_PAYLOAD_BYTES) this.#fault = `record ${this.seq + 1} has no length`;
    if (this.#fault !== null || bytes.length < end) return null;
    const covered = bytes.subarray(at + 8, end);
    const isNext =
      crc32(covered) === bytes.readUInt32BE(at + 4) &&
      bytes.readBigUInt64BE(at + 8) === BigInt(this.seq + 1) &&
      bytes.subarray(at + 16, at + 48).equals(this.head);
    if (!isNext) {
      this.#fault = `record ${this.seq + 1} was changed, or is not the next one`;
      return null;
    }
    this.seq += 1;
    this.head = createHash('sha256').update(covered).digest();
    this.#bind();
    this.#named = namedBaseIn(covered.subarray(40)) ?? this.#named;
    return end;
  }
}
