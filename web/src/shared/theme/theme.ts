import { Store } from '@/shared/store';

export type Theme = 'system' | 'light' | 'dark';

const THEME_KEY = 'swapshop.theme';

function read(): Theme {
  const stored = localStorage.getItem(THEME_KEY);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

function apply(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export const themeStore = new Store<Theme>(read());
apply(themeStore.get());

/** Chooses a theme for this browser. */
export function setTheme(theme: Theme): void {
  if (theme === 'system') localStorage.removeItem(THEME_KEY);
  else localStorage.setItem(THEME_KEY, theme);
  apply(theme);
  themeStore.set(theme);
}
