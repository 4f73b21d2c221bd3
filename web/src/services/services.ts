import { QueryClient } from '@tanstack/react-query';
import { createContext, use } from 'react';

import { createApi, type Api, type Fetch } from '@/api/client';
import { Failure } from '@/api/failure';
import { openBroadcastChannel, type Locks, type OpenChannel } from '@/shared/channel';
import { storedLanguage } from '@/shared/i18n';
import { locksOf } from '@/shared/locks';
import { Store } from '@/shared/store';
import { pause } from '@/shared/waiting';

import { authorizedFetch, plainFetch } from './authorized-fetch';
import { Session, USER_KEY } from './session';

/** The services that the page's components share; created once. */
export interface Services {
  readonly session: Session;
  /** Sends the access token. */
  readonly api: Api;
  /** Sends no token; for signing in. */
  readonly publicApi: Api;
  /** Sends the access token and waits without a time limit. */
  readonly streamFetch: Fetch;
  readonly queryClient: QueryClient;
  readonly reachable: Store<boolean>;
  readonly locks: Locks;
  readonly openChannel: OpenChannel;
}

const MAX_RETRIES = 2;

function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: 'always', // the store can run on this machine, without Internet
        staleTime: 2000,
        retry: (count, error) => error instanceof Failure && error.isAway && count < MAX_RETRIES,
        retryDelay: (count) => 500 * 2 ** count,
      },
      mutations: { networkMode: 'always', retry: false },
    },
  });
}

/** Connects the page to its browser; clears the cached data when the session ends. */
export function createServices(): Services {
  const reachable = new Store(true);
  const queryClient = createQueryClient();
  const locks = locksOf(navigator);
  const session = new Session({
    fetch: (url, init) => fetch(url, init),
    locks,
    openChannel: openBroadcastChannel,
    storage: localStorage,
    now: () => Date.now(),
    pause,
  });
  window.addEventListener('storage', (event) => {
    if (event.key === USER_KEY || event.key === null) {
      session.onUserChanged(localStorage.getItem(USER_KEY));
    }
  });
  let shownUser: string | null = null;
  session.state.subscribe(() => {
    const state = session.state.get();
    const user = state.status === 'signedIn' ? state.user.id : null;
    if (user !== shownUser) queryClient.clear();
    shownUser = user;
  });
  const world = {
    fetch: (request: Request, init?: RequestInit) => fetch(request, init),
    language: storedLanguage,
    reachable,
  };
  const send = plainFetch(world);
  return {
    session,
    api: createApi(authorizedFetch(session, send, reachable)),
    publicApi: createApi(send),
    streamFetch: authorizedFetch(session, plainFetch(world, null), reachable),
    queryClient,
    reachable,
    locks,
    openChannel: openBroadcastChannel,
  };
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = use(ServicesContext);
  if (services === null) throw new Error('useServices needs a ServicesContext');
  return services;
}
