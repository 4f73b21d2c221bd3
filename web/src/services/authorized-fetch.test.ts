import { json, problem } from '../../tests/browser';
import { describe, expect, it } from 'vitest';

import { Failure } from '@/api/failure';
import { Store } from '@/shared/store';

import { authorizedFetch, plainFetch } from './authorized-fetch';
import type { Session } from './session';

function makeSession() {
  const ended: string[] = [];
  const session = {
    accessToken: (refused: string | null = null) =>
      Promise.resolve(refused === null ? 'one' : 'two'),
    end: (reason: string) => ended.push(reason),
  };
  return { session: session as unknown as Session, ended };
}

const request = () => new Request('http://shop.test/api/orders', { method: 'POST', body: '{}' });

describe('authorizedFetch', () => {
  it('sends the whole request again with a new token when the first is refused', async () => {
    const { session, ended } = makeSession();
    const sent: string[] = [];
    const send = async (each: Request) => {
      sent.push(`${each.headers.get('Authorization')} ${await each.text()}`);
      return sent.length === 1 ? problem(401, 'unauthenticated') : json(200, {});
    };
    const response = await authorizedFetch(session, send, new Store(true))(request());
    expect(response.status).toBe(200);
    expect(sent).toEqual(['Bearer one {}', 'Bearer two {}']);
    expect(ended).toEqual([]);
  });

  it('ends the session when a new token is refused too', async () => {
    const { session, ended } = makeSession();
    const send = () => Promise.resolve(problem(401, 'unauthenticated'));
    await authorizedFetch(session, send, new Store(true))(request());
    expect(ended).toEqual(['expired']);
  });
});

describe('plainFetch', () => {
  const language = () => 'en';

  it('asks in the page’s language and records that the services answer', async () => {
    const reachable = new Store(false);
    const world = {
      fetch: (each: Request) => Promise.resolve(json(200, each.headers.get('Accept-Language'))),
      language,
      reachable,
    };
    const response = await plainFetch(world)(request());
    expect(await response.json()).toBe('en');
    expect(reachable.get()).toBe(true);
  });

  it.each([
    ['nobody', () => Promise.reject(new TypeError('failed to fetch'))],
    ['a proxy', () => Promise.resolve(new Response('Bad Gateway', { status: 502 }))],
  ])('sees that %s answers', async (_, fetch) => {
    const reachable = new Store(true);
    await plainFetch({ fetch, language, reachable })(request()).catch((error: unknown) => {
      expect(error).toEqual(new Failure('network'));
    });
    expect(reachable.get()).toBe(false);
  });
});
