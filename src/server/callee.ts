// The callee of a request: his contacts and his config as they are on disk now (DESIGN §4.5, §4.7).

import { unavailable } from '../auth/authorize.ts';
import { type Rejection, reject } from '../auth/rejection.ts';
import { effectiveSettings, type ScreeningRule, type Settings, screeningRules } from '../home/config.ts';
import type { MatchContext } from '../home/config-match.ts';
import type { Answer } from '../store/store.ts';
import type { Inbound } from './forwarding.ts';
import type { Service } from './service.ts';
import type { User } from './users.ts';

/** What holds for one call to a user. */
export interface CallSettings {
  readonly settings: Settings;
  /** Block and Allow in the order of their lines. */
  readonly rules: readonly ScreeningRule[];
}

const NO_RULES: readonly ScreeningRule[] = [];

/** Loads an account that is called; `otherwise` is who is meant where there is none of that name. */
export async function loadCallee(
  service: Service,
  name: string,
  otherwise?: string,
): Promise<(User & { readonly type?: undefined }) | Rejection> {
  const claimed = service.users.claimed(name);
  const [account, config, contacts] = (await service.store.run(name, [
    { type: 'account', peerAddress: '' },
    { type: 'loadConfig', known: claimed.configVersion },
    { type: 'loadContacts', known: claimed.contactsVersion },
  ])) as [Answer, Answer, Answer];
  if (account.type === 'refused')
    return otherwise === undefined ? reject(404, `${name}: ${account.why}`) : loadCallee(service, otherwise);
  const failed = unavailable(account) ?? unavailable(config) ?? unavailable(contacts);
  if (failed !== undefined) return failed;
  const user = service.users.proved(claimed);
  service.users.admitted(user, account);
  service.users.configLoaded(user, config);
  service.users.contactsLoaded(user, contacts);
  service.keepalive.observe(user);
  return user;
}

/** What the callee's config says of this call, Match blocks considered. */
export async function callSettings(service: Service, user: User, inbound: Inbound): Promise<CallSettings> {
  const { config } = user;
  if (config.global.length === 0 && config.blocks.length === 0 && !service.hasBlocks)
    return service.everybody;
  const layers = [config, ...service.layers];
  const context = await matchContext(service, layers, inbound);
  return { settings: effectiveSettings(layers, context), rules: screeningRules(layers, context) };
}

/** The settings of users without a config of their own. */
export function settingsOfEverybody(keywords: Settings, layers: Service['layers']): CallSettings {
  const rules = screeningRules(layers);
  return { settings: keywords, rules: rules.length === 0 ? NO_RULES : rules };
}

async function matchContext(
  service: Service,
  layers: Service['layers'],
  { caller, request, exchange }: Inbound,
): Promise<MatchContext> {
  const asksGroups = layers.some(({ blocks }) =>
    blocks.some(
      (block) => block.type === 'match' && block.criteria?.some(({ type }) => type === 'group') === true,
    ),
  );
  return {
    from: caller.facts.uri,
    to: request.requestUri,
    method: request.method,
    address: exchange.flow.remoteAddress,
    now: service.now(),
    groups: asksGroups && caller.type === 'user' ? await groupsOf(service, caller.name) : undefined,
  };
}

/** The names of a user's UNIX groups; undefined where NSS does not say, so that no criterion about them is met. */
async function groupsOf(service: Service, name: string): Promise<readonly string[] | undefined> {
  const [answer] = await service.store.run(name, [{ type: 'groups' }]);
  return answer?.type === 'groups' ? answer.names : undefined;
}
