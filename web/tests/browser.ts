import type { Channel, Locks, OpenChannel } from '@/shared/channel';
import { TabLocks } from '@/shared/locks';

/** A browser with several tabs, which share channels, locks and local storage. */
export class FakeBrowser {
  readonly storage = new Map<string, string>();
  readonly locks: Locks = new TabLocks();
  readonly channelNames = new Set<string>();
  readonly #open = new Set<{ name: string; receive: (message: unknown) => void }>();

  openChannel: OpenChannel = <Message>(
    name: string,
    onMessage: (message: Message) => void,
  ): Channel<Message> => {
    const end = { name, receive: (message: unknown) => onMessage(message as Message) };
    this.#open.add(end);
    this.channelNames.add(name);
    return {
      post: (message: Message) => {
        const copy: unknown = structuredClone(message);
        for (const other of this.#open) {
          if (other.name === name && other !== end) queueMicrotask(() => other.receive(copy));
        }
      },
      close: () => this.#open.delete(end),
    };
  };

  get localStorage(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
    return {
      getItem: (key) => this.storage.get(key) ?? null,
      setItem: (key, value) => void this.storage.set(key, value),
      removeItem: (key) => void this.storage.delete(key),
    };
  }
}

/** Lets everything run that is only waiting for its turn. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

/** A JSON answer. */
export function json(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}

/** A problem+json answer like those of the services. */
export function problem(
  status: number,
  code: string,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Response {
  return new Response(
    JSON.stringify({
      type: `urn:swapshop:problem:${code}`,
      title: code,
      status,
      detail: code,
      code,
      ...more,
    }),
    { status, headers: { 'Content-Type': 'application/problem+json', ...headers } },
  );
}
