import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatsOf } from '@/shared/i18n/format';

import { fromAmount, MAX_PRICE, MAX_TOTAL, parseCents, toAmount, totalOf } from './money';

describe('parseCents', () => {
  it.each([
    ['24,90', 2490],
    ['24.9', 2490],
    [' 7 ', 700],
    ['0,01', 1],
    ['999999.99', MAX_PRICE],
  ])('reads %s', (text, cents) => {
    expect(parseCents(text)).toBe(cents);
  });

  it.each(['', '1.234,50', '1,234', '-1', '1e3', 'NaN', '٣', '1,', ',5', '1 000', '0x10'])(
    'refuses %j',
    (text) => {
      expect(parseCents(text)).toBeNull();
    },
  );
});

it('every amount survives a round trip through JSON, with at most two decimals', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_TOTAL }), (cents) => {
      const text = JSON.stringify(toAmount(cents));
      expect(text).toMatch(/^\d+(\.\d{1,2})?$/);
      expect(fromAmount(JSON.parse(text) as number)).toBe(cents);
    }),
  );
});

it('sums as exactly as whole numbers of any size', () => {
  const line = fc.record({
    cantidad: fc.integer({ min: 1, max: 1000 }),
    price: fc.integer({ min: 1, max: MAX_PRICE }),
  });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 100 }), (lines) => {
      const exact = lines.reduce(
        (sum, each) => sum + BigInt(each.cantidad) * BigInt(each.price),
        0n,
      );
      expect(BigInt(totalOf(lines))).toBe(exact);
    }),
  );
});

it('shows money as each language writes it', () => {
  expect(formatsOf('es').cents(123_456)).toBe('1.234,56\u00a0€');
  expect(formatsOf('en').money(1234.5)).toBe('€1,234.50');
});
