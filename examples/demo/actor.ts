import { strict as assert } from 'node:assert';
import type { Line, Running } from './running.js';

/** A plugin process (plugin.ts) and whose it is. */
export class Actor {
  constructor(
    readonly email: string,
    readonly process: Running,
  ) {}

  /** Gives an order and hears what came of it. */
  async order(order: string): Promise<Line> {
    this.process.tell(order);
    const [word] = order.split(' ');
    return this.process.hear(`the answer to ${order}`, (line) => line.order === word);
  }

  async checkout(): Promise<Line> {
    const seat = await this.order('checkout');
    assert.equal(seat.state, 'held', JSON.stringify(seat));
    return seat;
  }

  async quit(): Promise<void> {
    this.process.tell('quit');
    const { code, stderr } = await this.process.ended;
    assert.equal(code, 0, `a plugin ended with ${code}: ${stderr}`);
  }
}
