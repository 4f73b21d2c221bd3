import { enter, expect, fillOrder, OWN_PASSWORD, test, toast } from './fixtures';

test('a customer registers, orders, is notified live, leaves, and finds it all again', async ({
  page,
  context,
}) => {
  const email = 'lucia@example.test';
  await page.goto('/');
  await expect(page).toHaveURL(/\/login$/);
  await page.getByRole('link', { name: 'Crear cuenta' }).click();
  await page.getByLabel('Nombre').fill('Lucía');
  await page.getByLabel('Correo electrónico').fill(email);
  await page.getByLabel('Contraseña', { exact: true }).fill('corta');
  await page.getByRole('button', { name: 'Crear cuenta' }).click();
  await expect(page.getByText('Use al menos 12 caracteres.')).toBeVisible();
  await page.getByLabel('Contraseña', { exact: true }).fill(OWN_PASSWORD);
  await page.getByRole('button', { name: 'Crear cuenta' }).click();

  await expect(page.getByText('No hay pedidos pendientes')).toBeVisible();
  await page.getByRole('navigation', { name: 'Principal' }).getByText('Avisos').click();
  await expect(page.getByText('En directo')).toBeVisible();

  await page.getByRole('link', { name: 'Nuevo pedido' }).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  await fillOrder(page, 'Lucía', [
    { producto: 'Abrigo', talla: 'M', color: 'azul', cantidad: '1', precio: '24,90' },
    { producto: 'Guantes', color: 'azul', cantidad: '3', precio: '0,10' },
    { producto: 'Gorro', color: 'azul', cantidad: '2', precio: '7.05' },
  ]);
  await expect(page.getByTestId('total')).toHaveText('39,30 €');
  await page.getByRole('button', { name: 'Enviar pedido' }).dblclick();

  await expect(page.getByRole('heading', { name: 'Pedido de Lucía' })).toBeFocused();
  await expect(toast(page, 'Pedido listo')).toBeVisible();
  await expect(page.getByTestId('unread-badge')).toHaveText('1');
  await expect(page.getByText('Cliente avisado')).toBeVisible();
  const order = page.url();

  await page.getByRole('navigation', { name: 'Principal' }).getByText('Avisos').click();
  await expect(page.getByText('El pedido de Lucía está listo')).toHaveCount(1);
  await page.getByText('Ver el contenido recibido').click();
  await expect(page.getByRole('region', { name: /Contenido/ })).toContainText('"total": 39.3');
  await page.getByRole('button', { name: /Marcar como leído el aviso/ }).click();
  await expect(page.getByTestId('unread-badge')).toHaveCount(0);
  expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).not.toMatch(
    /eyJ/, // how every token starts
  );

  await page.getByRole('button', { name: 'Cuenta de Lucía' }).click();
  await page.getByRole('button', { name: 'Cerrar sesión' }).click();
  await expect(page.getByText('Ha cerrado la sesión.')).toBeVisible();
  const left = await context.cookies();
  expect(left.map((cookie) => cookie.name.replace('__Secure-', ''))).toEqual(['swapshop_device']);
  await page.goto(order);
  await expect(page).toHaveURL(/\/login\?next=/);
  await enter(page, email, OWN_PASSWORD);
  await expect(page).toHaveURL(order);
  await page.getByRole('navigation', { name: 'Principal' }).getByText('Pedidos').click();
  await page.getByRole('link', { name: 'Procesados' }).click();
  await expect(page.getByRole('main').getByRole('listitem')).toHaveCount(1);
  await expect(page.getByRole('main').getByRole('listitem')).toContainText('39,30 €');
});
