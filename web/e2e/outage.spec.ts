import type { Page } from '@playwright/test';

import { CUSTOMER, expect, fillOrder, signIn, test } from './fixtures';

async function ordersOf(page: Page, cliente: string): Promise<number> {
  await page.goto('/orders?estado=PROCESSED');
  const rows = page.getByRole('main').getByRole('listitem').filter({ hasText: cliente });
  await expect(rows.first()).toBeVisible();
  return rows.count();
}

test('the services stop and come back: no blank page, the draft stays, one order', async ({
  page,
  stack,
}) => {
  await signIn(page, CUSTOMER);
  await page.goto('/orders/new');
  await fillOrder(page, 'Apagón', [{ producto: 'Linterna', cantidad: '1', precio: '5' }]);
  await stack.stop('SIGKILL');
  await page.getByRole('button', { name: 'Enviar pedido' }).click();
  await expect(page.getByText(/Reintento \d/)).toBeVisible();
  await expect(
    page.getByText('Sin conexión con la tienda.', { exact: false }).first(),
  ).toBeVisible();
  await expect(page.getByText('El pedido no se ha enviado')).toBeVisible({ timeout: 30_000 });
  await expect(page.getByLabel('Producto')).toHaveValue('Linterna');

  await stack.start();
  await page.reload();
  await expect(page.getByLabel('Producto')).toHaveValue('Linterna');
  await expect(page.getByText('no se creará dos veces')).toBeVisible();
  await page.getByRole('button', { name: 'Enviar pedido' }).click();
  await expect(page.getByRole('heading', { name: 'Pedido de Apagón' })).toBeVisible();
  await expect(page.getByText('Cliente avisado')).toBeVisible();
  expect(await ordersOf(page, 'Apagón')).toBe(1);
});

test('an answer lost behind a proxy, edits after it and a reload never make a second order', async ({
  page,
}) => {
  await signIn(page, CUSTOMER);
  await page.goto('/orders/new');
  await fillOrder(page, 'Respuesta perdida', [{ producto: 'Vaso', cantidad: '1', precio: '2' }]);
  // The order arrives, but its answer is lost.
  await page.route('**/api/orders', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    await route.fetch();
    await route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' });
  });
  await page.getByRole('button', { name: 'Enviar pedido' }).click();
  await expect(page.getByText('El pedido no se ha enviado')).toBeVisible({ timeout: 30_000 });
  await page.unroute('**/api/orders');
  await page.getByLabel('Cantidad').fill('2');
  await page.reload();
  await expect(page.getByLabel('Cantidad')).toHaveValue('2');
  await page.getByRole('button', { name: 'Enviar pedido' }).click();
  await expect(page.getByText('Este borrador ya se envió')).toBeVisible();
  await page.getByRole('link', { name: 'Ver el pedido' }).click();
  await expect(page.getByRole('heading', { name: 'Pedido de Respuesta perdida' })).toBeVisible();
  await expect(page.getByText('1 × 2,00 €')).toBeVisible();
  expect(await ordersOf(page, 'Respuesta perdida')).toBe(1);
});
