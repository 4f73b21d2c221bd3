import type { Locks } from './channel';

/** Returns the browser's locks; without TLS it has none, and each tab then takes its own turns. */
export function locksOf(browser: Navigator): Locks {
  // Typed as always there; a page without TLS has none.
  const manager = browser.locks as LockManager | undefined;
  if (manager === undefined) return new TabLocks();
  return {
    request: async (name, options, run) => await manager.request(name, options, run),
  };
}

/** Locks that hold within this tab alone. */
export class TabLocks implements Locks {
  readonly #tails = new Map<string, Promise<void>>();

  async request<Result>(
    name: string,
    options: { signal?: AbortSignal },
    run: () => Promise<Result>,
  ): Promise<Result> {
    const before = this.#tails.get(name) ?? Promise.resolve();
    const turn = before.then(() => {
      options.signal?.throwIfAborted();
      return run();
    });
    this.#tails.set(
      name,
      turn.then(
        () => undefined,
        () => undefined, // the next in the queue does not care how this one ended
      ),
    );
    return turn;
  }
}
