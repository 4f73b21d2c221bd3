import './styles.css';
import '@/shared/theme/theme';

import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { RootBoundary } from '@/app/error-page';
import { createAppRouter } from '@/app/router';
import { createServices, ServicesContext } from '@/services/services';
import { I18nProvider } from '@/shared/i18n';

// The content security policy admits style elements with this nonce; dialogs inject some.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
if (nonce !== undefined) setNonce(nonce);

const services = createServices();
const router = createAppRouter();
void services.session.restore();

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <I18nProvider>
      <RootBoundary>
        <ServicesContext value={services}>
          <QueryClientProvider client={services.queryClient}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </ServicesContext>
      </RootBoundary>
    </I18nProvider>
  </StrictMode>,
);
