import type { components } from '@/api/__generated__/receiver';
import { Failure, failureOfAnswer, failureOfThrown, SessionEnded } from '@/api/failure';
import type { Channel, Locks, OpenChannel } from '@/shared/channel';
import { Store } from '@/shared/store';

import { readEvents } from './event-stream';

export type Notification = components['schemas']['NotificationOut'];

/** Polling: there is no stream, so lists are fetched every few seconds. */
export type LiveStatus = 'connecting' | 'live' | 'polling';

type Message =
  | { readonly type: 'hello' }
  | { readonly type: 'status'; readonly status: LiveStatus }
  | {
      readonly type: 'notification';
      readonly notification: Notification;
      readonly id: string | null;
    }
  | { readonly type: 'changed' };

export interface LiveWorld {
  /** Opens the stream at the event that follows an id. */
  readonly open: (lastEventId: string | null, signal: AbortSignal) => Promise<Response>;
  readonly locks: Locks;
  readonly openChannel: OpenChannel;
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

export interface LiveHandlers {
  /** Called with a notification that this tab has not seen before. */
  readonly onNotification: (notification: Notification) => void;
  /** Called when lists can be stale: a stream was opened, or a tab marked something as read. */
  readonly onStale: () => void;
}

/** The server sends a comment every 15 s. */
const SILENCE = 40_000;
const FIRST_DELAY = 1000;
const LONGEST_DELAY = 30_000;
const MAX_SEEN = 2000;

/**
 * Delivers notifications as they arrive. One tab of a user holds the stream and passes each event to
 * the others; when it closes, the next tab continues after the last event.
 */
export class LiveNotifications {
  readonly status = new Store<LiveStatus>('connecting');
  readonly #seen = new Set<string>();
  #channel: Channel<Message> | null = null;
  #lastEventId: string | null = null;
  #isLeader = false;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly userId: string,
    private readonly world: LiveWorld,
    private readonly handlers: LiveHandlers,
  ) {}

  /** Starts to listen; returns a function that stops it. */
  start(): () => void {
    const stopping = new AbortController();
    const { signal } = stopping;
    this.#channel = this.world.openChannel<Message>(
      `swapshop:${this.userId}:notifications`,
      (message) => {
        this.#receive(message);
      },
    );
    this.#channel.post({ type: 'hello' });
    this.#expectSign();
    this.world.locks
      .request(`swapshop:${this.userId}:stream`, { signal }, () => this.#lead(signal))
      .catch(() => undefined); // stopped while another tab held the stream
    return () => {
      stopping.abort(new Error('stopped'));
      clearTimeout(this.#silence);
      this.#channel?.close();
      this.#channel = null;
      this.#isLeader = false;
    };
  }

  /** Announces to the other tabs that something was marked as read. */
  announceChange(): void {
    this.#channel?.post({ type: 'changed' });
  }

  async #lead(signal: AbortSignal): Promise<void> {
    this.#isLeader = true;
    clearTimeout(this.#silence);
    let failures = 0;
    while (isRunning(signal)) {
      let delay: number;
      try {
        await this.#readOnce(signal);
        failures = 0;
        delay = FIRST_DELAY * this.world.random(); // ended in order: spread the pages' requests
      } catch (error) {
        if (!isRunning(signal) || error instanceof SessionEnded) return;
        failures += 1;
        this.#setStatus('polling');
        delay = this.#delayAfter(failures, error);
      }
      await this.world.pause(delay, signal).catch(() => undefined); // the loop checks for the abort
    }
  }

  #delayAfter(failures: number, error: unknown): number {
    const asked = error instanceof Failure ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const backoff = Math.min(FIRST_DELAY * 2 ** (failures - 1), LONGEST_DELAY);
    return Math.max(asked, backoff * (0.5 + this.world.random() / 2));
  }

  async #readOnce(signal: AbortSignal): Promise<void> {
    const connection = new AbortController();
    const abort = () => connection.abort(new Failure('timeout'));
    signal.addEventListener('abort', abort, { once: true });
    let watchdog = setTimeout(abort, SILENCE);
    try {
      const response = await this.world.open(this.#lastEventId, connection.signal);
      if (!response.ok || response.body === null) {
        throw failureOfAnswer(response, await response.json().catch(() => null));
      }
      let isOpened = false;
      for await (const event of readEvents(response.body)) {
        clearTimeout(watchdog);
        watchdog = setTimeout(abort, SILENCE);
        this.#setStatus('live');
        if (!isOpened) {
          isOpened = true;
          this.handlers.onStale();
        }
        if (event?.event === 'end') return;
        if (event?.event === 'notification') {
          const notification = JSON.parse(event.data) as Notification;
          this.#lastEventId = event.id;
          this.#channel?.post({ type: 'notification', notification, id: event.id });
          this.#deliver(notification);
        }
      }
      throw new Failure('network'); // a stream that ends in order sends an `end` event
    } catch (error) {
      throw failureOfThrown(error);
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener('abort', abort);
      connection.abort();
    }
  }

  #receive(message: Message): void {
    if (message.type === 'hello') {
      if (this.#isLeader) this.#channel?.post({ type: 'status', status: this.status.get() });
    } else if (message.type === 'changed') this.handlers.onStale();
    else if (!this.#isLeader) {
      if (message.type === 'status') this.status.set(message.status);
      else {
        this.#lastEventId = message.id;
        this.#deliver(message.notification);
      }
      this.#expectSign();
    }
  }

  /** Falls back to polling when the tab that holds the stream gives no sign of life. */
  #expectSign(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.status.set('polling'), SILENCE);
  }

  /** Sets the status and posts it, which is also the sign of life for the other tabs. */
  #setStatus(status: LiveStatus): void {
    this.status.set(status);
    this.#channel?.post({ type: 'status', status });
  }

  #deliver(notification: Notification): void {
    if (this.#seen.has(notification.id)) return;
    this.#seen.add(notification.id);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= MAX_SEEN) break;
      this.#seen.delete(oldest);
    }
    this.handlers.onNotification(notification);
  }
}

function isRunning(signal: AbortSignal): boolean {
  return !signal.aborted;
}
