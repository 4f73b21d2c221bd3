/**
 * Money in whole cents, so that sums are exact: the largest total, 9 999 999 999.99, is about 1e12
 * cents, and a double represents every whole number up to 9e15.
 */

export type Cents = number;

export const MAX_PRICE: Cents = 99_999_999;
export const MAX_TOTAL: Cents = 999_999_999_999;
export const CURRENCY = 'EUR';

const AMOUNT = /^(\d{1,10})(?:[.,](\d{1,2}))?$/;

/** Reads what a person typed, with a decimal comma or point; null unless it is an amount. */
export function parseCents(text: string): Cents | null {
  const match = AMOUNT.exec(text.trim());
  if (match === null) return null;
  const [, whole = '', decimals = ''] = match;
  return Number(whole) * 100 + Number(decimals.padEnd(2, '0'));
}

/** Turns cents into the JSON number of the contract: its shortest form has at most two decimals. */
export function toAmount(cents: Cents): number {
  return cents / 100;
}

/** Reads an amount of the contract. */
export function fromAmount(amount: number): Cents {
  return Math.round(amount * 100);
}

/** Sums lines; the result is exact. */
export function totalOf(lines: readonly { cantidad: number; price: Cents }[]): Cents {
  return lines.reduce((sum, line) => sum + line.cantidad * line.price, 0);
}
