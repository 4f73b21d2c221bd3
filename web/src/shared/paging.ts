/** Keyset pages in the address: a cursor for each page after the first, the current page's last. */

const MAX_CURSOR = 200;

/** Reads `pages` from the address; anything but a list of cursors means the first page. */
export function readPages({ pages }: Record<string, unknown>): { pages?: string[] } {
  if (!Array.isArray(pages) || pages.length === 0) return {};
  const cursors = pages.filter((each) => typeof each === 'string' && each.length <= MAX_CURSOR);
  return cursors.length === pages.length ? { pages: cursors as string[] } : {};
}

/** Returns a change of the address that moves to a page and keeps everything else. */
export function toPages(pages: string[]) {
  return <Search extends object>(search: Search): Search => {
    const { pages: _, ...rest } = search as Search & { pages?: string[] };
    return (pages.length > 0 ? { ...rest, pages } : rest) as Search;
  };
}
