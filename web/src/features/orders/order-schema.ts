import * as z from 'zod/mini';

import { MAX_PRICE, MAX_TOTAL, parseCents, toAmount, totalOf, type Cents } from '@/shared/money';
import { optionalLine, requiredLine, type ValidationKey } from '@/shared/validation';

import type { OrderBody } from './place-order';

const draftLine = z.object({
  producto: z.string(),
  talla: z.string(),
  color: z.string(),
  cantidad: z.string(),
  precio: z.string(),
});

/** The content of the form as it was typed. */
export const contentSchema = z.object({
  cliente: z.string(),
  lines: z.array(draftLine).check(z.minLength(1), z.maxLength(100)),
});

export type DraftLine = z.infer<typeof draftLine>;
export type DraftContent = z.infer<typeof contentSchema>;

export const EMPTY_LINE: DraftLine = {
  producto: '',
  talla: '',
  color: '',
  cantidad: '1',
  precio: '',
};
export const EMPTY_CONTENT: DraftContent = { cliente: '', lines: [EMPTY_LINE] };

/** Returns the part of a draft that the form shows. */
export function contentOf(draft: DraftContent): DraftContent {
  const names = Object.keys(EMPTY_CONTENT) as (keyof DraftContent)[];
  return Object.fromEntries(names.map((name) => [name, draft[name]])) as unknown as DraftContent;
}

const key = (name: ValidationKey): ValidationKey => name;
const MAX_QUANTITY = 1000;

/** Reads a quantity from 1 to 1000; null for anything else. */
function parseQuantity(text: string): number | null {
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

/** The content of the form as the server expects it, with amounts in cents. */
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

export function toBody({ lines, ...fields }: CheckedOrder): OrderBody {
  return {
    ...fields,
    items: lines.map(({ producto, talla, color, cantidad, precio }) => ({
      producto,
      talla,
      color,
      cantidad,
      precio_unitario: toAmount(precio),
    })),
  };
}

/** Returns the subtotal of a line; null until both of its numbers are complete. */
export function subtotalOf({
  cantidad,
  precio,
}: Pick<DraftLine, 'cantidad' | 'precio'>): Cents | null {
  const quantity = parseQuantity(cantidad);
  const price = parseCents(precio);
  return quantity === null || price === null ? null : quantity * price;
}

/** Returns the total of the complete lines. */
export function runningTotal(lines: readonly Pick<DraftLine, 'cantidad' | 'precio'>[]): Cents {
  return lines.reduce((sum, each) => sum + (subtotalOf(each) ?? 0), 0);
}

const FIELD = /^items\.(\d+)\.(producto|talla|color|cantidad|precio_unitario)$/;

type LineField = keyof DraftLine;

type OrderField = Exclude<keyof DraftContent, 'lines'>;

function isOrderField(path: string): path is OrderField {
  return Object.hasOwn(EMPTY_CONTENT, path) && path !== 'lines';
}

/** Returns the form's field for a path of the server, such as items.0.precio_unitario. */
export function formFieldOf(path: string): OrderField | `lines.${number}.${LineField}` | null {
  if (isOrderField(path)) return path;
  const match = FIELD.exec(path);
  if (match === null) return null;
  const field = match[2] === 'precio_unitario' ? 'precio' : (match[2] as LineField);
  return `lines.${Number(match[1])}.${field}`;
}
