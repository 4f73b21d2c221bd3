/** Rules of one line of text, as the server has them (services/kit/swapshop_kit/text.py). */

export const MAX_TEXT_LENGTH = 120;

/** Controls, format characters, surrogates, private use, and the separators of lines. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/** Signs that span digits: format characters, yet seen (Prepended_Concatenation_Mark). */
const VISIBLE_FORMAT = /[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]/gu;

/** Marks and fillers that show nothing. */
const INVISIBLE = ['\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u3164', '\uffa0'];

/** Returns the text trimmed and in Normalization Form C. */
export function normalizeText(text: string): string {
  return text.trim().normalize('NFC');
}

/** Tells whether a character hides, or reorders others. */
export function hasHiddenCharacter(text: string): boolean {
  const plain = text.replace(VISIBLE_FORMAT, '');
  return HIDDEN.test(plain) || INVISIBLE.some((character) => plain.includes(character));
}

/** Counts characters as the server does: code points, not UTF-16 units. */
export function lengthOf(text: string): number {
  return Array.from(text).length;
}
