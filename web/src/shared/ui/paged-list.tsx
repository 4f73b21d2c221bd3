import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { classes } from './classes';
import { FailureNotice } from './page';
import { Pagination } from './pagination';
import { Card, SkeletonRows } from './surfaces';

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor?: string | null;
}

interface PagedListProps<Item> {
  list: UseQueryResult<Page<Item>>;
  /** The cursor of each page after the first, the current page's last. */
  pages: readonly string[];
  onPages: (pages: string[]) => void;
  /** Takes the list's place when it has no items. */
  empty: ReactNode;
  /** Renders one item as an `<li>` with a key. */
  children: (item: Item) => ReactNode;
}

/** One page of a list: its items or their failure, and the way to the other pages. */
export function PagedList<Item>({ list, pages, onPages, empty, children }: PagedListProps<Item>) {
  const { data } = list;
  return (
    <>
      {list.isError && (
        <div className="mb-4">
          <FailureNotice error={list.error} onRetry={() => void list.refetch()} />
        </div>
      )}
      <Card className="overflow-hidden">
        {list.isPending && <SkeletonRows />}
        {data?.items.length === 0 && empty}
        {data !== undefined && data.items.length > 0 && (
          <ul className={classes('divide-y divide-line', list.isPlaceholderData && 'opacity-60')}>
            {data.items.map(children)}
          </ul>
        )}
        <Pagination pages={pages} nextCursor={data?.next_cursor ?? null} onPages={onPages} />
      </Card>
    </>
  );
}
