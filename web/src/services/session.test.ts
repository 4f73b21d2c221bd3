import { FakeBrowser, json, problem, settle } from '../../tests/browser';
import { describe, expect, it } from 'vitest';

import { Failure, SessionEnded } from '@/api/failure';

import { Session, USER_KEY, type User } from './session';

const ANA: User = { id: 'ana-id', nombre: 'Ana', email: 'ana@shop.test', rol: 'customer' };
const EVA: User = { ...ANA, id: 'eva-id', nombre: 'Eva' };
const MINUTE = 60_000;

/** The server's side: whose cookie it is, and which requests came. */
class FakeServer {
  owner: User | null = ANA;
  answers: Response[] = [];
  isDown = false;
  readonly calls: string[] = [];

  fetch = (url: string): Promise<Response> => {
    this.calls.push(url);
    if (this.isDown) return Promise.reject(new TypeError('failed to fetch'));
    const next = this.answers.shift();
    if (next !== undefined) return Promise.resolve(next);
    if (url === '/api/auth/logout') return Promise.resolve(new Response(null, { status: 204 }));
    if (this.owner === null) return Promise.resolve(problem(401, 'session_ended'));
    return Promise.resolve(json(200, signedIn(this.owner, `token-${this.calls.length}`)));
  };
}

function signedIn(user: User, token: string) {
  return { token, expires_in: 600, user };
}

interface World {
  browser: FakeBrowser;
  server: FakeServer;
  clock: { now: number };
  openTab: () => Session;
}

function makeWorld(): World {
  const browser = new FakeBrowser();
  const server = new FakeServer();
  const clock = { now: 0 };
  return {
    browser,
    server,
    clock,
    openTab: () =>
      new Session({
        fetch: server.fetch,
        locks: browser.locks,
        openChannel: browser.openChannel,
        storage: browser.localStorage,
        now: () => clock.now,
        pause: settle,
      }),
  };
}

describe('restoring', () => {
  it('sends no request when nobody was signed in', async () => {
    const { openTab, server } = makeWorld();
    const tab = openTab();
    await tab.restore();
    expect(tab.state.get()).toEqual({ status: 'signedOut', reason: null });
    expect(server.calls).toEqual([]);
  });

  it('exchanges the cookie of the user who was signed in', async () => {
    const { openTab, browser } = makeWorld();
    browser.storage.set(USER_KEY, ANA.id);
    const tab = openTab();
    await tab.restore();
    expect(tab.state.get()).toEqual({ status: 'signedIn', user: ANA });
    expect(await tab.accessToken()).toBe('token-1');
  });

  it('is unreachable while nobody answers, and goes on when someone does', async () => {
    const { openTab, browser, server } = makeWorld();
    browser.storage.set(USER_KEY, ANA.id);
    server.isDown = true;
    const tab = openTab();
    await tab.restore();
    expect(tab.state.get()).toEqual({ status: 'unreachable' });
    server.isDown = false;
    await tab.restore();
    expect(tab.state.get()).toEqual({ status: 'signedIn', user: ANA });
  });

  it('ends as expired when the cookie is no longer valid', async () => {
    const { openTab, browser, server } = makeWorld();
    browser.storage.set(USER_KEY, ANA.id);
    server.owner = null;
    const tab = openTab();
    await tab.restore();
    expect(tab.state.get()).toEqual({ status: 'signedOut', reason: 'expired' });
    expect(browser.storage.has(USER_KEY)).toBe(false);
  });

  it('ends when the cookie has become another user’s', async () => {
    const { openTab, browser, server } = makeWorld();
    browser.storage.set(USER_KEY, ANA.id);
    server.owner = EVA;
    const tab = openTab();
    await tab.restore();
    expect(tab.state.get()).toEqual({ status: 'signedOut', reason: 'otherUser' });
    await expect(tab.accessToken()).rejects.toBeInstanceOf(SessionEnded);
  });

  it('tries again after a 409, whose cookie another tab has just stored', async () => {
    const { openTab, browser, server } = makeWorld();
    browser.storage.set(USER_KEY, ANA.id);
    server.answers = [problem(409, 'refresh_conflict'), problem(409, 'refresh_conflict')];
    const tab = openTab();
    await tab.restore();
    expect(tab.state.get()).toEqual({ status: 'signedIn', user: ANA });
    expect(server.calls).toHaveLength(3);
  });
});

