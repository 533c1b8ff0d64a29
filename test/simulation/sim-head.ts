import type { FaultyFiles } from '../store/faulty-files.js';

const PATH = '/data/journal/head';
/** Where its second slot lies, and how long one is (head.ts). */
const SLOT_STRIDE = 512;
const SLOT_BYTES = 52;

/** The head of the journal on the server's disk, and what it said before a bit of it flipped. */
export class SimHead {
  readonly #disk: FaultyFiles;
  #sound: Buffer | null = null;

  constructor(disk: FaultyFiles) {
    this.#disk = disk;
  }

  /** What is acknowledged, as long as no server has mended the head. */
  get bytes(): Buffer {
    return this.#sound ?? this.#disk.get(PATH);
  }

  /** One bit of one of its slots, while no process has it open. */
  flip(below: (bound: number) => number): void {
    this.#sound = this.#disk.get(PATH);
    const bytes = this.#disk.get(PATH);
    bytes[SLOT_STRIDE * below(2) + below(SLOT_BYTES)]! ^= 1 << below(8);
    this.#disk.put(PATH, bytes);
  }

  /** A server goes on from it, or it is another one. */
  renewed(): void {
    this.#sound = null;
  }
}
