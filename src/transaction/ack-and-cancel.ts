// The requests a client transaction makes by itself: ACK for a failure (RFC 3261 §17.1.1.3) and CANCEL (§9.1). Pure.

import { elementEnd, unfold } from '../message/fields.ts';
import type { HeaderField, Request, Response } from '../message/message.ts';
import { createField } from '../message/response.ts';

/** Makes the ACK for a final response of 300 to 699. */
export function createAck(invite: Request, response: Response): Request {
  const to = response.fields.find((field) => field.id === 'to');
  return derive(invite, 'ACK', to);
}

/** Makes the CANCEL of a request. `fields`, such as Reason, come behind those copied. */
export function createCancel(request: Request, fields: readonly HeaderField[]): Request {
  const cancel = derive(request, 'CANCEL', undefined);
  cancel.fields.push(...fields);
  return cancel;
}

/** Only the topmost Via, and Route as it stands, so that it takes the same way. */
function derive(request: Request, method: string, to: HeaderField | undefined): Request {
  const fields: HeaderField[] = [];
  let hasVia = false;
  for (const field of request.fields) {
    switch (field.id) {
      case 'via':
        if (!hasVia) fields.push(topVia(field), createField('Max-Forwards', '70'));
        hasVia = true;
        break;
      case 'to':
        fields.push(to ?? field);
        break;
      case 'from':
      case 'call-id':
      case 'route':
        fields.push(field);
        break;
      case 'cseq':
        fields.push(createField('CSeq', `${Number.parseInt(field.value, 10)} ${method}`));
        break;
    }
  }
  return { type: 'request', method, requestUri: request.requestUri, fields, body: '' };
}

function topVia(field: HeaderField): HeaderField {
  const text = unfold(field.value);
  return createField(field.name, text.slice(0, elementEnd(text, 0)).trimEnd());
}
