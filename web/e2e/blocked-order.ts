import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { PYTHON, type Stack } from './stack';

const COPY_WITHOUT_LINES = `
import sqlite3, sys, uuid
database, order, cliente = sys.argv[1:]
copy = uuid.uuid4()
with sqlite3.connect(database, timeout=10) as connection:
    connection.execute(
        "insert into orders (id, user_id, cliente, total, estado, created_at, fingerprint)"
        " select ?, user_id, ?, total, ?, created_at, fingerprint from orders where id = ?",
        (copy.bytes, cliente, b"PENDING", uuid.UUID(order).bytes),
    )
print(copy)
`;

/** Copies an order without its lines, which no notification can be made of; returns its id. */
export function insertBrokenOrder(stack: Stack, orderId: string, cliente: string): string {
  const database = join(stack.dataDir, 'swapshop.db');
  const id = execFileSync(PYTHON, ['-c', COPY_WITHOUT_LINES, database, orderId, cliente]);
  return id.toString().trim();
}
