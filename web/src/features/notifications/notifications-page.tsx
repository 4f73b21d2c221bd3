import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';

import { Failure } from '@/api/failure';
import { useServices } from '@/services/services';
import { useToasts } from '@/services/toasts';
import { messageOf, useI18n } from '@/shared/i18n';
import { toPages } from '@/shared/paging';
import { useStore } from '@/shared/store';
import { Button, buttonClasses } from '@/shared/ui/button';
import { classes } from '@/shared/ui/classes';
import { CopyButton } from '@/shared/ui/copy-button';
import { Icon } from '@/shared/ui/icons';
import { FailureNotice, PageHeading } from '@/shared/ui/page';
import { PagedList } from '@/shared/ui/paged-list';
import { Empty } from '@/shared/ui/surfaces';
import { TAB_LIST, tabClasses } from '@/shared/ui/tabs';

import { useCustomer } from './events';
import type { LiveStatus, Notification } from './live';
import { useLive } from './live-context';
import { notificationsQuery } from './queries';
import { useMarkAllRead, useMarkRead } from './use-mark-read';

export default function NotificationsPage() {
  const { t } = useI18n();
  const { api } = useServices();
  const navigate = useNavigate({ from: '/notifications' });
  const { unread = false, pages = [] } = useSearch({ from: '/member/notifications' });
  const status = useStore(useLive().status);
  const list = useQuery({
    ...notificationsQuery(api, { unread, cursor: pages.at(-1) ?? null }, status === 'live'),
    placeholderData: keepPreviousData,
  });
  const markAll = useMarkAllRead();
  const unreadCount = list.data?.unread ?? 0;
  return (
    <>
      <PageHeading
        title={t.notifications.title}
        intro={<LiveSign status={status} unread={list.data?.unread ?? null} />}
        actions={
          <>
            {unreadCount > 0 && (
              <Button
                kind="quiet"
                size="small"
                className="max-sm:order-last max-sm:ml-auto"
                isBusy={markAll.isPending}
                onClick={() => markAll.mutate()}
              >
                <Icon name="check" className="size-4.5" />
                {t.notifications.markAllRead}
              </Button>
            )}
            <Tabs unread={unread} />
          </>
        }
      />
      {markAll.isError && (
        <div className="mb-4">
          <FailureNotice
            title={t.notifications.markFailed}
            error={markAll.error}
            onRetry={() => markAll.mutate()}
          />
        </div>
      )}
      <PagedList
        list={list}
        pages={pages}
        onPages={(next) => void navigate({ search: toPages(next) })}
        empty={<NoNotifications unread={unread} />}
      >
        {(notification) => <NotificationRow key={notification.id} notification={notification} />}
      </PagedList>
    </>
  );
}

const DOTS: Record<LiveStatus, string> = {
  live: 'bg-ok',
  connecting: 'bg-line-strong animate-pulse-soft',
  polling: 'bg-warn',
};

function LiveSign({ status, unread }: { status: LiveStatus; unread: number | null }) {
  const { t } = useI18n();
  return (
    <p className="flex flex-wrap items-center gap-x-2 text-sm" aria-live="polite">
      <span aria-hidden="true" className={`size-2 rounded-full ${DOTS[status]}`} />
      {t.notifications[status]}
      {unread !== null && (
        <>
          <span aria-hidden="true">·</span>
          {t.notifications.unread(unread)}
        </>
      )}
    </p>
  );
}

function Tabs({ unread }: { unread: boolean }) {
  const { t } = useI18n();
  return (
    <nav aria-label={t.notifications.filter} className={TAB_LIST}>
      <Link
        to="/notifications"
        aria-current={unread ? undefined : 'page'}
        className={tabClasses(!unread)}
      >
        {t.notifications.all}
      </Link>
      <Link
        to="/notifications"
        search={{ unread: true }}
        aria-current={unread ? 'page' : undefined}
        className={tabClasses(unread)}
      >
        {t.notifications.unreadOnly}
      </Link>
    </nav>
  );
}

