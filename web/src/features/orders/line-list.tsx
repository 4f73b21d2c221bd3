import { useState, type KeyboardEvent } from 'react';
import { useFieldArray, useFormContext } from 'react-hook-form';

import { useI18n } from '@/shared/i18n';
import { Button } from '@/shared/ui/button';
import { Icon } from '@/shared/ui/icons';

import { EMPTY_LINE, type DraftContent } from './order-schema';
import { LineFields } from './line-fields';
import type { CheckedOrder } from './order-schema';

const MAX_LINES = 100;

/** Returns the position of the line that has the focus; null if none has it. */
function focusedLine(target: EventTarget): number | null {
  const line = target instanceof Element ? target.closest<HTMLElement>('[data-line]') : null;
  return line?.dataset.line === undefined ? null : Number(line.dataset.line);
}

/** The order's lines; every action works with the mouse and with the keyboard. */
export function LineList() {
  const { t } = useI18n();
  const { control, getValues, setFocus } = useFormContext<DraftContent, unknown, CheckedOrder>();
  const lines = useFieldArray({ control, name: 'lines' });
  const [news, setNews] = useState('');
  const isFull = lines.fields.length >= MAX_LINES;

  const add = () => {
    if (isFull) return;
    const position = lines.fields.length;
    lines.append({ ...EMPTY_LINE }, { focusName: `lines.${position}.producto` });
    setNews(t.newOrder.lineAdded(position + 1));
  };
  const duplicate = (position: number) => {
    if (isFull) return;
    const copy = { ...getValues(`lines.${position}`) };
    lines.insert(position + 1, copy, { focusName: `lines.${position + 1}.producto` });
    setNews(t.newOrder.lineAdded(position + 2));
  };
  const remove = (position: number) => {
    if (lines.fields.length === 1) return;
    lines.remove(position);
    setNews(t.newOrder.lineRemoved(position + 1));
    const neighbour = Math.min(position, lines.fields.length - 2);
    // After the fields have moved up.
    requestAnimationFrame(() => setFocus(`lines.${neighbour}.producto`));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const position = focusedLine(event.target);
    if (event.code === 'KeyN') add();
    else if (event.code === 'KeyD' && position !== null) duplicate(position);
    else if (event.code === 'Delete' && position !== null) remove(position);
    else return;
    event.preventDefault();
  };

  return (
    // The key events bubble up from the fields, which are the interactive elements here.
    <section aria-labelledby="lines-title" onKeyDown={onKeyDown}>
      <div className="mb-3 flex flex-wrap items-baseline justify-between gap-x-4">
        <h2 id="lines-title" className="text-lg font-semibold tracking-tight">
          {t.newOrder.lines}
        </h2>
      </div>
      <div className="space-y-4">
        {lines.fields.map((field, position) => (
          <LineFields
            key={field.id}
            position={position}
            canRemove={lines.fields.length > 1}
            canDuplicate={!isFull}
            onRemove={() => remove(position)}
            onDuplicate={() => duplicate(position)}
          />
        ))}
      </div>
      <div className="mt-4 flex flex-wrap items-center gap-x-4 gap-y-2">
        <Button kind="secondary" disabled={isFull} onClick={add}>
          <Icon name="plus" />
          {t.newOrder.addLine}
        </Button>
        <p className="hidden max-w-md text-sm text-pretty text-ink-soft [@media(hover:hover)]:block">
          {isFull ? t.newOrder.maxLines : t.newOrder.keyboardHint}
        </p>
      </div>
      <p role="status" className="sr-only">
        {news}
      </p>
    </section>
  );
}
