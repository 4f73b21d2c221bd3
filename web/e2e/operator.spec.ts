import { insertBrokenOrder } from './blocked-order';
import { makeDeadLetter } from './dead-letter';
import { CUSTOMER, expect, OPERATOR, placeOrder, signIn, test, toast } from './fixtures';

test('an operator sees a dead letter and redrives it', async ({ page, stack }) => {
  await signIn(page, OPERATOR);
  const orderId = await placeOrder(page, 'Carta devuelta');
  await expect(page.getByText('Cliente avisado')).toBeVisible();
  await makeDeadLetter(page, stack, orderId);

  await page.getByRole('navigation', { name: 'Principal' }).getByText('Operación').click();
  await page.getByRole('link', { name: 'Fallida', exact: true }).click();
  await page.getByRole('link', { name: orderId }).click();
  await expect(page.getByText('rechazado').first()).toBeVisible();
  await page.getByRole('button', { name: 'Repetir entrega' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Cancelar' }).click();
  await expect(page.getByRole('button', { name: 'Repetir entrega' })).toBeFocused();
  await page.getByRole('button', { name: 'Repetir entrega' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Repetir' }).click();
  await expect(toast(page, 'La entrega vuelve a la cola')).toBeVisible();
  await expect(page.getByText('Entregada').first()).toBeVisible();
});

test('an operator is told of a blocked order, and a customer is not', async ({
  page,
  browser,
  stack,
}) => {
  await signIn(page, OPERATOR);
  const orderId = await placeOrder(page, 'Pedido sano');
  await page
    .getByRole('link', { name: /Avisos/ })
    .first()
    .click();
  await expect(page.getByText('En directo')).toBeVisible();
  const context = await browser.newContext({ baseURL: stack.url });
  const customer = await context.newPage();
  await signIn(customer, CUSTOMER);

  const brokenId = insertBrokenOrder(stack, orderId, 'Pedido roto');

  await expect(toast(page, 'Pedido bloqueado')).toContainText('Pedido roto');
  const row = page.getByRole('listitem').filter({ hasText: 'no se puede procesar' });
  await expect(row).toContainText('El pedido de Pedido roto no se puede procesar');
  await row.getByText('Ver el contenido recibido').click();
  await expect(row).toContainText('the order has no lines');
  await page.evaluate(() => localStorage.setItem('swapshop.language', 'en'));
  await page.goto('/notifications');
  await expect(page.getByText('The order for Pedido roto cannot be processed')).toBeVisible();
  await page
    .getByRole('listitem')
    .filter({ hasText: 'Pedido roto' })
    .getByText('View order')
    .click();
  await expect(page).toHaveURL(new RegExp(`/orders/${brokenId}$`));

  await customer.goto('/notifications');
  await expect(customer.getByText('En directo')).toBeVisible();
  await expect(customer.getByText('Pedido roto')).toHaveCount(0);
  await context.close();
});

test('a customer cannot see operations', async ({ page }) => {
  await signIn(page, CUSTOMER);
  await page.goto('/operator');
  await expect(page.getByText('Solo para operadores')).toBeVisible();
});
