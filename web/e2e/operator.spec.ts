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

test('a customer cannot see operations', async ({ page }) => {
  await signIn(page, CUSTOMER);
  await page.goto('/operator');
  await expect(page.getByText('Solo para operadores')).toBeVisible();
});
