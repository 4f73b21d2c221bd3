import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Popover } from 'radix-ui';
import { useState } from 'react';

import { Failure } from '@/api/failure';
import { useServices } from '@/services/services';
import type { User } from '@/services/session';
import { useToasts } from '@/services/toasts';
import { messageOf, useI18n } from '@/shared/i18n';
import { Button } from '@/shared/ui/button';
import { Icon } from '@/shared/ui/icons';
import { LanguageSwitch, ThemeSwitch } from '@/shared/ui/preferences';
import { Badge } from '@/shared/ui/surfaces';

export function AccountMenu({ user }: { user: User }) {
  const { t } = useI18n();
  const { session } = useServices();
  const toasts = useToasts();
  const [isOpen, setOpen] = useState(false);
  const signOut = useMutation({
    mutationFn: () => session.signOut(),
    onError: (error) => {
      const failure = error instanceof Failure ? error : new Failure('unexpected');
      toasts.show({
        tone: 'danger',
        title: t.shell.signOutFailed,
        body: messageOf(t, failure),
      });
    },
  });
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <Button kind="quiet" size="icon" aria-label={t.shell.account(user.nombre)}>
          <Icon name="user" />
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={10}
          collisionPadding={12}
          aria-label={t.shell.account(user.nombre)}
          onCloseAutoFocus={(event) => {
            // After a navigation the new page's heading keeps the focus.
            if (document.activeElement !== document.body) event.preventDefault();
          }}
          className="z-40 w-72 animate-rise rounded-2xl border border-line bg-surface p-2 shadow-float"
        >
          <div className="border-b border-line px-3 pt-2 pb-3">
            <div className="flex items-center justify-between gap-2">
              <p className="truncate font-semibold">{user.nombre}</p>
              <Badge tone={user.rol === 'operator' ? 'accent' : 'neutral'}>
                {user.rol === 'operator' ? t.shell.operatorRole : t.shell.customer}
              </Badge>
            </div>
            <p className="truncate text-sm text-ink-soft">{user.email}</p>
          </div>
          <div className="py-2">
            <div className="flex items-center justify-between px-3 py-1 text-sm">
              <span aria-hidden="true">{t.shell.language}</span>
              <LanguageSwitch />
            </div>
            <div className="flex items-center justify-between px-3 py-1 text-sm">
              <span aria-hidden="true">{t.shell.theme}</span>
              <ThemeSwitch />
            </div>
            <Link
              to="/account/password"
              onClick={() => setOpen(false)}
              className="mt-1 flex min-h-9 items-center justify-between rounded-lg px-3 text-sm hover:bg-sunken"
            >
              {t.password.title}
              <Icon name="right" className="size-4.5 text-ink-soft" />
            </Link>
          </div>
          <Button
            kind="secondary"
            className="w-full"
            isBusy={signOut.isPending}
            onClick={() => signOut.mutate()}
          >
            {t.shell.signOut}
          </Button>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
