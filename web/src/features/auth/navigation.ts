/** Returns where to go after signing in if it is a path of this page, never another site. */
export function safeNext(next: unknown): string | undefined {
  if (typeof next !== 'string' || !/^\/(?![/\\])/.test(next)) return undefined;
  return next.startsWith('/login') || next.startsWith('/register') ? undefined : next;
}

/** Reads the address of a page for guests. */
export function readNext(search: Record<string, unknown>): { next?: string } {
  const next = safeNext(search.next);
  return next === undefined ? {} : { next };
}
