import { useI18n, type Language } from '@/shared/i18n';
import { useStore } from '@/shared/store';
import { setTheme, themeStore, type Theme } from '@/shared/theme/theme';

const SELECT =
  'min-h-9 field-sizing-content rounded-lg bg-transparent px-2 text-sm text-ink-soft hover:bg-sunken hover:text-ink [&>option]:bg-surface [&>option]:text-ink';

export function LanguageSwitch({ className = '' }: { className?: string }) {
  const { t, language, setLanguage } = useI18n();
  return (
    <select
      aria-label={t.shell.language}
      value={language}
      onChange={(event) => setLanguage(event.target.value as Language)}
      className={`${SELECT} ${className}`}
    >
      <option value="es" lang="es">
        Español
      </option>
      <option value="en" lang="en">
        English
      </option>
    </select>
  );
}

export function ThemeSwitch({ className = '' }: { className?: string }) {
  const { t } = useI18n();
  const theme = useStore(themeStore);
  return (
    <select
      aria-label={t.shell.theme}
      value={theme}
      onChange={(event) => setTheme(event.target.value as Theme)}
      className={`${SELECT} ${className}`}
    >
      <option value="system">{t.shell.themeSystem}</option>
      <option value="light">{t.shell.themeLight}</option>
      <option value="dark">{t.shell.themeDark}</option>
    </select>
  );
}
