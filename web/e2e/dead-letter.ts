import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { expect, type Page } from '@playwright/test';

import { OPERATOR, PASSWORD } from './fixtures';
import { PYTHON, type Stack } from './stack';

const CHANGE_TOTAL = `
import json, sqlite3, sys, uuid
database, order, change = sys.argv[1:]
order = uuid.UUID(order).bytes
with sqlite3.connect(database, timeout=10) as connection:
    [row] = connection.execute("select payload from notifications where order_id = ?", (order,))
    event = json.loads(row[0])
    event["total"] += int(change)
    payload = json.dumps(event).encode()
    connection.execute("update notifications set payload = ? where order_id = ?", (payload, order))
`;

/** Changes the total of an order that the receiver has stored. */
function changeTotal(stack: Stack, orderId: string, change: number): void {
  const database = join(stack.dataDir, 'notifications.db');
  execFileSync(PYTHON, ['-c', CHANGE_TOTAL, database, orderId, String(change)]);
}

interface Delivery {
  id: string;
  order_id: string;
  state: string;
}

/**
 * Makes the delivery of a notified order a dead letter in the way the stack would: it is sent again
 * while the receiver holds different content under its id, which the receiver rejects for good.
 *
 * @returns the delivery's id. The receiver has its content back afterwards, so a redrive delivers it.
 */
export async function makeDeadLetter(page: Page, stack: Stack, orderId: string): Promise<string> {
  const login = await page.request.post('/api/auth/login', {
    data: { email: OPERATOR, password: PASSWORD },
    headers: { Cookie: '' },
  });
  const { token } = (await login.json()) as { token: string };
  const headers = { Authorization: `Bearer ${token}` };
  const find = async (): Promise<Delivery | undefined> => {
    const answer = await page.request.get('/api/deliveries?limit=100', { headers });
    const { items } = (await answer.json()) as { items: Delivery[] };
    return items.find((each) => each.order_id === orderId);
  };
  const delivery = await find();
  if (delivery === undefined) throw new Error(`order ${orderId} has no delivery`);
  changeTotal(stack, orderId, 1);
  const redrive = await page.request.post(`/api/deliveries/${delivery.id}/redrive`, { headers });
  expect(redrive.status()).toBe(200);
  await expect.poll(async () => (await find())?.state).toBe('DEAD');
  changeTotal(stack, orderId, -1);
  return delivery.id;
}
