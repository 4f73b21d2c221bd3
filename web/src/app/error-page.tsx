import { QueryErrorResetBoundary } from '@tanstack/react-query';
import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import { Component, useEffect, type ReactNode } from 'react';

import { Failure } from '@/api/failure';
import { Brand } from '@/features/auth/auth-layout';
import { useI18n } from '@/shared/i18n';
import { Button, buttonClasses } from '@/shared/ui/button';
import { Icon } from '@/shared/ui/icons';
import { FailureNotice, PageHeading } from '@/shared/ui/page';

/** Shown when a page has crashed; offers a way on. */
function Crashed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useI18n();
  return (
    <div className="mx-auto max-w-2xl px-4 py-16">
      <PageHeading title={t.shell.crashedTitle} intro={t.shell.crashedBody} />
      {error instanceof Failure ? (
        <FailureNotice error={error} onRetry={onRetry} />
      ) : (
        <div className="flex flex-wrap gap-2">
          <Button onClick={onRetry}>
            <Icon name="refresh" />
            {t.common.retry}
          </Button>
          <a href="/" className={buttonClasses('secondary')}>
            {t.shell.goToOrders}
          </a>
        </div>
      )}
    </div>
  );
}

/** The messages of Chromium, Firefox and Safari when a part of the page could not be fetched. */
const MISSING_PART =
  /^(Failed to fetch|error loading) dynamically imported module|^Importing a module script failed/;

/** Reloads the page once, then goes to the error page, as missing-script.js does. */
function MissingPart() {
  useEffect(() => {
    const isReload = performance
      .getEntriesByType('navigation')
      .some((entry) => entry instanceof PerformanceNavigationTiming && entry.type === 'reload');
    if (isReload) window.location.replace('/error.html');
    else window.location.reload();
  }, []);
  return null;
}

export function RouteError({ error, reset }: ErrorComponentProps) {
  if (error instanceof Error && MISSING_PART.test(error.message)) return <MissingPart />;
  return (
    <QueryErrorResetBoundary>
      {(boundary) => (
        <Crashed
          error={error}
          onRetry={() => {
            boundary.reset();
            reset();
          }}
        />
      )}
    </QueryErrorResetBoundary>
  );
}

/** Catches what no other boundary has caught. */
export class RootBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <main>
        <Crashed error={error} onRetry={() => this.setState({ error: null })} />
      </main>
    );
  }
}

function Home() {
  return (
    <Link to="/orders" aria-label="SwapShop" className="mb-8 inline-block rounded-lg">
      <Brand />
    </Link>
  );
}

export function NotFound() {
  const { t } = useI18n();
  return (
    <main className="mx-auto max-w-2xl px-4 py-8">
      <PageHeading title={t.shell.notFoundTitle} intro={t.shell.notFoundBody} above={<Home />} />
      <Link to="/orders" className={buttonClasses()}>
        {t.shell.goToOrders}
      </Link>
    </main>
  );
}
