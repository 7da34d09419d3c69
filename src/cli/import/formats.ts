// Finds out which program wrote a file of passwords and reads it. Pure.

import { isAsterisk, parseAsterisk } from './asterisk.ts';
import type { Imported } from './entry.ts';
import { isFlexisip, parseFlexisip } from './flexisip.ts';
import { isHtdigest, parseHtdigest } from './htdigest.ts';
import { isKamailio, parseKamailio } from './kamailio.ts';

/** Tried in this order: the ones that can hardly be mistaken come first. */
const formats = [
  { recognises: isFlexisip, parse: parseFlexisip },
  { recognises: isAsterisk, parse: parseAsterisk },
  { recognises: isHtdigest, parse: parseHtdigest },
  { recognises: isKamailio, parse: parseKamailio },
];

/** Reads a file of htdigest, Kamailio, Flexisip or Asterisk; undefined if it is none of them. */
export function parseImport(content: string, path: string): Imported | undefined {
  return formats.find(({ recognises }) => recognises(content))?.parse(content, path);
}
