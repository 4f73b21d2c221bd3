import { queryOptions, type QueryClient } from '@tanstack/react-query';

import type { components } from '@/api/__generated__/receiver';
import { dataOf, type Api } from '@/api/client';

import type { Notification } from './live';

export type NotificationPage = components['schemas']['NotificationPage'];

const PAGE_SIZE = 20;
const POLLING = 10_000;
/** A live list is fetched from time to time too. */
const LIVE_REFRESH = 120_000;

export function notificationsQuery(
  api: Api,
  filter: { unread: boolean; cursor: string | null },
  isLive: boolean,
) {
  return queryOptions({
    queryKey: ['notifications', filter],
    queryFn: ({ signal }) =>
      dataOf(
        api.notifications.GET('/api/notifications', {
          params: {
            query: { limit: PAGE_SIZE, unread: filter.unread, cursor: filter.cursor },
          },
          signal,
        }),
      ),
    refetchInterval: isLive ? LIVE_REFRESH : POLLING,
  });
}

/** Puts a notification that just arrived on the first page, unless it is there. */
export function addToFirstPages(client: QueryClient, notification: Notification): void {
  for (const unread of [false, true]) {
    client.setQueryData<NotificationPage>(['notifications', { unread, cursor: null }], (page) => {
      if (page === undefined || page.items.some((item) => item.id === notification.id)) return page;
      const isUnread = notification.read_at === null;
      return {
        ...page,
        items: [notification, ...page.items].slice(0, PAGE_SIZE),
        unread: page.unread + (isUnread ? 1 : 0),
      };
    });
  }
}
