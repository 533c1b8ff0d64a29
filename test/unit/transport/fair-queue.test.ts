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
});

describe('the pace of handshakes', () => {
  it('begins no more than so many a second, and lets addresses take turns', () => {
    vi.useFakeTimers({ now: 0 });
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
    expect(begun).toEqual(['a1']);
    vi.advanceTimersByTime(40);
    expect(begun).toEqual(['a1', 'a2', 'b1']);
    leave();
    vi.advanceTimersByTime(1_000);
    expect(begun).toEqual(['a1', 'a2', 'b1', 'a3']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('begins with those of known addresses, and does not forget the others', () => {
    vi.useFakeTimers({ now: 0 });
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
    expect(begun).toEqual(['stranger0']);
    vi.advanceTimersByTime(1_000);
    const rest = ['known3', 'known4', 'stranger2', 'stranger3'];
    expect(begun.slice(1)).toEqual(['known0', 'known1', 'known2', 'stranger1', ...rest]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('begins fewer at once while the event loop is late, never none, and as many as before once it is not', () => {
    vi.useFakeTimers({ now: 0 });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    let lateMs = 0;
    let clockMs = 0;
    const limits = { ...defaultLimits, tlsHandshakesPerSecond: 400 };
    const pace = new HandshakePace(
      limits,
      () => clockMs,
      () => false,
    );
    let begun = 0;
    for (let nth = 0; nth < 500; nth++) pace.begin(`192.0.2.${nth}`, () => begun++);
    const atEachLook = (looks: number): number[] =>
      Array.from({ length: looks }, () => {
        const before = begun;
        clockMs += 20 + lateMs;
        vi.advanceTimersByTime(20);
        return begun - before;
      });
    expect(atEachLook(2)).toEqual([8, 8]);
    lateMs = 11;
    expect(atEachLook(4)).toEqual([4, 2, 2, 2]);
    lateMs = 10;
    expect(atEachLook(7)).toEqual([3, 4, 5, 6, 7, 8, 8]);
  });
});
