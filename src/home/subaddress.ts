// jan+tag is jan, as in mail (RFC 5233 §1): the tag tells callers apart and changes nobody's account. Pure.

/** The user of a user part, and what stands behind his `+`; no tag where there is no `+`. */
export interface Subaddress {
  readonly user: string;
  readonly tag?: string;
}

/** Splits at the first `+` that has something before it: a number as `+49…` is whole. */
export function splitSubaddress(userPart: string): Subaddress {
  const plus = userPart.indexOf('+');
  return plus < 1 ? { user: userPart } : { user: userPart.slice(0, plus), tag: userPart.slice(plus + 1) };
}
