import { QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, RouterProvider } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';

import { RootBoundary } from '@/app/error-page';
import { createAppRouter } from '@/app/router';
import { createServices, ServicesContext } from '@/services/services';
import { USER_KEY, type Session } from '@/services/session';
import { I18nProvider } from '@/shared/i18n';

import { ANA, server } from './server';

const openSessions: Session[] = [];

/** Serves the pages of a file's tests; ends the sessions of each test, which closes their channels. */
export function servePages(): void {
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
  beforeEach(() => vi.stubGlobal('scrollTo', () => undefined));
  afterEach(() => {
    for (const session of openSessions.splice(0)) session.end('signedOut');
    server.resetHandlers();
  });
  afterAll(() => server.close());
}

/** Opens the whole page at a path, like main.tsx. */
export function openPage(path: string, { isSignedIn = true } = {}) {
  if (isSignedIn) localStorage.setItem(USER_KEY, ANA.id);
  const services = createServices();
  const router = createAppRouter();
  router.update({ history: createMemoryHistory({ initialEntries: [path] }) });
  openSessions.push(services.session);
  void services.session.restore();
  const user = userEvent.setup();
  const view = render(
    <I18nProvider>
      <RootBoundary>
        <ServicesContext value={services}>
          <QueryClientProvider client={services.queryClient}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </ServicesContext>
      </RootBoundary>
    </I18nProvider>,
  );
  return { user, services, router, ...view };
}
