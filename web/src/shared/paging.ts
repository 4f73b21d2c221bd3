/** Keyset pages in the URL: the cursors of the pages behind one, the current one last. */

const MAX_CURSOR = 200;

/** Reads the cursors of a search parameter; anything else starts at the first page. */
export function readPages(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const cursors = value.filter((each) => typeof each === 'string' && each.length <= MAX_CURSOR);
  return cursors.length === value.length ? (cursors as string[]) : undefined;
}
