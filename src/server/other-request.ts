// What is neither a REGISTER nor for ourselves: authenticated as DESIGN §4.7 asks, then refused, as no proxy runs yet.

import { accountOf, authorize } from '../auth/authorize.ts';
import { reject } from '../auth/rejection.ts';
import { createField } from '../message/response.ts';
import { parseUri } from '../message/uri.ts';
import { type Exchange, refuse, refuseIn } from './exchange.ts';
import { identify } from './identify.ts';
import type { Service } from './service.ts';

/** The methods answered otherwise than by 405. */
export const ALLOW = createField('Allow', 'REGISTER, OPTIONS');

/** Refuses one request: 403 for a foreign From, 407 until its sender is known and owns it, then 405. */
export function serveOther(service: Service, exchange: Exchange): Promise<void> | undefined {
  const from = parseUri(exchange.head.from.uri);
  const isLocal = (from?.type === 'sip' || from?.type === 'sips') && service.domains.isLocal(from.host);
  if (!isLocal) return refuse(service, exchange, reject(403, `foreign From ${exchange.head.from.uri}`));
  const { method } = exchange.request;
  return identify(
    service,
    exchange,
    'proxy',
    () => [],
    ({ identity, transaction, account }) => {
      const refusal =
        authorize(identity.user, accountOf(from), account) ??
        reject(405, `${method}: this version registers phones only`, { fields: [ALLOW] });
      refuseIn(service, exchange, transaction, refusal);
    },
  );
}
