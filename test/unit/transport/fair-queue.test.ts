import { FairQueue } from '@berth/server/transport/fair-queue';
import { HandshakePace } from '@berth/server/transport/handshake-pace';
import { defaultLimits } from '@berth/server/transport/limits';
import { Turns } from '@berth/server/transport/turns';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

function drained(queue: FairQueue<string>): string[] {
  const all: string[] = [];
  while (!queue.isEmpty) all.push(queue.shift()!);
  return all;
}

describe('a fair queue', () => {
  it('serves keys in turn, each in its order', () => {
    const queue = new FairQueue<string>();
    for (const job of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) queue.push(job[0]!, job);
    expect(drained(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    expect(queue.shift()).toBeUndefined();
  });

  it('serves who has just come before who has more than was served', () => {
    const queue = new FairQueue<string>();
    for (const job of ['a1', 'a2', 'a3', 'b1', 'b2']) queue.push(job[0]!, job);
    expect([queue.shift(), queue.shift()]).toEqual(['a1', 'b1']);
    queue.push('c', 'c1');
    expect(drained(queue)).toEqual(['c1', 'a2', 'b2', 'a3']);
  });

  it('lets nobody wait for ever, however many come anew', () => {
    const queue = new FairQueue<string>();
    for (let nth = 0; nth < 30; nth++) queue.push('farm', `farm${nth}`);
    let served = 0;
    // A new key for each job that is done: there is always a newcomer.
    for (let turn = 0; turn < 125; turn++) {
      queue.push(`new${turn}`, `new${turn}`);
      if (queue.shift()?.startsWith('farm')) served++;
    }
    expect(served).toBe(30);
  });

  it('forgets what is taken out of it', () => {
    const queue = new FairQueue<string>();
    for (const job of ['a1', 'a2', 'b1']) queue.push(job[0]!, job);
    queue.remove('a', 'a1');
    queue.remove('b', 'b1');
    queue.remove('b', 'b1');
    expect(drained(queue)).toEqual(['a2']);
  });
});

describe('turns', () => {
  it('end when their time is over, and go on after sockets were read', async () => {
    let nowMs = 0;
    const turns = new Turns(() => nowMs, 5);
    const done: string[] = [];
    const job = (name: string, tookMs: number) => () => {
      done.push(name);
      nowMs += tookMs;
    };
    for (const name of ['a1', 'a2', 'a3']) turns.run('a', job(name, 3));
    expect(done).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual(['a1', 'a2']);
    // Comes while the first still has some, and is served before them.
    turns.run('b', job('b1', 0));
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual(['a1', 'a2', 'b1', 'a3']);
  });

  it('are those of devices first, and every fourth of an address without a session', async () => {
    const turns = new Turns(() => 0, 5);
    const done: string[] = [];
    for (let nth = 0; nth < 3; nth++) turns.run(`192.0.2.${nth}`, () => done.push(`stranger${nth}`));
    for (let nth = 0; nth < 5; nth++) turns.runKnown(`device${nth}`, () => done.push(`device${nth}`));
    await new Promise((resolve) => setImmediate(resolve));
    const rest = ['device3', 'device4', 'stranger1', 'stranger2'];
    expect(done).toEqual(['device0', 'device1', 'device2', 'stranger0', ...rest]);
  });
});

/** Time goes by, look after look, and ticks between them. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 2) {
    vi.advanceTimersByTime(2);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the pace of handshakes', () => {
  it('begins no more than so many a second, and lets addresses take turns', async () => {
    vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'Date'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const pace = new HandshakePace(
      { ...defaultLimits, tlsHandshakesPerSecond: 50 },
      () => Date.now(),
      () => false,
    );
    const begun: string[] = [];
    const come = (address: string, name: string) => pace.begin(address, () => begun.push(name));
    come('10.0.0.1', 'a1');
    come('10.0.0.1', 'a2');
    come('10.0.0.1', 'a3');
    const leave = come('10.0.0.1', 'a4');
    come('10.0.0.2', 'b1');
    expect(begun).toEqual([]);
    await pass(50);
    expect(begun).toEqual(['a1', 'b1', 'a2']);
    leave();
    await pass(1_000);
    expect(begun).toEqual(['a1', 'b1', 'a2', 'a3']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('begins with those of known addresses, and does not forget the others', async () => {
    vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'Date'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const limits = { ...defaultLimits, tlsHandshakesPerSecond: 50 };
    const pace = new HandshakePace(
      limits,
      () => Date.now(),
      (address) => address.startsWith('10.'),
    );
    const begun: string[] = [];
    const come = (address: string, name: string) => pace.begin(address, () => begun.push(name));
    for (let nth = 0; nth < 4; nth++) come(`192.0.2.${nth}`, `stranger${nth}`);
    for (let nth = 0; nth < 5; nth++) come('10.0.0.1', `known${nth}`);
    const leave = come('10.0.0.1', 'gone');
    leave();
    await pass(1_000);
    const rest = ['known3', 'known4', 'stranger1', 'stranger2', 'stranger3'];
    expect(begun).toEqual(['known0', 'known1', 'known2', 'stranger0', ...rest]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['cheap ones until four milliseconds are over', 0.5, 8],
    ['never none, whatever one costs', 30, 1],
  ])('begins %s, and then lets sockets be read', async (_, costMs, atOnce) => {
    vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'Date'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    let clockMs = 0;
    const limits = { ...defaultLimits, tlsHandshakesPerSecond: 10_000 };
    const pace = new HandshakePace(
      limits,
      () => clockMs,
      () => false,
    );
    let begun = 0;
    // As Node does: what starts TLS returns, and the next tick computes.
    const start = (): void => {
      begun++;
      process.nextTick(() => {
        clockMs += costMs;
      });
    };
    for (let nth = 0; nth < 40; nth++) pace.begin(`192.0.2.${nth}`, start);
    for (let look = 1; look <= 3; look++) {
      clockMs += 4;
      vi.advanceTimersByTime(4);
      await new Promise((resolve) => setImmediate(resolve));
      expect(begun).toBe(look * atOnce);
    }
  });
});
