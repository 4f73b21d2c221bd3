import { useEffect, useState } from 'react';

import { useI18n } from '@/shared/i18n';

import { Button } from './button';
import { Icon } from './icons';

const SHOWN = 2000;

/** Copies a text; not shown where the browser has no clipboard (a page without TLS). */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const { t } = useI18n();
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN);
    return () => clearTimeout(timer);
  }, [isCopied]);
  // The type says that it always exists; a page without TLS has none.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard === undefined) return null;
  return (
    <Button
      kind="quiet"
      size="small"
      aria-label={isCopied ? t.common.copied : `${t.common.copy}: ${label}`}
      onClick={() => {
        clipboard.writeText(text).then(
          () => setCopied(true),
          () => setCopied(false), // refused by the browser: the text can be selected
        );
      }}
    >
      <Icon name={isCopied ? 'check' : 'copy'} className="size-4.5" />
      <span aria-live="polite">{isCopied ? t.common.copied : t.common.copy}</span>
    </Button>
  );
}
