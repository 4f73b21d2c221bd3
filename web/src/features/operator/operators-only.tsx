import { Link } from '@tanstack/react-router';

import { useI18n } from '@/shared/i18n';
import { buttonClasses } from '@/shared/ui/button';
import { PageHeading } from '@/shared/ui/page';
import { Card, Empty } from '@/shared/ui/surfaces';

/** Shown to a customer who followed an operator's link; the server would refuse the data anyway. */
export function OperatorsOnly() {
  const { t } = useI18n();
  return (
    <>
      <PageHeading title={t.operator.title} />
      <Card>
        <Empty
          icon="warning"
          title={t.operator.forbiddenTitle}
          action={
            <Link to="/orders" className={buttonClasses()}>
              {t.shell.goToOrders}
            </Link>
          }
        >
          {t.problems.forbidden}
        </Empty>
      </Card>
    </>
  );
}
