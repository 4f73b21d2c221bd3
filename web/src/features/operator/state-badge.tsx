import { useI18n } from '@/shared/i18n';
import { Badge } from '@/shared/ui/surfaces';

import type { DeliveryState } from './queries';

const TONES = { READY: 'neutral', LEASED: 'accent', DONE: 'ok', DEAD: 'danger' } as const;

export function StateBadge({ state }: { state: DeliveryState }) {
  const { t } = useI18n();
  return <Badge tone={TONES[state]}>{t.operator.state[state]}</Badge>;
}
