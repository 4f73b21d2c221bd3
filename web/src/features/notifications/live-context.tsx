import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { createContext, use, useEffect, useState, type ReactNode } from 'react';

import { useServices, type Services } from '@/services/services';
import type { User } from '@/services/session';
import { useToasts } from '@/services/toasts';
import { useI18n } from '@/shared/i18n';
import { pause } from '@/shared/waiting';

import { TONES, useCustomer } from './events';
import { LiveNotifications, type LiveHandlers, type Notification } from './live';
import { addToFirstPages, notificationsQuery } from './queries';

const LiveContext = createContext<LiveNotifications | null>(null);

export function useLive(): LiveNotifications {
  const live = use(LiveContext);
  if (live === null) throw new Error('useLive needs a LiveProvider');
  return live;
}

function createLive(services: Services, user: User, handlers: LiveHandlers): LiveNotifications {
  return new LiveNotifications(
    user.id,
    {
      open: (lastEventId, signal) =>
        services.streamFetch(
          new Request(new URL('/api/notifications/stream', window.location.origin), {
            signal,
            headers: {
              Accept: 'text/event-stream',
              ...(lastEventId === null ? {} : { 'Last-Event-ID': lastEventId }),
            },
          }),
        ),
      locks: services.locks,
      openChannel: services.openChannel,
      pause,
      random: Math.random,
    },
    handlers,
  );
}

/** Keeps the lists current and shows a toast for each notification that arrives. */
export function LiveProvider({ user, children }: { user: User; children: ReactNode }) {
  const services = useServices();
  const client = useQueryClient();
  const toasts = useToasts();
  const [live] = useState(() => {
    const { api } = services;
    // The stream starts with the last minute, so notifications of the first list are not new.
    const known = client
      .query(notificationsQuery(api, { unread: false, cursor: null }, true))
      .then((page) => new Set(page.items.map((item) => item.id)))
      .catch(() => new Set<string>());
    const show = async (notification: Notification): Promise<void> => {
      if ((await known).has(notification.id)) return;
      addToFirstPages(client, notification);
      void client.invalidateQueries({ queryKey: ['orders'] });
      void client.invalidateQueries({ queryKey: ['notifications'] });
      toasts.show({
        tone: TONES[notification.payload.evento],
        title: <EventTitle notification={notification} />,
        body: <EventBody notification={notification} />,
        action: <OrderLink notification={notification} />,
      });
    };
    return createLive(services, user, {
      onNotification: (notification) => void show(notification),
      onStale: () => void client.invalidateQueries({ queryKey: ['notifications'] }),
    });
  });
  useEffect(() => live.start(), [live]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

function EventTitle({ notification }: { notification: Notification }) {
  return useI18n().t.notifications.events[notification.payload.evento].toast;
}

function EventBody({ notification }: { notification: Notification }) {
  const { format } = useI18n();
  const cliente = useCustomer(notification);
  return notification.total === null ? cliente : `${cliente} · ${format.money(notification.total)}`;
}

function OrderLink({ notification }: { notification: Notification }) {
  const { t } = useI18n();
  return (
    <Link
      to="/orders/$orderId"
      params={{ orderId: notification.order_id }}
      className="text-sm font-medium text-accent underline underline-offset-4"
    >
      {t.notifications.seeOrder}
    </Link>
  );
}