function NotificationRow({ notification }: { notification: Notification }) {
  const { t, format } = useI18n();
  const cliente = useCustomer(notification);
  const isUnread = notification.read_at === null;
  return (
    <li className={classes('px-4 py-4 sm:px-5', isUnread && 'bg-accent-soft/35')}>
      <div className="flex items-start gap-3.5">
        <span
          className={classes(
            'mt-0.5 grid size-9 shrink-0 place-items-center rounded-xl',
            isUnread ? 'bg-accent text-on-accent' : 'bg-sunken text-ink-soft',
          )}
        >
          <Icon name={isUnread ? 'bell' : 'check'} />
        </span>
        <div className="min-w-0 grow">
          <p className={classes('wrap-break-word', isUnread ? 'font-semibold' : 'font-medium')}>
            {t.notifications.events[notification.payload.evento].title(cliente)}
            {isUnread && <span className="sr-only"> ({t.notifications.unreadMark})</span>}
          </p>
          <p className="mt-0.5 flex flex-wrap gap-x-2 text-sm text-ink-soft">
            {notification.total !== null && (
              <>
                <span className="tabular-nums">{format.money(notification.total)}</span>
                <span aria-hidden="true">·</span>
              </>
            )}
            {notification.color !== null && (
              <>
                <span className="wrap-break-word">{t.notifications.color(notification.color)}</span>
                <span aria-hidden="true">·</span>
              </>
            )}
            <time dateTime={notification.received_at}>
              {format.dateTime(notification.received_at)}
            </time>
          </p>
          <div className="mt-2.5 flex flex-wrap items-center gap-2">
            <Link
              to="/orders/$orderId"
              params={{ orderId: notification.order_id }}
              className={buttonClasses('secondary', 'small')}
            >
              {t.notifications.seeOrder}
            </Link>
            {isUnread && <MarkRead notification={notification} />}
          </div>
          <Payload notification={notification} />
        </div>
      </div>
    </li>
  );
}

function MarkRead({ notification }: { notification: Notification }) {
  const { t } = useI18n();
  const cliente = useCustomer(notification);
  const toasts = useToasts();
  const mark = useMarkRead();
  return (
    <Button
      kind="quiet"
      size="small"
      aria-label={t.notifications.markReadFor(cliente)}
      onClick={() =>
        mark.mutate(notification.id, {
          onError: (error) => {
            const failure = error instanceof Failure ? error : new Failure('unexpected');
            toasts.show({
              tone: 'danger',
              title: t.notifications.markFailed,
              body: messageOf(t, failure),
            });
          },
        })
      }
    >
      {t.notifications.markRead}
    </Button>
  );
}

function Payload({ notification }: { notification: Notification }) {
  const { t } = useI18n();
  const cliente = useCustomer(notification);
  const text = JSON.stringify(notification.payload, null, 2);
  return (
    <details className="group mt-2">
      <summary className="inline-flex min-h-8 list-none items-center gap-1 rounded-lg pr-2 text-sm font-medium text-ink-soft hover:text-ink [&::-webkit-details-marker]:hidden">
        <Icon name="chevron" className="size-4.5 transition-transform group-open:rotate-180" />
        {t.notifications.payload}
      </summary>
      <div className="relative mt-2 rounded-xl bg-sunken">
        <div className="absolute top-1.5 right-1.5">
          <CopyButton text={text} label={t.notifications.payload} />
        </div>
        <pre
          tabIndex={0}
          role="region"
          aria-label={t.notifications.payloadOf(cliente)}
          className="overflow-x-auto rounded-xl p-4 pt-12 font-mono text-[0.8125rem] leading-relaxed sm:pt-4 sm:pr-28"
        >
          {text}
        </pre>
      </div>
    </details>
  );
}

function NoNotifications({ unread }: { unread: boolean }) {
  const { t } = useI18n();
  if (unread) {
    return (
      <Empty icon="check" title={t.notifications.emptyUnread}>
        {t.notifications.emptyUnreadBody}
      </Empty>
    );
  }
  return (
    <Empty
      icon="bell"
      title={t.notifications.empty}
      action={
        <Link to="/orders/new" className={buttonClasses()}>
          <Icon name="plus" />
          {t.shell.newOrder}
        </Link>
      }
    >
      {t.notifications.emptyBody}
    </Empty>
  );
}
