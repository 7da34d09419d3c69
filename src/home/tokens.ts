// The tokens of configuration values: %u user, %h home, %U uid, %d domain, %% (DESIGN §2). Pure.

/** What the tokens stand for. */
export interface TokenValues {
  readonly user: string;
  readonly home: string;
  readonly uid: number;
  readonly domain: string;
}

/** Replaces the tokens of a value; undefined for a token that there is not. */
export function expandTokens(text: string, values: TokenValues): string | undefined {
  if (!hasKnownTokens(text)) return undefined;
  return text.replace(/%(.)/g, (_token, letter: string) => {
    if (letter === 'u') return values.user;
    if (letter === 'h') return values.home;
    if (letter === 'U') return String(values.uid);
    return letter === 'd' ? values.domain : '%';
  });
}

/** Says whether every `%` of a value begins a token that there is. */
export function hasKnownTokens(text: string): boolean {
  return !/%[^uhUd%]|%$/.test(text.replaceAll('%%', ''));
}
