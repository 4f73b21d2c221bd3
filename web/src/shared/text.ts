/** The rules for one line of text, the same as the server's (services/kit/swapshop_kit/text.py). */

export const MAX_TEXT_LENGTH = 120;

/** Control, format, surrogate and private-use characters, and line separators. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/** Signs that span digits: format characters that are visible (Prepended_Concatenation_Mark). */
const VISIBLE_FORMAT = /[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]/gu;

/** Marks and fillers that are invisible. */
const INVISIBLE = ['\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u3164', '\uffa0'];

/** Returns the text trimmed and in Normalization Form C. */
export function normalizeText(text: string): string {
  return text.trim().normalize('NFC');
}

/** Whether the text has a character that is invisible or reorders others. */
export function hasHiddenCharacter(text: string): boolean {
  const plain = text.replace(VISIBLE_FORMAT, '');
  return HIDDEN.test(plain) || INVISIBLE.some((character) => plain.includes(character));
}

/** Counts characters as the server does: code points, not UTF-16 units. */
export function lengthOf(text: string): number {
  return Array.from(text).length;
}
