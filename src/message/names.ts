// The names of header fields and their compact forms (RFC 3261 §7.3.3, §20, and the IANA registry). Pure.

const LONG_NAMES: Readonly<Record<string, string>> = {
  accept: 'Accept',
  'accept-contact': 'Accept-Contact',
  'accept-encoding': 'Accept-Encoding',
  'accept-language': 'Accept-Language',
  'alert-info': 'Alert-Info',
  allow: 'Allow',
  'allow-events': 'Allow-Events',
  'authentication-info': 'Authentication-Info',
  authorization: 'Authorization',
  'call-id': 'Call-ID',
  'call-info': 'Call-Info',
  contact: 'Contact',
  'content-disposition': 'Content-Disposition',
  'content-encoding': 'Content-Encoding',
  'content-language': 'Content-Language',
  'content-length': 'Content-Length',
  'content-type': 'Content-Type',
  cseq: 'CSeq',
  date: 'Date',
  'error-info': 'Error-Info',
  event: 'Event',
  expires: 'Expires',
  'flow-timer': 'Flow-Timer',
  from: 'From',
  identity: 'Identity',
  'identity-info': 'Identity-Info',
  'in-reply-to': 'In-Reply-To',
  'max-forwards': 'Max-Forwards',
  'mime-version': 'MIME-Version',
  'min-expires': 'Min-Expires',
  'min-se': 'Min-SE',
  organization: 'Organization',
  'p-asserted-identity': 'P-Asserted-Identity',
  'p-preferred-identity': 'P-Preferred-Identity',
  path: 'Path',
  priority: 'Priority',
  privacy: 'Privacy',
  'proxy-authenticate': 'Proxy-Authenticate',
  'proxy-authorization': 'Proxy-Authorization',
  'proxy-require': 'Proxy-Require',
  rack: 'RAck',
  reason: 'Reason',
  'record-route': 'Record-Route',
  'refer-to': 'Refer-To',
  'referred-by': 'Referred-By',
  'reject-contact': 'Reject-Contact',
  'reply-to': 'Reply-To',
  'request-disposition': 'Request-Disposition',
  require: 'Require',
  'retry-after': 'Retry-After',
  route: 'Route',
  rseq: 'RSeq',
  server: 'Server',
  'service-route': 'Service-Route',
  'session-expires': 'Session-Expires',
  'sip-etag': 'SIP-ETag',
  'sip-if-match': 'SIP-If-Match',
  subject: 'Subject',
  'subscription-state': 'Subscription-State',
  supported: 'Supported',
  timestamp: 'Timestamp',
  to: 'To',
  unsupported: 'Unsupported',
  'user-agent': 'User-Agent',
  via: 'Via',
  warning: 'Warning',
  'www-authenticate': 'WWW-Authenticate',
};

const COMPACT_FORMS: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

/** A spelling of a known header field's name. */
export interface KnownName {
  readonly id: string;
  readonly name: string;
}

/** Few enough that a name and its hash are looked up with one comparison: measured at half of a Map's price. */
const SLOTS = 1024;
const slots: (KnownName | undefined)[] = new Array(SLOTS).fill(undefined);
const spellings = new Map<string, KnownName>();

for (const [id, name] of Object.entries(LONG_NAMES)) {
  for (const spelling of [name, id, name.toUpperCase()]) addSpelling(spelling, id);
}
for (const [letter, id] of Object.entries(COMPACT_FORMS)) {
  for (const spelling of [letter, letter.toUpperCase()]) addSpelling(spelling, id);
}

/** Of two spellings in one slot the first is found there, the other in the map. */
function addSpelling(name: string, id: string): void {
  spellings.set(name, { id, name });
  slots[slotOf(name)] ??= { id, name };
}

function slotOf(name: string): number {
  const { length } = name;
  return (length * 7 + name.charCodeAt(0) * 31 + name.charCodeAt(length - 1)) & (SLOTS - 1);
}

/** A name in one of its usual spellings; undefined for any other, known or not. */
export function findName(name: string): KnownName | undefined {
  if (name === '') return undefined;
  const known = slots[slotOf(name)];
  return known !== undefined && known.name === name ? known : spellings.get(name);
}

/** The id of a header field's name: the long name in lower case. */
export function fieldId(name: string): string {
  const known = spellings.get(name);
  if (known !== undefined) return known.id;
  const lower = name.toLowerCase();
  return spellings.get(lower)?.id ?? lower;
}
