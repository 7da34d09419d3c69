// Messages the tests of this folder share.

/** Lines joined and ended as on the wire, with the empty line behind them. */
export function wire(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** A phone's REGISTER; `lines` go before Content-Length. */
export function register(...lines: string[]): string {
  return wire([
    'REGISTER sip:example.org SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKnashds7;rport',
    'Max-Forwards: 70',
    'From: "Jan" <sip:jan@example.org>;tag=456248',
    'To: <sip:jan@example.org>',
    'Call-ID: 843817637684230@998sdasdh09',
    'CSeq: 1826 REGISTER',
    ...lines,
    'Content-Length: 0',
  ]);
}
