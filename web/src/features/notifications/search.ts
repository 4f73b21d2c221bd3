import { readPages } from '@/shared/paging';

interface NotificationsSearch {
  unread?: true;
  pages?: string[];
}

/** Reads the address of the notifications page; unknown values count as absent. */
export function readNotificationsSearch(search: Record<string, unknown>): NotificationsSearch {
  return {
    ...(search.unread === true ? { unread: true } : {}),
    ...readPages(search),
  };
}
