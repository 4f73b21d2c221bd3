import * as z from 'zod/mini';

import type { Catalogue } from '@/shared/i18n';

import { hasHiddenCharacter, lengthOf, MAX_TEXT_LENGTH, normalizeText } from './text';

// zod would try `new Function`, which the content security policy forbids.
z.config({ jitless: true });

/** The name of a message. Forms keep names, so that a change of language changes their messages. */
export type ValidationKey = keyof Catalogue['validation'];

const key = (name: ValidationKey): ValidationKey => name;

/** One line of text as the server expects it: trimmed, 1 to 120 characters, none of them hidden. */
export const requiredLine = z.pipe(
  z.pipe(z.string(), z.transform(normalizeText)),
  z.string().check(
    z.refine((text) => text !== '', { error: key('required'), abort: true }),
    z.refine((text) => lengthOf(text) <= MAX_TEXT_LENGTH, { error: key('textTooLong') }),
    z.refine((text) => !hasHiddenCharacter(text), { error: key('hiddenCharacter') }),
  ),
);

/** Like `requiredLine`, but an empty line becomes null. */
export const optionalLine = z.pipe(
  z.pipe(
    z.string(),
    z.transform((text) => {
      const line = normalizeText(text);
      return line === '' ? null : line;
    }),
  ),
  z.nullable(
    z.string().check(
      z.refine((text) => lengthOf(text) <= MAX_TEXT_LENGTH, { error: key('textTooLong') }),
      z.refine((text) => !hasHiddenCharacter(text), { error: key('hiddenCharacter') }),
    ),
  ),
);

/** Looks like an e-mail that an account can have; the server checks the domain. */
export const email = z.pipe(
  z.pipe(z.string(), z.transform(normalizeText)),
  z.string().check(
    z.refine((text) => text !== '', { error: key('required'), abort: true }),
    z.refine((text) => /^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$/.test(text), {
      error: key('email'),
      abort: true,
    }),
    z.refine((text) => /^[!-~]+@/.test(text), { error: key('emailNotAscii') }),
  ),
);

const MIN_PASSWORD = 12;
const MAX_PASSWORD = 128;

export const newPassword = z.string().check(
  z.refine((text) => text !== '', { error: key('required'), abort: true }),
  z.refine((text) => lengthOf(text.normalize('NFC')) >= MIN_PASSWORD, {
    error: key('passwordShort'),
  }),
  z.refine((text) => lengthOf(text.normalize('NFC')) <= MAX_PASSWORD, {
    error: key('passwordLong'),
  }),
);

export const presentPassword = z
  .string()
  .check(z.refine((text) => text !== '', { error: key('required') }));

/** Returns the text of a form's error, from its name or from the server's own message. */
export function errorText(t: Catalogue, message: string | undefined): string | undefined {
  if (message === undefined) return undefined;
  const texts: Readonly<Record<string, string | undefined>> = t.validation;
  return texts[message] ?? sentence(message);
}

/** The server's messages are fragments: "must have at least 12 characters". */
function sentence(fragment: string): string {
  const first = fragment.charAt(0).toUpperCase() + fragment.slice(1);
  return first.endsWith('.') ? first : `${first}.`;
}
