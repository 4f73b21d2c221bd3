import type { Fetch } from '@/api/client';
import { Failure, failureOfThrown } from '@/api/failure';
import type { Store } from '@/shared/store';

import type { Session } from './session';

const REQUEST_TIMEOUT = 20_000;

export interface FetchWorld {
  readonly fetch: (request: Request, init?: RequestInit) => Promise<Response>;
  readonly language: () => string;
  /** Whether the services answered the last request. */
  readonly reachable: Store<boolean>;
}

/** Whether a proxy answered in place of the services, or a service that is not available. */
function isAway(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

/** Sends in the page's language, records whether the services answer, and gives up after a time. */
export function plainFetch(world: FetchWorld, timeout: number | null = REQUEST_TIMEOUT): Fetch {
  return async (request) => {
    request.headers.set('Accept-Language', world.language());
    try {
      const signal =
        timeout === null
          ? request.signal
          : AbortSignal.any([request.signal, AbortSignal.timeout(timeout)]);
      const response = await world.fetch(request, { signal });
      world.reachable.set(!isAway(response.status));
      return response;
    } catch (error) {
      const failure = failureOfThrown(error);
      if (failure instanceof Failure) world.reachable.set(false);
      throw failure;
    }
  };
}

/** Sends with the access token; if it is refused, tries once more with a new one. */
export function authorizedFetch(session: Session, send: Fetch, reachable: Store<boolean>): Fetch {
  const token = async (refused: string | null = null): Promise<string> => {
    try {
      return await session.accessToken(refused);
    } catch (error) {
      if (error instanceof Failure) reachable.set(!error.isAway);
      throw error;
    }
  };
  return async (request) => {
    const again = request.clone();
    const first = await token();
    request.headers.set('Authorization', `Bearer ${first}`);
    const response = await send(request);
    if (response.status !== 401) return response;
    const second = await token(first);
    again.headers.set('Authorization', `Bearer ${second}`);
    const answer = await send(again);
    if (answer.status === 401) session.end('expired');
    return answer;
  };
}
