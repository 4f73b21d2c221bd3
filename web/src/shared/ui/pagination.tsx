import { useI18n } from '@/shared/i18n';

import { Button } from './button';
import { Icon } from './icons';

interface PaginationProps {
  /** The cursor of each page after the first, the current page's last. */
  pages: readonly string[];
  nextCursor: string | null;
  onPages: (pages: string[]) => void;
}

/** Buttons to newer and older items; nothing when everything fits on one page. */
export function Pagination({ pages, nextCursor, onPages }: PaginationProps) {
  const { t } = useI18n();
  if (pages.length === 0 && nextCursor === null) return null;
  return (
    <nav
      aria-label={t.common.pagination}
      className="flex items-center justify-between gap-3 border-t border-line px-4 py-3"
    >
      <Button
        kind="quiet"
        size="small"
        disabled={pages.length === 0}
        onClick={() => onPages(pages.slice(0, -1))}
      >
        <Icon name="left" className="size-4.5" />
        {t.common.newer}
      </Button>
      <span aria-live="polite" className="text-sm text-ink-soft tabular-nums">
        {t.common.pageNumber(pages.length + 1)}
      </span>
      <Button
        kind="quiet"
        size="small"
        disabled={nextCursor === null}
        onClick={() => {
          if (nextCursor !== null) onPages([...pages, nextCursor]);
        }}
      >
        {t.common.older}
        <Icon name="right" className="size-4.5" />
      </Button>
    </nav>
  );
}
