type Sets<Notices> = { [N in keyof Notices]?: Set<(notice: Notices[N]) => void> };

/** Callbacks for a few named notices, typed by a map from name to notice. A listener that throws does not stop the others. */
export class Listeners<Notices> {
  readonly #sets: Sets<Notices> = {};

  /** @returns a function that ends the subscription. */
  on<N extends keyof Notices>(name: N, listener: (notice: Notices[N]) => void): () => void {
    const listeners = this.#sets[name] ?? new Set<(notice: Notices[N]) => void>();
    this.#sets[name] = listeners;
    // Wrapped, so that the same function subscribed twice is two subscriptions.
    const entry = (notice: Notices[N]) => listener(notice);
    listeners.add(entry);
    return () => {
      listeners.delete(entry);
    };
  }

  tell<N extends keyof Notices>(name: N, notice: Notices[N]): void {
    for (const listener of [...(this.#sets[name] ?? [])]) {
      try {
        listener(notice);
      } catch (error) {
        // The plugin's own fault: shown where it shows its other uncaught errors, without stopping renewals.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
