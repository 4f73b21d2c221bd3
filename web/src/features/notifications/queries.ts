import { queryOptions, useMutation, useQueryClient, type QueryClient } from '@tanstack/react-query';

import type { components } from '@/api/__generated__/receiver';
import { dataOf, type Api } from '@/api/client';
import { useServices } from '@/services/services';

import type { Notification } from './live';
import { useLive } from './live-context';

export type NotificationPage = components['schemas']['NotificationPage'];

export const PAGE_SIZE = 20;
const POLLING = 10_000;
/** Even a live list is fetched now and then. */
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

/** Marks what the function chooses as read, on every page at hand. */
function markInPages(client: QueryClient, isMarked: (notification: Notification) => boolean): void {
  const now = new Date().toISOString();
  client.setQueriesData<NotificationPage>({ queryKey: ['notifications'] }, (page) => {
    if (page === undefined) return page;
    const marked = page.items.filter((item) => item.read_at === null && isMarked(item)).length;
    return {
      ...page,
      items: page.items.map((item) =>
        item.read_at === null && isMarked(item) ? { ...item, read_at: now } : item,
      ),
      unread: Math.max(0, page.unread - marked),
    };
  });
}

/** Marks one as read; shown at once, and taken back when the server does not. */
export function useMarkRead() {
  const { api } = useServices();
  const live = useLive();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      dataOf(
        api.notifications.POST('/api/notifications/{id}/read', {
          params: { path: { id } },
        }),
      ),
    onMutate: async (id) => {
      await client.cancelQueries({ queryKey: ['notifications'] });
      markInPages(client, (item) => item.id === id);
    },
    onSuccess: () => live.announceChange(),
    onSettled: () => client.invalidateQueries({ queryKey: ['notifications'] }),
  });
}

export function useMarkAllRead() {
  const { api } = useServices();
  const live = useLive();
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => dataOf(api.notifications.POST('/api/notifications/read-all')),
    onMutate: async () => {
      await client.cancelQueries({ queryKey: ['notifications'] });
      markInPages(client, () => true);
    },
    onSuccess: () => live.announceChange(),
    onSettled: () => client.invalidateQueries({ queryKey: ['notifications'] }),
  });
}
