import { useI18n } from '@/shared/i18n';

import type { Notification } from './live';

/** The tone of an event's toast; its words are in the catalogues, under notifications.events. */
export const TONES: Record<Notification['payload']['evento'], 'ok' | 'danger'> = {
  ORDER_READY: 'ok',
  ORDER_BLOCKED: 'danger',
};

/** Returns the name of the order's customer, or words in its place. */
export function useCustomer(notification: Notification): string {
  const { t } = useI18n();
  return notification.cliente ?? t.notifications.unknownCustomer;
}
