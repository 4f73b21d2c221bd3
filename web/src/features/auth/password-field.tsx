import { useState, type ComponentProps } from 'react';

import { useI18n } from '@/shared/i18n';
import { Field } from '@/shared/ui/field';
import { Icon } from '@/shared/ui/icons';

interface PasswordFieldProps extends Omit<ComponentProps<typeof Field>, 'type' | 'end' | 'label'> {
  /** "Password" unless there are several. */
  label?: string;
}

/** A password that can be shown, pasted and filled in (WCAG 3.3.8). */
export function PasswordField({ label: givenLabel, ...field }: PasswordFieldProps) {
  const { t } = useI18n();
  const [isShown, setShown] = useState(false);
  const label = givenLabel ?? t.auth.password;
  const inSentence = label.toLowerCase();
  return (
    <Field
      {...field}
      label={label}
      type={isShown ? 'text' : 'password'}
      spellCheck={false}
      autoCapitalize="none"
      end={
        <button
          type="button"
          aria-label={isShown ? t.auth.hidePassword(inSentence) : t.auth.showPassword(inSentence)}
          aria-pressed={isShown}
          onClick={() => setShown(!isShown)}
          className="grid size-9 place-items-center rounded-lg text-ink-soft hover:bg-sunken hover:text-ink"
        >
          <Icon name={isShown ? 'eyeOff' : 'eye'} />
        </button>
      }
    />
  );
}
