import { classes } from './classes';

/** The classes of links that choose among a few views of one page. */
export const TAB_LIST =
  'flex w-full gap-1 overflow-x-auto rounded-xl bg-sunken p-1 [scrollbar-width:none] sm:w-auto';

export function tabClasses(isCurrent: boolean): string {
  return classes(
    'flex min-h-9 grow items-center justify-center rounded-lg px-2 text-sm font-medium',
    'whitespace-nowrap transition-colors sm:grow-0 sm:px-4',
    isCurrent ? 'bg-raised text-ink shadow-card' : 'text-ink-soft hover:text-ink',
  );
}
