import { QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, RouterProvider } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { RootBoundary } from '@/app/error-page';
import { createAppRouter } from '@/app/router';
import { createServices, ServicesContext } from '@/app/services';
import { USER_KEY, type Session } from '@/features/auth/session';
import { I18nProvider } from '@/shared/i18n';

import { ANA } from './server';

const openSessions: Session[] = [];

/** Ends what the pages of a test share with those of the next: their channels. */
export function closePages(): void {
  for (const session of openSessions.splice(0)) session.end('signedOut');
}

/** Opens the whole page at a path, as main.tsx does. */
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
