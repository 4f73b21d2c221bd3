import { useMutation, useQueryClient, type QueryClient } from '@tanstack/react-query';

import { dataOf } from '@/api/client';
import { useServices } from '@/services/services';

import type { Notification } from './live';
import { useLive } from './live-context';
import type { NotificationPage } from './queries';

/** Marks the notifications that `isMarked` chooses as read, on every page in the cache. */
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

/** Marks a notification as read: shown at once, and reverted when the server refuses. */
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
