import { AlertDialog } from 'radix-ui';
import type { ReactNode } from 'react';

import { useI18n } from '@/shared/i18n';

import { Button } from './button';

interface ConfirmProps {
  trigger: ReactNode;
  title: string;
  body: string;
  confirm: string;
  isDangerous?: boolean;
  onConfirm: () => void;
}

/** Asks for confirmation of something that cannot be undone. */
export function Confirm({ trigger, title, body, confirm, isDangerous, onConfirm }: ConfirmProps) {
  const { t } = useI18n();
  return (
    <AlertDialog.Root>
      <AlertDialog.Trigger asChild>{trigger}</AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 bg-black/50" />
        <AlertDialog.Content className="fixed inset-x-4 top-1/2 z-50 mx-auto max-w-md -translate-y-1/2 animate-rise rounded-2xl border border-line bg-surface p-6 shadow-float">
          <AlertDialog.Title className="text-lg font-semibold tracking-tight">
            {title}
          </AlertDialog.Title>
          <AlertDialog.Description className="mt-2 text-pretty text-ink-soft">
            {body}
          </AlertDialog.Description>
          <div className="mt-6 flex flex-wrap justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button kind="secondary">{t.common.cancel}</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild>
              <Button kind={isDangerous === true ? 'danger' : 'primary'} onClick={onConfirm}>
                {confirm}
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
