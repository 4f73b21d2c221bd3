import { describe, expect, it } from 'vitest';

import {
  EMPTY_LINE,
  formFieldOf,
  orderSchema,
  runningTotal,
  subtotalOf,
  toBody,
} from './order-schema';

const LINE = { ...EMPTY_LINE, producto: 'Abrigo', cantidad: '2', precio: '24,90' };

/** The first error of each field. */
function errorsOf(value: unknown): Record<string, string> {
  const result = orderSchema.safeParse(value);
  const found: Record<string, string> = {};
  for (const { path, message } of result.error?.issues ?? []) found[path.join('.')] ??= message;
  return found;
}

describe('orderSchema', () => {
  it('makes the body that the server expects', () => {
    const checked = orderSchema.parse({
      cliente: '  Iñigo ',
      lines: [LINE, { ...LINE, talla: ' M ', color: 'azul', precio: '0.1' }],
    });
    expect(toBody(checked)).toEqual({
      cliente: 'Iñigo',
      items: [
        { producto: 'Abrigo', talla: null, color: null, cantidad: 2, precio_unitario: 24.9 },
        { producto: 'Abrigo', talla: 'M', color: 'azul', cantidad: 2, precio_unitario: 0.1 },
      ],
    });
  });

  it.each([
    [{ producto: ' ' }, 'producto', 'required'],
    [{ producto: 'x'.repeat(121) }, 'producto', 'textTooLong'],
    [{ producto: 'a\u200bb' }, 'producto', 'hiddenCharacter'],
    [{ talla: 'a\u202eb' }, 'talla', 'hiddenCharacter'],
    [{ color: '\u{1f600}'.repeat(121) }, 'color', 'textTooLong'],
    [{ cantidad: '0' }, 'cantidad', 'quantity'],
    [{ cantidad: '1001' }, 'cantidad', 'quantity'],
    [{ cantidad: '1.0' }, 'cantidad', 'quantity'],
    [{ cantidad: '1e2' }, 'cantidad', 'quantity'],
    [{ precio: '' }, 'precio', 'price'],
    [{ precio: '1,234' }, 'precio', 'price'],
    [{ precio: '0,00' }, 'precio', 'pricePositive'],
    [{ precio: '1000000' }, 'precio', 'priceMax'],
  ])('refuses %j at its field', (change, field, message) => {
    const errors = errorsOf({ cliente: 'Ana', lines: [{ ...LINE, ...change }] });
    expect(errors).toEqual({ [`lines.0.${field}`]: message });
  });

  it('counts characters, not UTF-16 units', () => {
    const line = { ...LINE, color: '\u{1f600}'.repeat(120) };
    expect(errorsOf({ cliente: 'Ana', lines: [line] })).toEqual({});
  });

  it('refuses a total beyond what the server stores', () => {
    const line = { ...LINE, cantidad: '1000', precio: '999999,99' };
    const lines = Array.from({ length: 11 }, () => line);
    expect(errorsOf({ cliente: 'Ana', lines })).toEqual({ total: 'totalMax' });
  });
});

it('the running total is exact and ignores incomplete lines', () => {
  const lines = [
    { cantidad: '3', precio: '0,10' },
    { cantidad: '', precio: '5' },
    { cantidad: '1', precio: '0.2' },
  ];
  expect(runningTotal(lines)).toBe(50);
  expect(subtotalOf({ cantidad: '2', precio: '1,' })).toBeNull();
});

it.each([
  ['cliente', 'cliente'],
  ['items.3.precio_unitario', 'lines.3.precio'],
  ['items.0.talla', 'lines.0.talla'],
  ['items', null],
  ['items.0.other', null],
])('the server’s field %s is the form’s %s', (path, field) => {
  expect(formFieldOf(path)).toBe(field);
});
