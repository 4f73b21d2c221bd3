import { fileURLToPath } from 'node:url';

import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect, OWN_PASSWORD, test } from './fixtures';

const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const SIZES = [
  { width: 1280, height: 860 },
  { width: 390, height: 844 },
];
const MESSAGE = 'La página no se ha podido cargar';

/** Records every requested document; scripts that match `missing` are answered with 404. */
async function withoutScript(page: Page, missing: RegExp, times = Infinity) {
  const asked = { documents: [] as string[], missing: 0 };
  page.on('request', (request) => {
    if (request.isNavigationRequest()) asked.documents.push(new URL(request.url()).pathname);
  });
  await page.route(missing, async (route) => {
    asked.missing += 1;
    if (asked.missing > times) await route.continue();
    else await route.fulfill({ status: 404, contentType: 'text/plain', body: 'Not Found' });
  });
  return asked;
}

test('a page whose script is missing is reloaded once, then an error page says so', async ({
  page,
}) => {
  const asked = await withoutScript(page, /\/assets\/index-[^/]+\.js$/);
  await page.goto('/orders/new', { waitUntil: 'commit' });
  await expect(page.getByRole('heading', { level: 1, name: MESSAGE })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'The page could not be loaded' })).toBeVisible();
  expect(asked).toEqual({ documents: ['/orders/new', '/orders/new', '/error.html'], missing: 2 });

  await page.unrouteAll();
  await page.getByRole('link', { name: 'Volver a intentarlo' }).click();
  await expect(page.getByRole('heading', { level: 1 })).not.toHaveText(MESSAGE);
  await expect(page).toHaveURL(/\/login$/);
});

test('a script that is missing once, as after a release, shows nothing to the customer', async ({
  page,
}) => {
  const asked = await withoutScript(page, /\/assets\/index-[^/]+\.js$/, 1);
  await page.goto('/login', { waitUntil: 'commit' });
  await expect(page.getByRole('button', { name: 'Entrar' })).toBeVisible();
  expect(asked).toEqual({ documents: ['/login', '/login'], missing: 2 });
});

test('a part of the page that is missing twice ends on the same error page', async ({ page }) => {
  await page.goto('/login');
  const asked = await withoutScript(page, /\/assets\/register-page-[^/]+\.js$/);
  await page.getByRole('link', { name: 'Crear cuenta' }).click();
  await expect(page.getByRole('heading', { level: 1, name: MESSAGE })).toBeVisible();
  expect(asked.documents).toEqual(['/register', '/error.html']);
});

test('a missing frame of the pages ends on the same error page', async ({ page }) => {
  await page.goto('/register');
  await page.getByLabel('Nombre').fill('Marta');
  await page.getByLabel('Correo electrónico').fill(`marta-${Date.now()}@example.test`);
  await page.getByLabel('Contraseña', { exact: true }).fill(OWN_PASSWORD);
  await page.getByRole('button', { name: 'Crear cuenta' }).click();
  await expect(page.getByText('No hay pedidos pendientes')).toBeVisible();
  const asked = await withoutScript(page, /\/assets\/shell-[^/]+\.js$/);
  await page.goto('/orders');
  await expect(page.getByRole('heading', { level: 1, name: MESSAGE })).toBeVisible();
  expect(asked.documents).toEqual(['/orders', '/orders', '/error.html']);
});

test('the error page has no script and is accessible, in both themes and on a phone', async ({
  page,
}) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto('/error.html');
    await expect(page.locator('script')).toHaveCount(0);
    for (const size of SIZES) {
      await page.setViewportSize(size);
      const result = await new AxeBuilder({ page }).analyze();
      expect(result.violations, `${colorScheme}, ${size.width} px`).toEqual([]);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBeLessThanOrEqual(0);
      await page.screenshot({ path: `${IMAGES}error-${size.width}-${colorScheme}.png` });
    }
  }
});
