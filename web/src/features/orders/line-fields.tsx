import { useFormContext, useWatch } from 'react-hook-form';

import { useI18n } from '@/shared/i18n';
import { Button } from '@/shared/ui/button';
import { Field } from '@/shared/ui/field';
import { Icon } from '@/shared/ui/icons';
import { Card } from '@/shared/ui/surfaces';
import { errorText } from '@/shared/validation';

import { subtotalOf, type CheckedOrder, type DraftContent } from './order-schema';

interface LineFieldsProps {
  position: number;
  canRemove: boolean;
  canDuplicate: boolean;
  onRemove: () => void;
  onDuplicate: () => void;
}

/** One line of the order; the numbers that people see start at 1. */
export function LineFields({
  position,
  canRemove,
  canDuplicate,
  onRemove,
  onDuplicate,
}: LineFieldsProps) {
  const { t, format } = useI18n();
  const { register, formState } = useFormContext<DraftContent, unknown, CheckedOrder>();
  const line = useWatch<DraftContent, `lines.${number}`>({ name: `lines.${position}` });
  const errors = formState.errors.lines?.[position];
  const subtotal = subtotalOf(line);
  const number = position + 1;
  return (
    <Card className="p-4 sm:p-5">
      <fieldset data-line={position}>
        <legend className="sr-only">{t.newOrder.line(number)}</legend>
        <div className="mb-3 flex items-center justify-between">
          <span aria-hidden="true" className="text-sm font-semibold text-ink-soft">
            {t.newOrder.line(number)}
          </span>
          <span className="-my-1 -mr-1.5 flex gap-0.5">
            <Button
              kind="quiet"
              size="icon"
              aria-label={t.newOrder.duplicate(number)}
              title={t.newOrder.duplicate(number)}
              disabled={!canDuplicate}
              onClick={onDuplicate}
            >
              <Icon name="copy" />
            </Button>
            <Button
              kind="quiet"
              size="icon"
              aria-label={t.newOrder.remove(number)}
              title={t.newOrder.remove(number)}
              disabled={!canRemove}
              onClick={onRemove}
            >
              <Icon name="trash" />
            </Button>
          </span>
        </div>
        <div className="grid grid-cols-2 gap-4 sm:grid-cols-6">
          <Field
            {...register(`lines.${position}.producto`)}
            label={t.newOrder.product}
            autoComplete="off"
            className="col-span-2 sm:col-span-6"
            error={errorText(t, errors?.producto?.message)}
          />
          <Field
            {...register(`lines.${position}.talla`)}
            label={t.newOrder.size}
            isOptional
            autoComplete="off"
            className="sm:col-span-3"
            error={errorText(t, errors?.talla?.message)}
          />
          <Field
            {...register(`lines.${position}.color`)}
            label={t.newOrder.color}
            isOptional
            autoComplete="off"
            className="sm:col-span-3"
            error={errorText(t, errors?.color?.message)}
          />
          <Field
            {...register(`lines.${position}.cantidad`)}
            label={t.newOrder.quantity}
            inputMode="numeric"
            autoComplete="off"
            className="sm:col-span-2"
            error={errorText(t, errors?.cantidad?.message)}
          />
          <Field
            {...register(`lines.${position}.precio`)}
            label={t.newOrder.price}
            inputMode="decimal"
            autoComplete="off"
            className="sm:col-span-2"
            end={<span className="pr-2 text-ink-soft">€</span>}
            error={errorText(t, errors?.precio?.message)}
          />
          <div className="col-span-2 flex items-baseline justify-between gap-2 sm:block sm:text-right">
            <span className="mb-1.5 block text-sm font-medium">{t.newOrder.subtotal}</span>
            <output className="font-semibold tabular-nums sm:flex sm:min-h-11 sm:items-center sm:justify-end">
              {subtotal === null ? t.common.none : format.cents(subtotal)}
            </output>
          </div>
        </div>
      </fieldset>
    </Card>
  );
}
