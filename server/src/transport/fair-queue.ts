/** So many newcomers are served in a row while others wait for their next turn: these have a quarter, however many new keys come. */
const NEWCOMERS_IN_A_ROW = 3;

/**
 * Jobs of many keys, each key's in their order. Keys take turns, and one that had nothing waiting goes before those that have more than
 * they were served: who asks little does not wait for who asks much. Nor does who asks much wait for ever: a farm behind one address comes
 * back after a restart while thousands of others do.
 */
export class FairQueue<Job> {
  /** Keys that have just come, with what they brought. */
  readonly #fresh = new Map<string, Job[]>();
  /** Keys that were served and have more, those served longest ago first. */
  readonly #backlog = new Map<string, Job[]>();
  #newcomersInARow = 0;

  get isEmpty(): boolean {
    return this.#fresh.size + this.#backlog.size === 0;
  }

  push(key: string, job: Job): void {
    const queue = this.#fresh.get(key) ?? this.#backlog.get(key);
    if (queue === undefined) this.#fresh.set(key, [job]);
    else queue.push(job);
  }

  shift(): Job | undefined {
    const isOthersTurn = this.#newcomersInARow >= NEWCOMERS_IN_A_ROW && this.#backlog.size > 0;
    if (this.#fresh.size === 0 || isOthersTurn) {
      this.#newcomersInARow = 0;
      return this.#shiftFrom(this.#backlog);
    }
    this.#newcomersInARow++;
    return this.#shiftFrom(this.#fresh);
  }

  #shiftFrom(queues: Map<string, Job[]>): Job | undefined {
    for (const [key, queue] of queues) {
      const job = queue.shift();
      queues.delete(key);
      if (queue.length > 0) this.#backlog.set(key, queue);
      return job;
    }
    return undefined;
  }

  remove(key: string, job: Job): void {
    for (const queues of [this.#fresh, this.#backlog]) {
      const queue = queues.get(key);
      const at = queue?.indexOf(job) ?? -1;
      if (queue === undefined || at < 0) continue;
      queue.splice(at, 1);
      if (queue.length === 0) queues.delete(key);
    }
  }
}
