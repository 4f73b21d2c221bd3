import { afterEach, describe, expect, it } from 'vitest';

import { FakeBrowser, problem } from '../../../tests/browser';
import { LiveNotifications, type Notification } from './live';

function notification(id: string): Notification {
  const payload = {
    evento: 'ORDER_READY' as const,
    order_id: id,
    user_id: 'ana-id',
    cliente: 'Ana',
    total: 1,
    color: null,
    created_at: '2026-01-01T00:00:00Z',
    processed_at: '2026-01-01T00:00:01Z',
  };
  const { evento, order_id, cliente, total, color } = payload;
  const received_at = '2026-01-01T00:00:02Z';
  return { id, evento, order_id, cliente, total, color, payload, received_at, read_at: null };
}

/** A server that holds streams open and sends what a test asks it to. */
class FakeStreams {
  readonly opened: (string | null)[] = [];
  answers: (Response | Error)[] = [];
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  open = (lastEventId: string | null, signal: AbortSignal): Promise<Response> => {
    this.opened.push(lastEventId);
    const answer = this.answers.shift();
    if (answer instanceof Error) return Promise.reject(answer);
    if (answer !== undefined) return Promise.resolve(answer);
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        signal.addEventListener('abort', () => controller.error(signal.reason));
        this.say(': hello\n\n');
      },
    });
    return Promise.resolve(new Response(body));
  };

  say(text: string): void {
    this.#controller?.enqueue(new TextEncoder().encode(text));
  }

  notify(id: string): void {
    this.say(
      `event: notification\nid: cursor-${id}\ndata: ${JSON.stringify(notification(id))}\n\n`,
    );
  }

  end(reason: string): void {
    this.say(`event: end\ndata: {"reason":"${reason}"}\n\n`);
  }

  break(): void {
    this.#controller?.error(new TypeError('connection reset'));
  }
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function openTab(browser: FakeBrowser, streams: FakeStreams) {
  const got: string[] = [];
  const pauses: number[] = [];
  let stale = 0;
  const live = new LiveNotifications(
    'ana-id',
    {
      open: streams.open,
      locks: browser.locks,
      openChannel: browser.openChannel,
      pause: (milliseconds) => {
        pauses.push(milliseconds);
        return Promise.resolve();
      },
      random: () => 1,
    },
    { onNotification: ({ id }) => got.push(id), onStale: () => (stale += 1) },
  );
  const stop = live.start();
  stops.push(stop);
  return { live, got, pauses, stop, stale: () => stale };
}

describe('LiveNotifications', () => {
  it('delivers each notification once, although the stream repeats them', async () => {
    const streams = new FakeStreams();
    const tab = openTab(new FakeBrowser(), streams);
    await expect.poll(() => tab.live.status.get()).toBe('live');
    streams.notify('a');
    streams.notify('b');
    streams.notify('a');
    await expect.poll(() => tab.got).toEqual(['a', 'b']);
    expect(tab.stale()).toBe(1);
  });

  it('opens one stream for all tabs, and the next tab takes over where it was', async () => {
    const [browser, streams] = [new FakeBrowser(), new FakeStreams()];
    const first = openTab(browser, streams);
    const second = openTab(browser, streams);
    await expect.poll(() => second.live.status.get()).toBe('live');
    streams.notify('a');
    await expect.poll(() => [first.got, second.got]).toEqual([['a'], ['a']]);
    expect(streams.opened).toEqual([null]);
    first.stop();
    await expect.poll(() => streams.opened).toEqual([null, 'cursor-a']);
    streams.notify('b');
    await expect.poll(() => second.got).toEqual(['a', 'b']);
    expect([...browser.channelNames]).toEqual(['swapshop:ana-id:notifications']);
  });

  it('resumes after the last event when the server ends the stream', async () => {
    const streams = new FakeStreams();
    const tab = openTab(new FakeBrowser(), streams);
    await expect.poll(() => tab.live.status.get()).toBe('live');
    streams.notify('a');
    streams.end('expired');
    await expect.poll(() => streams.opened).toEqual([null, 'cursor-a']);
    expect(tab.pauses).toEqual([1000]);
    await expect.poll(() => tab.stale()).toBe(2);
  });

  it('falls back to polling, waiting longer each time, and comes back', async () => {
    const streams = new FakeStreams();
    streams.answers = [new TypeError('refused'), problem(503, 'streams_unavailable')];
    const statuses: string[] = [];
    const tab = openTab(new FakeBrowser(), streams);
    tab.live.status.subscribe(() => statuses.push(tab.live.status.get()));
    await expect.poll(() => tab.live.status.get()).toBe('live');
    expect(statuses).toEqual(['polling', 'live']);
    expect(tab.pauses).toEqual([1000, 2000]);
    streams.break();
    await expect.poll(() => streams.opened).toHaveLength(4);
  });

  it('waits as long as the server asks when there are too many streams', async () => {
    const streams = new FakeStreams();
    streams.answers = [problem(429, 'too_many_streams', {}, { 'Retry-After': '30' })];
    const tab = openTab(new FakeBrowser(), streams);
    await expect.poll(() => tab.live.status.get()).toBe('live');
    expect(tab.pauses).toEqual([30_000]);
  });

  it('announces to the other tabs that something was marked as read', async () => {
    const [browser, streams] = [new FakeBrowser(), new FakeStreams()];
    const first = openTab(browser, streams);
    const second = openTab(browser, streams);
    await expect.poll(() => second.live.status.get()).toBe('live');
    const before = second.stale();
    first.live.announceChange();
    await expect.poll(() => second.stale()).toBe(before + 1);
  });
});
