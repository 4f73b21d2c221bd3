import { fileURLToPath } from 'node:url';

import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { CUSTOMER, expect, fillOrder, OPERATOR, placeOrder, signIn, test } from './fixtures';
import { makeDeadLetter } from './dead-letter';

const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const SIZES = [
  { width: 1280, height: 860 },
  { width: 390, height: 844 },
];

/** Loads a page in each language and theme, where axe must find nothing; pictures are Spanish. */
async function examine(page: Page, name: string, path: string, ready: () => Promise<void>) {
  for (const theme of ['light', 'dark']) {
    for (const language of ['en', 'es']) {
      await page.evaluate(
        ([chosenTheme, chosenLanguage]) => {
          localStorage.setItem('swapshop.theme', chosenTheme ?? '');
          localStorage.setItem('swapshop.language', chosenLanguage ?? '');
        },
        [theme, language],
      );
      await page.goto(path);
      await ready();
      for (const size of SIZES) {
        await page.setViewportSize(size);
        const result = await new AxeBuilder({ page })
          .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
          .analyze();
        const found = result.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
        expect(found, `${name}, ${theme}, ${language}, ${size.width} px`).toEqual([]);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow, `${name} is wider than ${size.width} px`).toBeLessThanOrEqual(0);
        if (language === 'es') {
          await page.screenshot({
            path: `${IMAGES}${name}-${size.width}-${theme}.png`,
            animations: 'disabled',
          });
        }
      }
    }
  }
  await page.setViewportSize(SIZES[0] ?? { width: 1280, height: 860 });
}

const heading = (page: Page) => async () => {
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.getByText(/^(Cargando…|Loading…)$/)).toHaveCount(0);
};

// axe measures colours, so nothing may be in the middle of an animation.
test.use({ contextOptions: { reducedMotion: 'reduce' } });
test.describe.configure({ mode: 'serial' });
test.setTimeout(240_000);

test('guests: sign-in, registration and their errors are accessible', async ({ page }) => {
  await page.goto('/login');
  await examine(page, 'sign-in', '/login', heading(page));
  await examine(page, 'register', '/register', heading(page));
  await examine(page, 'register-errors', '/register', async () => {
    await page.getByRole('button', { name: /Crear cuenta|Create account/ }).click();
    await expect(page.locator('[aria-invalid]')).toHaveCount(3);
  });
});

test('customers: every page is accessible, empty and full', async ({ page }) => {
  await signIn(page, CUSTOMER);
  await examine(page, 'orders-empty', '/orders', heading(page));
  await examine(page, 'notifications-empty', '/notifications', heading(page));
  await examine(page, 'password', '/account/password', heading(page));
  await examine(page, 'not-found', '/nowhere', heading(page));
  await page.goto('/orders/new');
  await fillOrder(page, 'Lucía Fernández', [
    {
      producto: 'Abrigo de lana',
      talla: 'M',
      color: 'azul marino',
      cantidad: '1',
      precio: '24,90',
    },
    { producto: 'Botas de montaña', talla: '39', color: 'marrón', cantidad: '2', precio: '31,50' },
  ]);
  await examine(page, 'new-order', '/orders/new', heading(page));
  await page.getByRole('button', { name: 'Enviar pedido' }).click();
  await expect(page.getByText('Cliente avisado')).toBeVisible();
  const order = new URL(page.url()).pathname;
  for (const cliente of ['Martín Ruiz', 'Inés Cabrera', 'Óscar Peña']) {
    await placeOrder(page, cliente);
    await expect(page.getByText('Cliente avisado')).toBeVisible();
  }
  await examine(page, 'order', order, async () => {
    await heading(page)();
    await expect(page.getByText(/^(Cliente avisado|Customer notified)$/)).toBeVisible();
  });
  await examine(page, 'orders', '/orders?estado=PROCESSED', heading(page));
  await examine(page, 'notifications', '/notifications', async () => {
    await heading(page)();
    await page
      .getByText(/^(Ver el contenido recibido|View the received data)$/)
      .first()
      .click();
  });
  await examine(page, 'account', '/orders', async () => {
    await heading(page)();
    await page.getByRole('button', { name: /Cuenta de|’s account/ }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
  });
});

test('operators: pipeline, deliveries and redrive are accessible', async ({ page, stack }) => {
  await signIn(page, OPERATOR);
  const orderId = await placeOrder(page, 'Valeria Soto');
  await expect(page.getByText('Cliente avisado')).toBeVisible();
  const delivery = await makeDeadLetter(page, stack, orderId);
  await examine(page, 'operator', '/operator', heading(page));
  await examine(page, 'delivery', `/operator/deliveries/${delivery}`, heading(page));
  await examine(page, 'redrive', `/operator/deliveries/${delivery}`, async () => {
    await heading(page)();
    await page.getByRole('button', { name: /Repetir entrega|Redrive/ }).click();
    await expect(page.getByRole('alertdialog')).toBeVisible();
  });
});
