import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useRouter, type LinkProps } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';

import { Brand } from '@/features/auth/auth-layout';
import { LiveProvider, useLive } from '@/features/notifications/live-context';
import { notificationsQuery } from '@/features/notifications/queries';
import { useServices } from '@/services/services';
import type { User } from '@/services/session';
import { ToastsContext } from '@/services/toasts';
import { useI18n } from '@/shared/i18n';
import { useStore } from '@/shared/store';
import { buttonClasses } from '@/shared/ui/button';
import { Icon, type IconName } from '@/shared/ui/icons';
import { ToastRegion, Toasts } from '@/shared/ui/toasts';

import { AccountMenu } from './account-menu';

/** The frame of every page for people who are signed in. */
export default function Shell({ user }: { user: User }) {
  const { t } = useI18n();
  const [toasts] = useState(() => new Toasts());
  return (
    <ToastsContext value={toasts}>
      <LiveProvider user={user}>
        <a
          href="#content"
          className="sr-only z-50 rounded-xl bg-accent px-4 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
        >
          {t.common.skip}
        </a>
        <Header user={user} />
        <OfflineBanner />
        <main
          id="content"
          tabIndex={-1}
          className="mx-auto w-full max-w-5xl px-4 pt-6 pb-28 focus:outline-none sm:px-6 sm:pt-10 sm:pb-16"
        >
          <Outlet />
        </main>
        <ToastRegion toasts={toasts} />
      </LiveProvider>
    </ToastsContext>
  );
}

function useUnread(): number {
  const { api } = useServices();
  const isLive = useStore(useLive().status) === 'live';
  const first = useQuery(notificationsQuery(api, { unread: false, cursor: null }, isLive));
  return first.data?.unread ?? 0;
}

function Header({ user }: { user: User }) {
  const { t } = useI18n();
  const unread = useUnread();
  const routes = Object.values(useRouter().routesById);
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-canvas">
      <div className="mx-auto flex h-16 max-w-5xl items-center gap-4 px-4 sm:px-6">
        <Link to="/orders" aria-label="SwapShop" className="rounded-lg">
          <Brand />
        </Link>
        <nav
          aria-label={t.shell.mainNavigation}
          className="fixed inset-x-0 bottom-0 z-30 flex border-t border-line bg-surface px-2 pb-[env(safe-area-inset-bottom)] sm:static sm:ml-4 sm:gap-1 sm:border-0 sm:bg-transparent sm:p-0"
        >
          {routes.map(({ id, fullPath, options }) => {
            const entry = options.staticData?.menu;
            if (entry === undefined || (entry.role ?? user.rol) !== user.rol) return null;
            return (
              <NavLink key={id} to={fullPath} icon={entry.icon} label={entry.label(t)}>
                {fullPath === '/notifications' && <UnreadBadge unread={unread} />}
              </NavLink>
            );
          })}
        </nav>
        <div className="ml-auto flex items-center gap-2">
          <Link to="/orders/new" className={buttonClasses('primary', 'small')}>
            <Icon name="plus" className="size-4.5" />
            {t.shell.newOrder}
          </Link>
          <AccountMenu user={user} />
        </div>
      </div>
    </header>
  );
}

interface NavLinkProps {
  to: NonNullable<LinkProps['to']>;
  icon: IconName;
  label: string;
  children?: ReactNode;
}

function NavLink({ to, icon, label, children }: NavLinkProps) {
  return (
    <Link
      to={to}
      activeOptions={{ includeSearch: false }}
      className="flex min-h-15 grow basis-0 flex-col items-center justify-center gap-0.5 rounded-lg px-3 text-xs font-medium sm:min-h-10 sm:grow-0 sm:basis-auto sm:flex-row sm:gap-2 sm:text-[0.9375rem]"
      activeProps={{ className: 'text-accent sm:bg-accent-soft' }}
      inactiveProps={{ className: 'text-ink-soft hover:text-ink sm:hover:bg-sunken' }}
    >
      <span className="relative sm:contents">
        <Icon name={icon} className="size-6 sm:size-5" />
        <span className="sm:order-last">{children}</span>
      </span>
      {label}
    </Link>
  );
}

const MOST = 99;

function UnreadBadge({ unread }: { unread: number }) {
  const { t } = useI18n();
  return (
    <span role="status">
      {unread > 0 && (
        <>
          <span
            aria-hidden="true"
            data-testid="unread-badge"
            className="absolute -top-1 left-3.5 grid h-5 min-w-5 place-items-center rounded-full bg-accent px-1.5 text-[0.6875rem] font-semibold text-on-accent tabular-nums sm:static"
          >
            {unread > MOST ? `${MOST}+` : unread}
          </span>
          <span className="sr-only">{t.notifications.badge(unread)}</span>
        </>
      )}
    </span>
  );
}

function OfflineBanner() {
  const { t } = useI18n();
  const isReachable = useStore(useServices().reachable);
  return (
    <div role="status">
      {!isReachable && (
        <p className="flex items-center justify-center gap-2 bg-warn-soft px-4 py-2.5 text-center text-sm font-medium text-warn">
          <Icon name="warning" />
          {t.shell.offline}
        </p>
      )}
    </div>
  );
}
