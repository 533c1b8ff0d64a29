/** D of each process of a server, and what an admin who restores it knows of that. */
export class NotedWindows {
  /** Of a server that was made of a backup: what it has to be started with at least, seconds. */
  leastSeconds = 0;
  readonly #noted: { readonly seq: number; readonly seconds: number }[] = [];

  /** @param seq the last record as it was noted */
  note(seq: number, seconds: number): void {
    this.#noted.push({ seq, seconds });
  }

  /** What D was raised to after a backup, the backup does not know: site-it.md says how a restored server is to start. */
  restored(backupSeq: number): void {
    const since = this.#noted.filter(({ seq }) => seq > backupSeq);
    this.leastSeconds = Math.max(0, ...since.map(({ seconds }) => seconds));
  }
}
