import { CUSTOMER, expect, OPERATOR, PASSWORD, placeOrder, signIn, test, toast } from './fixtures';

test('two tabs share one session and one stream, and end together', async ({ page, context }) => {
  let streams = 0;
  let refreshes = 0;
  context.on('request', (request) => {
    if (request.url().endsWith('/api/notifications/stream')) streams += 1;
    if (request.url().endsWith('/api/auth/refresh')) refreshes += 1;
  });
  await signIn(page, CUSTOMER);
  await page.goto('/notifications');
  await expect(page.getByText('En directo')).toBeVisible();
  const streamsOfOne = streams;

  const other = await context.newPage();
  // The first tab has a moment to hand over its token, which can be too short on a busy machine.
  await expect(async () => {
    const before = refreshes;
    await other.goto('/notifications');
    await expect(other.getByText('En directo')).toBeVisible();
    expect(refreshes).toBe(before);
  }).toPass({ timeout: 45_000 });
  expect(streams).toBe(streamsOfOne);

  await placeOrder(page, 'Dos Pestañas');
  await expect(other.getByText('El pedido de Dos Pestañas está listo')).toBeVisible();
  await expect(toast(other, 'Pedido listo')).toBeVisible();

  await page.close();
  await expect.poll(() => streams).toBeGreaterThan(streamsOfOne);
  const third = await context.newPage();
  await placeOrder(third, 'La Siguiente');
  await expect(other.getByText('El pedido de La Siguiente está listo')).toBeVisible();

  await third.getByRole('button', { name: /Cuenta de/ }).click();
  await third.getByRole('button', { name: 'Cerrar sesión' }).click();
  await expect(other).toHaveURL(/\/login/);
  await expect(other.getByText('Ha cerrado la sesión.')).toBeVisible();
});

test('a refresh that answers for another user ends the session', async ({ page }) => {
  await signIn(page, CUSTOMER);
  await page.goto('/orders/new');
  await page.getByLabel('Cliente').fill('Borrador propio');
  const login = await page.request.post('/api/auth/login', {
    data: { email: OPERATOR, password: PASSWORD },
  });
  expect(login.status()).toBe(200); // the cookie in the browser now belongs to another user

  await page.reload();
  await expect(page.getByText('Otra persona ha entrado en este navegador')).toBeVisible();
  await signIn(page, OPERATOR);
  await page.goto('/orders/new');
  await expect(page.getByLabel('Cliente')).toHaveValue('');
});
