import { CURRENCY, fromAmount, toAmount, type Cents } from '@/shared/money';

export type Language = 'es' | 'en';

const LOCALES: Record<Language, string> = { es: 'es-ES', en: 'en-GB' };

export interface Formats {
  readonly money: (amount: number) => string;
  readonly cents: (cents: Cents) => string;
  readonly number: (value: number) => string;
  readonly dateTime: (timestamp: string) => string;
  readonly time: (timestamp: string) => string;
  readonly duration: (seconds: number) => string;
}

/** Makes the formats of a language, for times in the browser's time zone. */
export function formatsOf(language: Language): Formats {
  const locale = LOCALES[language];
  const money = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: CURRENCY,
    useGrouping: 'always',
  });
  const number = new Intl.NumberFormat(locale, { useGrouping: 'always' });
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const time = new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 2,
  });
  const unit = (name: 'second' | 'minute' | 'hour' | 'day') =>
    new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'short' });
  const units = {
    second: unit('second'),
    minute: unit('minute'),
    hour: unit('hour'),
    day: unit('day'),
  };
  return {
    money: (amount) => money.format(toAmount(fromAmount(amount))),
    cents: (cents) => money.format(toAmount(cents)),
    number: (value) => number.format(value),
    dateTime: (timestamp) => dateTime.format(new Date(timestamp)),
    time: (timestamp) => time.format(new Date(timestamp)),
    duration: (seconds) => {
      if (seconds < 60) return units.second.format(Math.round(seconds));
      if (seconds < 3600) return units.minute.format(Math.round(seconds / 60));
      if (seconds < 86_400) return units.hour.format(Math.round(seconds / 3600));
      return units.day.format(Math.round(seconds / 86_400));
    },
  };
}
