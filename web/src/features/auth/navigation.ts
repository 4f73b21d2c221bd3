/** Where to go after signing in: a path of this page, never another site. */
export function safeNext(next: unknown): string | undefined {
  if (typeof next !== 'string' || !/^\/(?![/\\])/.test(next)) return undefined;
  return next.startsWith('/login') || next.startsWith('/register') ? undefined : next;
}
