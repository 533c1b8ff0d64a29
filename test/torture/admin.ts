import { join } from 'node:path';
import { type AdminConnection, BerthError, newIdempotencyKey, openAdmin } from '@berth/client';
import type { Random } from '../system/random.js';
import { until } from '../system/waiting.js';
import { tappedHost } from './tapped-host.js';
import type { Template } from './template.js';

/** Takes seats from people and gives them to others while the server comes and goes. */
export class Admin {
  readonly #folder: string;
  readonly #server: string;
  readonly #template: Template;
  readonly #random: Random;
  #connection: Promise<AdminConnection> | null = null;

  constructor(folder: string, server: string, template: Template, random: Random) {
    this.#folder = folder;
    this.#server = server;
    this.#template = template;
    this.#random = random;
  }

  /** Something at random. Refusals are fine, also the one that the server is gone; rejects for what must not be. */
  async deed(): Promise<void> {
    try {
      await this.#random.pick(this.#deeds)(await this.#connected());
    } catch (error) {
      if (!(error instanceof BerthError) || error.code === 'INTERNAL') throw error;
    }
  }

  /** Waits until nobody has a seat but by a borrow. @returns what did not come free in time */
  async seatsInUse(withinMs: number): Promise<string[]> {
    const taken = async (): Promise<string[]> => {
      const { pools } = await (await this.#connected()).call('pool.status', {});
      return pools
        .filter(({ inUse, held }) => inUse + held > 0)
        .map((pool) => `seats are still in use though everybody is dead: ${JSON.stringify(pool)}`);
    };
    try {
      await until('all seats to come free', async () => (await taken()).length === 0, withinMs, 500);
      return [];
    } catch {
      return taken();
    }
  }

  async close(): Promise<void> {
    await (await this.#connection?.catch(() => undefined))?.close();
    this.#connection = null;
  }

  readonly #deeds: readonly ((admin: AdminConnection) => Promise<unknown>)[] = [
    (admin) => admin.call('allocation.assign', { ...this.#somebody(), quantity: 1 }),
    (admin) => admin.call('allocation.revoke', { ...this.#somebody(), quantity: 'all' }),
    (admin) => admin.call('pool.status', {}),
    async (admin) => {
      const { items } = await admin.call('lease.list', { product: this.#somebody().product });
      if (items.length === 0) return;
      await admin.call('lease.revoke', { key: newIdempotencyKey(), lease: this.#random.pick(items).id });
    },
  ];

  #somebody(): { key: string; email: string; product: string } {
    const { name, product } = this.#random.pick(this.#template.members);
    return { key: newIdempotencyKey(), email: `${name}@studio.example`, product };
  }

  #connected(): Promise<AdminConnection> {
    if (this.#connection === null) {
      const host = tappedHost(join(this.#folder, 'logs'), 'admin');
      const home = join(this.#folder, this.#template.ownerHome);
      this.#connection = openAdmin({ home, host, servers: [this.#server] });
      this.#connection.catch(() => {
        this.#connection = null;
      });
    }
    return this.#connection;
  }
}
