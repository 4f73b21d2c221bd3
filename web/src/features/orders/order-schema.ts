import * as z from 'zod/mini';

import { MAX_PRICE, MAX_TOTAL, parseCents, toAmount, totalOf, type Cents } from '@/shared/money';
import { optionalLine, requiredLine, type ValidationKey } from '@/shared/validation';

import type { DraftLine } from './draft';
import type { OrderBody } from './place-order';

const key = (name: ValidationKey): ValidationKey => name;
const MAX_QUANTITY = 1000;

/** Reads a quantity, 1..1000; null unless it is one. */
export function parseQuantity(text: string): number | null {
  if (!/^\d{1,4}$/.test(text.trim())) return null;
  const quantity = Number(text);
  return quantity >= 1 && quantity <= MAX_QUANTITY ? quantity : null;
}

const quantity = z.pipe(
  z.string().check(z.refine((text) => parseQuantity(text) !== null, { error: key('quantity') })),
  z.transform((text) => parseQuantity(text) ?? 0),
);

const price = z.pipe(
  z.string().check(
    z.refine((text) => parseCents(text) !== null, { error: key('price'), abort: true }),
    z.refine((text) => (parseCents(text) ?? 0) > 0, {
      error: key('pricePositive'),
      abort: true,
    }),
    z.refine((text) => (parseCents(text) ?? 0) <= MAX_PRICE, { error: key('priceMax') }),
  ),
  z.transform((text) => parseCents(text) ?? 0),
);

const line = z.object({
  producto: requiredLine,
  talla: optionalLine,
  color: optionalLine,
  cantidad: quantity,
  precio: price,
});

/** What the form holds, as the server will have it; amounts in cents. */
export const orderSchema = z
  .object({ cliente: requiredLine, lines: z.array(line) })
  .check(
    z.refine(
      ({ lines }) =>
        totalOf(lines.map(({ cantidad, precio }) => ({ cantidad, price: precio }))) <= MAX_TOTAL,
      { error: key('totalMax'), path: ['total'] },
    ),
  );

export type CheckedOrder = z.infer<typeof orderSchema>;

export function toBody({ cliente, lines }: CheckedOrder): OrderBody {
  return {
    cliente,
    items: lines.map(({ producto, talla, color, cantidad, precio }) => ({
      producto,
      talla,
      color,
      cantidad,
      precio_unitario: toAmount(precio),
    })),
  };
}

/** The subtotal of a line that may be half typed; null until both of its numbers are there. */
export function subtotalOf({
  cantidad,
  precio,
}: Pick<DraftLine, 'cantidad' | 'precio'>): Cents | null {
  const quantity = parseQuantity(cantidad);
  const price = parseCents(precio);
  return quantity === null || price === null ? null : quantity * price;
}

/** The total of what is typed so far. */
export function runningTotal(lines: readonly Pick<DraftLine, 'cantidad' | 'precio'>[]): Cents {
  return lines.reduce((sum, each) => sum + (subtotalOf(each) ?? 0), 0);
}

const FIELD = /^items\.(\d+)\.(producto|talla|color|cantidad|precio_unitario)$/;

type LineField = keyof DraftLine;

/** Names the form's field of a server's path, such as items.0.precio_unitario. */
export function formFieldOf(path: string): 'cliente' | `lines.${number}.${LineField}` | null {
  if (path === 'cliente') return 'cliente';
  const match = FIELD.exec(path);
  if (match === null) return null;
  const field = match[2] === 'precio_unitario' ? 'precio' : (match[2] as LineField);
  return `lines.${Number(match[1])}.${field}`;
}
