// dnsmasq 2.90 as the DNS server of a test: on loopback, its records on the command line, no other server behind it.

import { Background } from '../host/background.ts';
import { freePort } from '../host/free-port.ts';

export interface Dnsmasq {
  readonly port: number;
  /** How often a record was asked for since the start. */
  asked(type: string, name: string): number;
  stop(): Promise<unknown>;
}

/** Starts dnsmasq; `records` are its options, as `srv-host=_sip._udp.example.org,a.example.org,5060,10,5`. */
export async function startDnsmasq(records: readonly string[]): Promise<Dnsmasq> {
  const port = await freePort();
  const socket = [`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces'];
  const alone = ['--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--local=/example.org/'];
  const options = ['--no-daemon', '--log-queries', ...socket, ...alone, '--local-ttl=300'];
  const dnsmasq = new Background(['dnsmasq', ...options, ...records.map((record) => `--${record}`)], {
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  await dnsmasq.match(/started, version/);
  return {
    port,
    asked: (type, name) => dnsmasq.output.split(`query[${type}] ${name} from`).length - 1,
    stop: () => dnsmasq.stop(),
  };
}
