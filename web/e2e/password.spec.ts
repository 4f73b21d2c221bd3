import { enter, expect, OWN_PASSWORD, test, toast } from './fixtures';

const NEW_PASSWORD = 'otra frase corta';

test('a new password keeps this session, ends the others, and is the only one that signs in', async ({
  page,
  browser,
}) => {
  const email = `carmen-${Date.now()}@example.test`;
  await page.goto('/register');
  await page.getByLabel('Nombre').fill('Carmen');
  await page.getByLabel('Correo electrónico').fill(email);
  await page.getByLabel('Contraseña', { exact: true }).fill(OWN_PASSWORD);
  await page.getByRole('button', { name: 'Crear cuenta' }).click();
  await expect(page.getByText('No hay pedidos pendientes')).toBeVisible();

  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await other.goto('/login');
  await enter(other, email, OWN_PASSWORD);
  await expect(other.getByText('No hay pedidos pendientes')).toBeVisible();

  await page.getByRole('button', { name: 'Cuenta de Carmen' }).click();
  await page.getByRole('link', { name: 'Cambiar contraseña' }).click();
  await expect(page.getByRole('heading', { name: 'Cambiar contraseña' })).toBeFocused();
  const current = page.getByLabel('Contraseña actual', { exact: true });
  await current.fill('no es la contraseña');
  await page.getByLabel('Contraseña nueva', { exact: true }).fill(NEW_PASSWORD);
  await page.getByRole('button', { name: 'Cambiar contraseña' }).click();
  await expect(page.getByText('La contraseña actual no es correcta.')).toBeVisible();
  await expect(current).toBeFocused();
  await current.fill(OWN_PASSWORD);
  await current.press('Enter');
  await expect(toast(page, 'Contraseña cambiada')).toBeVisible();
  await expect(page.getByRole('heading', { level: 1, name: 'Mis pedidos' })).toBeFocused();
  await page.reload();
  await expect(page.getByText('No hay pedidos pendientes')).toBeVisible();

  // Within seconds and without a reload, because its live stream ends with its session.
  await expect(other.getByText('Su sesión ha caducado.', { exact: false })).toBeVisible();
  await enter(other, email, OWN_PASSWORD);
  await expect(other.getByText('El correo o la contraseña no son correctos.')).toBeVisible();
  await enter(other, email, NEW_PASSWORD);
  await expect(other.getByText('No hay pedidos pendientes')).toBeVisible();
  await elsewhere.close();
});
