/** More than devices ever come: what is forgotten first is only slower to come in while strangers crowd the door. */
const MAX_DEVICES = 20_000;

/**
 * Where devices were when they last proved who they are: each at one address, so that a device that means no good cannot make an
 * address of every one that it can use.
 */
export class KnownAddresses {
  /** The device seen longest ago first. */
  readonly #addressOf = new Map<string, string>();
  /** How many devices were last at an address. */
  readonly #devices = new Map<string, number>();

  has(address: string): boolean {
    return this.#devices.has(address);
  }

  /** @param device what tells it from others, proved by its signature */
  learn(device: string, address: string): void {
    this.#forget(device);
    this.#addressOf.set(device, address);
    this.#devices.set(address, (this.#devices.get(address) ?? 0) + 1);
    const [oldest] = this.#addressOf.keys();
    if (this.#addressOf.size > MAX_DEVICES && oldest !== undefined) this.#forget(oldest);
  }

  #forget(device: string): void {
    const address = this.#addressOf.get(device);
    if (address === undefined) return;
    this.#addressOf.delete(device);
    const left = this.#devices.get(address)! - 1;
    if (left === 0) this.#devices.delete(address);
    else this.#devices.set(address, left);
  }
}
