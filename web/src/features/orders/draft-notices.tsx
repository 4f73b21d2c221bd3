import { Link } from '@tanstack/react-router';

import { Failure, SessionEnded } from '@/api/failure';
import { useI18n } from '@/shared/i18n';
import { Button, buttonClasses } from '@/shared/ui/button';
import { FailureNotice } from '@/shared/ui/page';
import { Notice } from '@/shared/ui/surfaces';

import type { Draft } from './draft';

interface DraftNoticesProps {
  draft: Draft;
  error: Error | null;
  isSending: boolean;
  onStartAnother: () => void;
}

/** Notices about a draft that has been sent: failures, doubts, an order that was already placed. */
export function DraftNotices({ draft, error, isSending, onStartAnother }: DraftNoticesProps) {
  const { t } = useI18n();
  if (isSending) return null;
  if (draft.placedOrderId !== null) {
    return (
      <Notice
        isUrgent
        tone="warn"
        title={t.newOrder.placedBefore}
        actions={
          <>
            <Link
              to="/orders/$orderId"
              params={{ orderId: draft.placedOrderId }}
              className={buttonClasses('primary', 'small')}
            >
              {t.newOrder.seeOrder}
            </Link>
            <Button kind="secondary" size="small" onClick={onStartAnother}>
              {t.newOrder.startAnother}
            </Button>
          </>
        }
      >
        {t.newOrder.placedBeforeBody}
      </Notice>
    );
  }
  const isShown = error !== null && !(error instanceof SessionEnded);
  if (!isShown && !draft.isInDoubt) return null;
  return (
    <div className="space-y-3">
      {isShown && <FailureNotice title={t.newOrder.failed} error={error} />}
      {draft.isInDoubt && !(error instanceof Failure && error.code === 'outcome_unknown') && (
        <Notice tone="warn">{t.newOrder.inDoubt}</Notice>
      )}
    </div>
  );
}
