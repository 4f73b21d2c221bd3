import type { Locks } from './channel';

/** Returns the browser's locks, or without TLS, where browsers have none, those of this tab. */
export function locksOf(browser: Navigator): Locks {
  // The type says that it always exists; a page without TLS has none.
  const manager = browser.locks as LockManager | undefined;
  if (manager === undefined) return new TabLocks();
  return {
    request: async (name, options, run) => await manager.request(name, options, run),
  };
}

/** Locks that hold only within this tab. */
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
        () => undefined, // the next one runs however this one ended
      ),
    );
    return turn;
  }
}
