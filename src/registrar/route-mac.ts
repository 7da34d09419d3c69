// The MAC over what the server adds to a contact (DESIGN §2): sr-received, sr-path, sr-socket and sr-source count only
// under it, so that nobody aims the server at a third party by editing his own file. Pure.

import { type HmacKey, hmac } from '../digest/hash.ts';
import type { Binding } from '../home/usrloc.ts';

/** Signs the route of a user's contact; it fits this user and this URI alone. */
export function signRoute(key: HmacKey, user: string, binding: Omit<Binding, 'mac'>): string {
  const route = [
    user,
    binding.uri,
    binding.received ?? '',
    binding.path?.join(',') ?? '',
    binding.socket ?? '',
  ];
  // Lines of before there was sr-source keep their MAC.
  if (binding.source !== undefined) route.push(binding.source);
  return hmac(key, route.join('\n'), 'base64url').slice(0, 22);
}
