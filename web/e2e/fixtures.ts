import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  expect,
  test as base,
  type BrowserContext,
  type Locator,
  type Page,
} from '@playwright/test';

import { Stack } from './stack';

export { expect };

/** The demo accounts of `./task up`. */
export const CUSTOMER = 'demo@swapshop.test';
export const OPERATOR = 'operator@swapshop.test';
export const PASSWORD = 'swapshop-demo';
/** The password of accounts that a test registers; the server refuses the demo's as too common. */
export const OWN_PASSWORD = 'una frase sin prisa';

interface WorkerFixtures {
  stack: Stack;
}

interface TestFixtures {
  /** Requests to other hosts and refusals of the content security policy, in every page. */
  violations: string[];
}

async function watch(context: BrowserContext, origin: string, violations: string[]): Promise<void> {
  await context.exposeBinding('reportViolation', (_, text: string) => violations.push(text));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const report = Reflect.get(window, 'reportViolation') as (text: string) => void;
      report(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
    });
  });
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) violations.push(`request to ${request.url()}`);
  });
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  stack: [
    // Playwright reads the names of fixtures from this pattern.
    // eslint-disable-next-line no-empty-pattern -- it has no fixtures to name
    async ({}, use) => {
      if (process.env.SHOP_URL !== undefined) {
        await use(Stack.running(process.env.SHOP_URL));
        return;
      }
      const folder = await mkdtemp(join(tmpdir(), 'swapshop-browser-'));
      const stack = await Stack.create(join(folder, 'data'));
      await use(stack);
      await stack.stop();
      // A process that survived a crash can still write there.
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
    { scope: 'worker', timeout: 90_000 },
  ],
  baseURL: async ({ stack }, use) => {
    await use(stack.url);
  },
  violations: [
    async ({ context, stack }, use) => {
      const violations: string[] = [];
      await watch(context, stack.url, violations);
      await use(violations);
      expect(violations).toEqual([]);
    },
    { auto: true },
  ],
});

/** Fills in the form of the sign-in page and sends it. */
export async function enter(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('Correo electrónico').fill(email);
  await page.getByLabel('Contraseña', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Entrar' }).click();
}

/** Signs in through the form. */
export async function signIn(page: Page, email: string): Promise<void> {
  await page.goto('/login');
  await enter(page, email);
  await expect(page.getByRole('heading', { level: 1, name: /pedidos/ })).toBeVisible();
}

export interface Line {
  producto: string;
  talla?: string;
  color?: string;
  cantidad: string;
  precio: string;
}

/** Fills in the lines of a new order, from the first. */
export async function fillOrder(
  page: Page,
  cliente: string,
  lines: readonly Line[],
): Promise<void> {
  await page.getByLabel('Cliente').fill(cliente);
  for (const [position, line] of lines.entries()) {
    if (position > 0) await page.getByRole('button', { name: 'Añadir artículo' }).click();
    const group = page.getByRole('group', { name: `Artículo ${position + 1}`, exact: true });
    await group.getByLabel('Producto').fill(line.producto);
    await group.getByLabel('Talla').fill(line.talla ?? '');
    await group.getByLabel('Color').fill(line.color ?? '');
    await group.getByLabel('Cantidad').fill(line.cantidad);
    await group.getByLabel('Precio unitario').fill(line.precio);
  }
}

/** Places an order of one line and waits for its page; returns its id. */
export async function placeOrder(page: Page, cliente: string): Promise<string> {
  await page.goto('/orders/new');
  await fillOrder(page, cliente, [{ producto: 'Bufanda', cantidad: '1', precio: '9,50' }]);
  await page.getByRole('button', { name: 'Enviar pedido' }).click();
  await expect(page.getByRole('heading', { name: `Pedido de ${cliente}` })).toBeVisible();
  return new URL(page.url()).pathname.split('/').at(-1) ?? '';
}

/** The toast with that text. It is repeated for screen readers, so a text matches twice. */
export function toast(page: Page, text: string): Locator {
  return page
    .getByRole('region', { name: 'Mensajes' })
    .getByRole('listitem')
    .filter({ hasText: text });
}
