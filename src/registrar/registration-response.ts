// The 200 OK of a REGISTER, RFC 3261 §10.3 step 8, RFC 3327 §5.3: every current binding, and Path as it was stored. Pure.

import type { Binding } from '../home/usrloc.ts';
import { fieldValues, unfold } from '../message/fields.ts';
import type { HeaderField, Request } from '../message/message.ts';
import { formatParameters } from '../message/parameters.ts';
import { createField } from '../message/response.ts';

/** A permanent contact is announced with the longest lifetime a phone is told. */
const PERMANENT_SECONDS = 4_294_967_295;

/** The fields of the answer: Contact of each binding with the seconds it has left, Path where the phone supports it. */
export function registrationFields(
  request: Request,
  bindings: readonly Binding[],
  nowMs: number,
): HeaderField[] {
  const fields = bindings.map((binding) => createField('Contact', formatContact(binding, nowMs)));
  for (const value of fieldValues(request, 'path')) fields.push(createField('Path', unfold(value)));
  return fields;
}

function formatContact(binding: Binding, nowMs: number): string {
  const left =
    binding.expiresAt === undefined
      ? PERMANENT_SECONDS
      : Math.max(0, Math.ceil((binding.expiresAt - nowMs) / 1000));
  return `<${binding.uri}>${formatParameters(binding.parameters)};expires=${left}`;
}
