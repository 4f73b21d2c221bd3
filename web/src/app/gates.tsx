import { Navigate, Outlet, useRouter, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';

import { Brand } from '@/features/auth/auth-layout';
import { safeNext } from '@/features/auth/navigation';
import { useServices } from '@/services/services';
import type { EndReason } from '@/services/session';
import { useI18n } from '@/shared/i18n';
import { useStore } from '@/shared/store';
import { Button } from '@/shared/ui/button';
import { Icon } from '@/shared/ui/icons';
import { PageHeading } from '@/shared/ui/page';

const Shell = lazy(() => import('./shell'));
const TRY_AGAIN = 5000;

/** Shown until it is known who is signed in. */
function Starting() {
  const { t } = useI18n();
  return (
    <div role="status" className="grid min-h-dvh place-items-center">
      <div className="animate-pulse-soft">
        <Brand />
        <span className="sr-only">{t.common.loading}</span>
      </div>
    </div>
  );
}

function Unreachable() {
  const { t } = useI18n();
  const { session } = useServices();
  useEffect(() => {
    const timer = setInterval(() => void session.restore(), TRY_AGAIN);
    return () => clearInterval(timer);
  }, [session]);
  return (
    <main className="mx-auto grid min-h-dvh max-w-xl content-center px-4">
      <PageHeading title={t.shell.unreachableTitle} intro={t.shell.unreachableBody} />
      <div role="alert">
        <Button onClick={() => void session.restore()}>
          <Icon name="refresh" />
          {t.common.retry}
        </Button>
      </div>
    </main>
  );
}

/** Goes to the sign-in page. Reads the current location once, before the redirect replaces it. */
function ToSignIn({ reason }: { reason: EndReason | null }) {
  const { history } = useRouter();
  const [next] = useState(() =>
    reason === 'signedOut' ? undefined : safeNext(history.location.href),
  );
  const search = next === undefined || next === '/orders' ? {} : { next };
  return <Navigate to="/login" search={search} replace />;
}

/** Shows the pages to people who are signed in; sends others to sign in, then back. */
export function Member() {
  const { session } = useServices();
  const state = useStore(session.state);
  switch (state.status) {
    case 'restoring':
      return <Starting />;
    case 'unreachable':
      return <Unreachable />;
    case 'signedOut':
      return <ToSignIn reason={state.reason} />;
    case 'signedIn':
      return (
        <Suspense fallback={<Starting />}>
          <Shell key={state.user.id} user={state.user} />
        </Suspense>
      );
  }
}

/** Shows the pages for guests; sends people who are signed in to where they wanted to go. */
export function Guest() {
  const { session } = useServices();
  const state = useStore(session.state);
  const { next } = useSearch({ strict: false });
  if (state.status === 'restoring') return <Starting />;
  if (state.status === 'signedIn') {
    const path = safeNext(next);
    return path === undefined ? <Navigate to="/orders" replace /> : <GoTo path={path} />;
  }
  return <Outlet />;
}

/** Like Navigate, for a path that includes its search. */
function GoTo({ path }: { path: string }) {
  const { history } = useRouter();
  useEffect(() => history.replace(path), [history, path]);
  return null;
}
