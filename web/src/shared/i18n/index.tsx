import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react';

import type { Failure } from '@/api/failure';

import { en } from './en';
import { es, type Catalogue } from './es';
import { formatsOf, type Formats, type Language } from './format';

export type { Catalogue, Language };

export const CATALOGUES: Record<Language, Catalogue> = { es, en };
const LANGUAGE_KEY = 'swapshop.language';

/** Returns the language that was chosen in this browser; Spanish by default. */
export function storedLanguage(): Language {
  return localStorage.getItem(LANGUAGE_KEY) === 'en' ? 'en' : 'es';
}

interface I18n {
  readonly language: Language;
  readonly t: Catalogue;
  readonly format: Formats;
  readonly setLanguage: (language: Language) => void;
}

const I18nContext = createContext<I18n | null>(null);

export function I18nProvider({ children }: { children: ReactNode }) {
  const [language, choose] = useState(storedLanguage);
  const value = useMemo<I18n>(() => {
    return {
      language,
      t: CATALOGUES[language],
      format: formatsOf(language),
      setLanguage: (next) => {
        localStorage.setItem(LANGUAGE_KEY, next);
        choose(next);
      },
    };
  }, [language]);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return <I18nContext value={value}>{children}</I18nContext>;
}

export function useI18n(): I18n {
  const value = use(I18nContext);
  if (value === null) throw new Error('useI18n needs an I18nProvider');
  return value;
}

/** Returns the message of a failure; an unknown code gets the general message. */
export function messageOf(t: Catalogue, failure: Pick<Failure, 'code'>): string {
  const messages: Readonly<Record<string, string | undefined>> = t.problems;
  return messages[failure.code] ?? t.problems.unexpected;
}