describe('one session for all tabs', () => {
  it('takes the token of a tab that has one', async () => {
    const { openTab, server } = makeWorld();
    const first = openTab();
    first.signIn(signedIn(ANA, 'fresh'));
    const second = openTab();
    await second.restore();
    expect(await second.accessToken()).toBe('fresh');
    expect(server.calls).toEqual([]);
  });

  it('refreshes once, however many tabs and requests need it', async () => {
    const { openTab, server, clock } = makeWorld();
    const first = openTab();
    first.signIn(signedIn(ANA, 'old'));
    const second = openTab();
    await second.restore();
    clock.now = 10 * MINUTE;
    const tokens = await Promise.all([
      first.accessToken(),
      first.accessToken(),
      second.accessToken(),
      second.accessToken(),
    ]);
    expect(new Set(tokens)).toEqual(new Set(['token-1']));
    expect(server.calls).toEqual(['/api/auth/refresh']);
  });

  it('replaces a token that the server refused, although it has not expired', async () => {
    const { openTab } = makeWorld();
    const tab = openTab();
    tab.signIn(signedIn(ANA, 'refused'));
    expect(await tab.accessToken('refused')).toBe('token-1');
  });

  it('ends in every tab when one signs out', async () => {
    const { openTab, browser, server } = makeWorld();
    const first = openTab();
    first.signIn(signedIn(ANA, 'fresh'));
    const second = openTab();
    await second.restore();
    await first.signOut();
    await settle();
    expect(server.calls).toEqual(['/api/auth/logout']);
    expect(first.state.get()).toEqual({ status: 'signedOut', reason: 'signedOut' });
    expect(second.state.get()).toEqual({ status: 'signedOut', reason: 'signedOut' });
    expect(browser.storage.has(USER_KEY)).toBe(false);
  });

  it('stays signed in when the sign-out does not reach the server', async () => {
    const { openTab, server } = makeWorld();
    const tab = openTab();
    tab.signIn(signedIn(ANA, 'fresh'));
    server.isDown = true;
    await expect(tab.signOut()).rejects.toEqual(new Failure('network'));
    expect(tab.state.get().status).toBe('signedIn');
  });

  it('ends the previous user’s tabs when another user signs in', async () => {
    const { openTab } = makeWorld();
    const first = openTab();
    first.signIn(signedIn(ANA, 'hers'));
    const second = openTab();
    second.signIn(signedIn(EVA, 'other'));
    await settle();
    expect(first.state.get()).toEqual({ status: 'signedOut', reason: 'otherUser' });
    expect(second.state.get()).toEqual({ status: 'signedIn', user: EVA });
  });

  it('keeps the session when a refresh gets no answer', async () => {
    const { openTab, server, clock } = makeWorld();
    const tab = openTab();
    tab.signIn(signedIn(ANA, 'old'));
    clock.now = 10 * MINUTE;
    server.isDown = true;
    await expect(tab.accessToken()).rejects.toEqual(new Failure('network'));
    expect(tab.state.get().status).toBe('signedIn');
    server.isDown = false;
    expect(await tab.accessToken()).toBe('token-2');
  });
});

describe('another tab changes the user of this browser', () => {
  it('ends this tab', () => {
    const { openTab } = makeWorld();
    const tab = openTab();
    tab.signIn(signedIn(ANA, 'fresh'));
    tab.onUserChanged(EVA.id);
    expect(tab.state.get()).toEqual({ status: 'signedOut', reason: 'otherUser' });
    tab.onUserChanged(EVA.id);
    expect(tab.state.get().status).toBe('signedOut');
  });

  it('signs in a tab where nobody was', async () => {
    const { openTab } = makeWorld();
    const waiting = openTab();
    await waiting.restore();
    const other = openTab();
    other.signIn(signedIn(ANA, 'fresh'));
    waiting.onUserChanged(ANA.id);
    await settle();
    expect(waiting.state.get()).toEqual({ status: 'signedIn', user: ANA });
  });
});

it('names its channel after the user, and stores no token', async () => {
  const { openTab, browser } = makeWorld();
  const tab = openTab();
  tab.signIn(signedIn(ANA, 'secret-token'));
  await tab.accessToken('secret-token');
  expect([...browser.channelNames].every((name) => name.includes(ANA.id))).toBe(true);
  expect(JSON.stringify([...browser.storage])).not.toContain('token');
});
