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
  /** The Idempotency-Key: one for the life of the draft, edits included. */
  key: z.string().check(z.regex(/^[\x21-\x7e]{1,255}$/)),
  ...contentSchema.shape,
  /** It was sent and no answer tells whether an order was made of it. */
  isInDoubt: z.boolean(),
  /** The order that an earlier form of the draft made. */
  placedOrderId: z.nullable(z.string()),
});

export type Draft = z.infer<typeof draftSchema>;

/** 128 random bits; crypto.randomUUID is missing from pages without TLS. */
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

/** A user's draft in this tab: it outlives reloads, lost sessions and answers that never came. */
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

  /** Keeps what was typed, under the same key. */
  keep(content: DraftContent): void {
    this.#draft = { ...this.#draft, ...content };
    this.#write();
  }

  /** Before it is sent: whatever happens to this page now, an order may come of it. */
  sending(): void {
    this.#draft = { ...this.#draft, isInDoubt: true };
    this.#write();
  }

  /** The server refused it for what it says: nothing was made of this attempt. */
  refused(wasInDoubt: boolean): void {
    this.#draft = { ...this.#draft, isInDoubt: wasInDoubt };
    this.#write();
  }

  /** An earlier form of it had made an order. */
  placedBefore(orderId: string): void {
    this.#draft = { ...this.#draft, isInDoubt: false, placedOrderId: orderId };
    this.#write();
  }

  /** After a 201, or to discard it: the next draft has a key of its own. */
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
      return null; // of another release, or damaged: a new draft is better than no page
    }
  }

  #write(): void {
    this.storage.setItem(this.#name, JSON.stringify(this.#draft));
  }
}
