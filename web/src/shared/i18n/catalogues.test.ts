import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { LocalCode } from '@/api/problem-codes';

import { CATALOGUES, messageOf } from './index';

/** Lists the path of every entry with its texts, for several arguments if it is a function. */
function entries(node: unknown, path = ''): [string, string[]][] {
  if (typeof node === 'string') return [[path, [node]]];
  if (typeof node === 'function') {
    const say = node as (...values: unknown[]) => string;
    return [[path, [say(1, 1), say(2, 2), say(0, 0)]]];
  }
  return Object.entries(node as object).flatMap(([key, value]) => entries(value, `${path}.${key}`));
}

/** Entries that are the same in Spanish and English. */
const ALIKE = new Set([
  '.common.none',
  '.newOrder.total',
  '.newOrder.subtotal',
  '.orders.total',
  '.orders.httpStatus',
  '.orders.milliseconds',
]);

describe('catalogues', () => {
  it('say the same things in both languages, none of them empty', () => {
    const [es, en] = [entries(CATALOGUES.es), entries(CATALOGUES.en)];
    expect(en.map(([path]) => path)).toEqual(es.map(([path]) => path));
    for (const [path, texts] of [...es, ...en]) {
      for (const text of texts) {
        expect(text.trim(), path).not.toBe('');
        expect(text, path).not.toContain('undefined');
      }
    }
  });

  it('are translated: nothing else is the same in both', () => {
    const es = new Map(entries(CATALOGUES.es));
    const same = entries(CATALOGUES.en)
      .filter(([path, texts]) => JSON.stringify(texts) === JSON.stringify(es.get(path)))
      .map(([path]) => path);
    expect(same.filter((path) => !ALIKE.has(path))).toEqual([]);
  });
});

const ROOT = join(import.meta.dirname, '../../../..');

/** Lists the codes that a contract declares for the routes a browser can reach. */
function declaredCodes(service: string): string[] {
  const text = readFileSync(join(ROOT, `services/contracts/${service}.openapi.json`), 'utf8');
  const { paths } = JSON.parse(text) as { paths: Record<string, unknown> };
  const visible = Object.entries(paths).filter(([path]) => path.startsWith('/api/'));
  const codes = new Set<string>();
  JSON.parse(JSON.stringify(visible), (key, value: unknown) => {
    const hasEnum = typeof value === 'object' && value !== null && 'enum' in value;
    if (key === 'code' && hasEnum) (value.enum as string[]).forEach((code) => codes.add(code));
    return value;
  });
  return [...codes];
}

/** Lists the codes of the problems that any route can answer, and of nginx in place of the api. */
function commonCodes(): string[] {
  const kit = join(ROOT, 'services/kit/swapshop_kit');
  const modules = readdirSync(kit).filter((name) => name.endsWith('.py'));
  const texts = modules.map((name) => readFileSync(join(kit, name), 'utf8'));
  texts.push(readFileSync(join(ROOT, 'web/nginx/default.conf'), 'utf8'));
  return texts.flatMap((text) =>
    Array.from(text.matchAll(/^ {4}code = "(\w+)"|"code":"(\w+)"/gm), (match) =>
      String(match[1] ?? match[2]),
    ),
  );
}

/** Codes of failures that the page itself detects. */
const LOCAL: LocalCode[] = ['network', 'timeout', 'gateway', 'unexpected'];

describe('problem messages', () => {
  it.each(['api', 'receiver'])('cover every code of the %s’s contract', (service) => {
    const codes = declaredCodes(service);
    expect(codes.length).toBeGreaterThan(5);
    for (const { problems } of Object.values(CATALOGUES)) {
      expect(codes.filter((code) => !(code in problems))).toEqual([]);
    }
  });

  it('cover every code that the contracts leave out because any route can answer it', () => {
    const codes = commonCodes();
    expect(codes).toEqual(expect.arrayContaining(['not_found', 'service_unavailable']));
    for (const { problems } of Object.values(CATALOGUES)) {
      expect(codes.filter((code) => !(code in problems))).toEqual([]);
    }
  });

  it('exist only for codes that a page can meet', () => {
    const met = new Set<string>([
      ...['api', 'receiver'].flatMap(declaredCodes),
      ...commonCodes(),
      ...LOCAL,
    ]);
    for (const { problems } of Object.values(CATALOGUES)) {
      expect(Object.keys(problems).filter((code) => !met.has(code))).toEqual([]);
    }
  });

  it('cover a code that is newer than the page', () => {
    const failure = { code: 'from_the_future' as 'unexpected' };
    expect(messageOf(CATALOGUES.en, failure)).toBe(CATALOGUES.en.problems.unexpected);
  });
});
