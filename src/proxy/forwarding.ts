// RFC 3261 §16.6, steps 1 to 8: the copy of a request for one branch. What a proxy does not own leaves as it came, in its
// order. Pure.

import { parseAddress } from '../message/address.ts';
import { parseAuthParams } from '../message/auth-params.ts';
import { elementEnd, unfold } from '../message/fields.ts';
import type { HeaderField, Request } from '../message/message.ts';
import { createField } from '../message/response.ts';
import { parseUri } from '../message/uri.ts';
import { isLoose, withoutTopRoute } from './routing.ts';

/** What one branch changes. */
export interface ForwardPlan {
  /** Step 2. */
  readonly requestUri: string;
  /** Step 3, already one less. */
  readonly maxForwards: number;
  /** RFC 5393 §5.3.3; undefined: no such field is made. */
  readonly maxBreadth: number | undefined;
  /** Step 4, topmost first: `<sip:…;lr>`. */
  readonly recordRoutes: readonly string[];
  /** Step 6: put before the Route values there are, as the Path of a contact (RFC 3327 §5.3). */
  readonly routes: readonly string[];
  /** Step 8. */
  readonly via: string;
  /** Credentials for this realm end here (RFC 3261 §22.3). */
  readonly realm: string;
  /** RFC 3325 §5: undefined takes away what there is, `keep` leaves it, anything else is put in its place; wishes go too. */
  readonly assertedIdentity: 'keep' | { readonly value: string } | undefined;
  /** Fields behind all others, such as History-Info. */
  readonly added: readonly HeaderField[];
}

const DEFAULT_MAX_FORWARDS = 70;

/** The Max-Forwards of the copy: one less, 70 where there was none (step 3). */
export function nextMaxForwards(maxForwards: number | undefined): number {
  return maxForwards === undefined ? DEFAULT_MAX_FORWARDS : maxForwards - 1;
}

/** Makes the copy. */
export function createForwardedRequest(request: Request, plan: ForwardPlan): Request {
  const fields: HeaderField[] = [];
  let hasMaxForwards = false;
  let hasBreadth = plan.maxBreadth === undefined;
  let isRecorded = plan.recordRoutes.length === 0;
  let isRouted = plan.routes.length === 0;
  let hasVia = false;
  for (const field of request.fields) {
    switch (field.id) {
      case 'via':
        if (!hasVia) fields.push(createField('Via', plan.via));
        hasVia = true;
        fields.push(field);
        break;
      case 'max-forwards':
        hasMaxForwards = true;
        fields.push(createField(field.name, String(plan.maxForwards)));
        break;
      case 'max-breadth':
        if (!hasBreadth) fields.push(createField(field.name, String(plan.maxBreadth)));
        hasBreadth = true;
        break;
      case 'record-route':
        if (!isRecorded) addAll(fields, 'Record-Route', plan.recordRoutes);
        isRecorded = true;
        fields.push(field);
        break;
      case 'route':
        if (!isRouted) addAll(fields, 'Route', plan.routes);
        isRouted = true;
        fields.push(field);
        break;
      case 'authorization':
      case 'proxy-authorization':
        if (!isForRealm(field.value, plan.realm)) fields.push(field);
        break;
      case 'p-preferred-identity':
      case 'remote-party-id':
        // A wish is for the first proxy that is trusted (RFC 3325 §9.2), and the draft's field says as much as an assertion.
        if (plan.assertedIdentity === 'keep') fields.push(field);
        break;
      case 'p-asserted-identity':
        if (plan.assertedIdentity === 'keep') fields.push(field);
        break;
      default:
        fields.push(field);
    }
  }
  // Behind the Via fields, where a proxy's own belong (§7.3.1).
  const own: HeaderField[] = [];
  if (!isRecorded) addAll(own, 'Record-Route', plan.recordRoutes);
  if (!isRouted) addAll(own, 'Route', plan.routes);
  if (!hasMaxForwards) own.push(createField('Max-Forwards', String(plan.maxForwards)));
  if (!hasBreadth) own.push(createField('Max-Breadth', String(plan.maxBreadth)));
  if (plan.assertedIdentity !== undefined && plan.assertedIdentity !== 'keep')
    own.push(createField('P-Asserted-Identity', plan.assertedIdentity.value));
  if (own.length > 0) fields.splice(behindVias(fields), 0, ...own);
  for (const field of plan.added) fields.push(field);
  const { requestUri } = plan;
  return { type: 'request', method: request.method, requestUri, fields, body: request.body };
}

function addAll(fields: HeaderField[], name: string, values: readonly string[]): void {
  for (const value of values) fields.push(createField(name, value));
}

function behindVias(fields: readonly HeaderField[]): number {
  return fields.findLastIndex(({ id }) => id === 'via') + 1;
}

/** Credentials that cannot be read might be ours. */
function isForRealm(value: string, realm: string): boolean {
  const parsed = parseAuthParams(value);
  if (parsed === undefined) return true;
  return parsed.scheme === 'digest' && parsed.params.get('realm') === realm;
}

/**
 * Step 6: where the topmost Route names a strict router, it becomes the Request-URI, which goes to the end of Route
 * (RFC 3261 §16.12.1.1). Any other request is answered as it is.
 */
export function addressStrictRouter(request: Request): Request {
  const index = request.fields.findIndex(({ id }) => id === 'route');
  if (index < 0) return request;
  const first = parseAddress(firstElement((request.fields[index] as HeaderField).value));
  const uri = first === undefined ? undefined : parseUri(first.uri);
  if (first === undefined || uri?.type !== 'sip' || isLoose(uri)) return request;
  const rest = withoutTopRoute(request);
  const last = rest.fields.findLastIndex(({ id }) => id === 'route');
  const behind = last < 0 ? index : last + 1;
  rest.fields.splice(behind, 0, createField('Route', `<${request.requestUri}>`));
  rest.requestUri = first.uri;
  return rest;
}

function firstElement(value: string): string {
  const text = unfold(value);
  return text.slice(0, elementEnd(text, 0));
}
