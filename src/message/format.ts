// From a message to octets (RFC 3261 §7): the identity on what was parsed, but for a wrong Content-Length. Pure.

import type { HeaderField, Message } from './message.ts';

/** Formats a message. Content-Length is made true, and added where it is missing (RFC 3261 §20.14). */
export function formatMessage(message: Message): string {
  let text =
    message.type === 'request'
      ? `${message.method} ${message.requestUri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reason}\r\n`;
  const { body, fields } = message;
  let hasLength = false;
  for (const field of fields) {
    if (field.id !== 'content-length') text += formatField(field, field.value);
    else if (!hasLength) {
      text += formatField(field, Number(field.value) === body.length ? field.value : String(body.length));
      hasLength = true;
    }
  }
  return hasLength ? `${text}\r\n${body}` : `${text}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function formatField(field: HeaderField, value: string): string {
  return field.between === undefined && field.after === undefined
    ? `${field.name}: ${value}\r\n`
    : `${field.name}${field.between ?? ': '}${value}${field.after ?? ''}\r\n`;
}
