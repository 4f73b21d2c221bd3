import { beforeEach, describe, expect, it } from 'vitest';

import { DraftStore, isEmpty, newDraft } from './draft';
import { EMPTY_LINE } from './order-schema';

const LINE = { ...EMPTY_LINE, producto: 'Abrigo', precio: '24,90' };

function open(user = 'ana-id'): DraftStore {
  return new DraftStore(user, sessionStorage);
}

describe('DraftStore', () => {
  let store: DraftStore;
  beforeEach(() => {
    store = open();
  });

  it('keeps its key through edits, reloads and failed attempts', () => {
    const { key } = store.draft;
    store.keep({ cliente: 'Ana', lines: [LINE] });
    store.sending();
    store.refused(false);
    store.keep({ cliente: 'Ana María', lines: [LINE, LINE] });
    store.sending();
    const reloaded = open();
    expect(reloaded.draft).toEqual({
      key,
      cliente: 'Ana María',
      lines: [LINE, LINE],
      isInDoubt: true,
      placedOrderId: null,
    });
  });

  it('remembers after a reload that an earlier version of it made an order', () => {
    store.sending();
    store.placedBefore('order-1');
    expect(open().draft).toMatchObject({ isInDoubt: false, placedOrderId: 'order-1' });
  });

  it('stays in doubt when a later attempt is refused for its content', () => {
    store.sending();
    const wasInDoubt = store.draft.isInDoubt;
    store.sending();
    store.refused(wasInDoubt);
    expect(open().draft.isInDoubt).toBe(true);
  });

  it('starts another one with a new key', () => {
    const { key } = store.draft;
    store.keep({ cliente: 'Ana', lines: [LINE] });
    const next = store.startAnother();
    expect(next.key).not.toBe(key);
    expect(isEmpty(next)).toBe(true);
    expect(open().draft).toEqual(next);
  });

  it('is separate for each user', () => {
    store.keep({ cliente: 'Ana', lines: [LINE] });
    expect(isEmpty(open('eva-id').draft)).toBe(true);
    expect(open().draft.cliente).toBe('Ana');
    expect(Object.keys(sessionStorage).every((name) => /ana-id|eva-id/.test(name))).toBe(true);
  });

  it.each(['', '{', 'null', '{"key":"a b","cliente":"","lines":[]}'])(
    'starts over when the stored text is %j',
    (text) => {
      sessionStorage.setItem('swapshop:ana-id:draft', text);
      expect(isEmpty(open().draft)).toBe(true);
    },
  );
});

it('keys are long and never repeat', () => {
  const keys = new Set(Array.from({ length: 100 }, () => newDraft().key));
  expect(keys.size).toBe(100);
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
});
