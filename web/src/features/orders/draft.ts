import * as z from 'zod/mini';

import '@/shared/validation';

import {
  contentOf,
  contentSchema,
  EMPTY_CONTENT,
  type DraftContent,
  type DraftLine,
} from './order-schema';

const draftSchema = z.object({
  /** The Idempotency-Key, the same through every edit of the draft. */
  key: z.string().check(z.regex(/^[\x21-\x7e]{1,255}$/)),
  ...contentSchema.shape,
  /** It was sent, and it is not known whether an order was made of it. */
  isInDoubt: z.boolean(),
  /** The order that an earlier version of the draft made. */
  placedOrderId: z.nullable(z.string()),
});

export type Draft = z.infer<typeof draftSchema>;

/** Returns 128 random bits; pages without TLS have no crypto.randomUUID. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function newDraft(): Draft {
  return {
    key: newKey(),
    ...structuredClone(EMPTY_CONTENT),
    isInDoubt: false,
    placedOrderId: null,
  };
}

export function isEmpty(content: DraftContent): boolean {
  const { lines, ...fields } = contentOf(content);
  const isBlank = (line: DraftLine) =>
    [line.producto, line.talla, line.color, line.precio].every((text) => text.trim() === '');
  return Object.values(fields).every((text) => text.trim() === '') && lines.every(isBlank);
}

/** A user's draft in this tab. It survives reloads, ended sessions and lost answers. */
export class DraftStore {
  readonly #name: string;
  #draft: Draft;

  constructor(
    userId: string,
    private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
  ) {
    this.#name = `swapshop:${userId}:draft`;
    this.#draft = this.#read() ?? newDraft();
    this.#write();
  }

  get draft(): Draft {
    return this.#draft;
  }

  /** Stores what was typed, under the same key. */
  keep(content: DraftContent): void {
    this.#draft = { ...this.#draft, ...content };
    this.#write();
  }

  /** Records that the draft is about to be sent: from now on an order may exist. */
  sending(): void {
    this.#draft = { ...this.#draft, isInDoubt: true };
    this.#write();
  }

  /** Records that the server refused the content: this attempt made no order. */
  refused(wasInDoubt: boolean): void {
    this.#draft = { ...this.#draft, isInDoubt: wasInDoubt };
    this.#write();
  }

  /** Records that an earlier version of the draft made an order. */
  placedBefore(orderId: string): void {
    this.#draft = { ...this.#draft, isInDoubt: false, placedOrderId: orderId };
    this.#write();
  }

  /** Starts the next draft with a new key, after a 201 or to discard this one. */
  startAnother(): Draft {
    this.#draft = newDraft();
    this.#write();
    return this.#draft;
  }

  #read(): Draft | null {
    const text = this.storage.getItem(this.#name);
    if (text === null) return null;
    try {
      return draftSchema.parse(JSON.parse(text));
    } catch {
      return null; // from another release, or damaged: a new draft is better than no page
    }
  }

  #write(): void {
    this.storage.setItem(this.#name, JSON.stringify(this.#draft));
  }
}
