// The rtpengine that RtpEngine names, as long as a reload leaves it: what is under way there goes on.

import type { UdpAddress } from '../home/keyword-values.ts';
import { createNgClient, type NgClient } from '../media/ng-client.ts';
import { createRtpEngine, type RtpEngine } from '../media/rtpengine.ts';
import { formatHostPort } from '../transport/address.ts';
import type { Log } from './log.ts';

/** The one in use, which outlives a reload. */
export interface RtpEngines {
  /** Takes the rtpengine at an address into use and writes to the log whether it answers; undefined: none. */
  use(address: UdpAddress | undefined): RtpEngine | undefined;
  /** Fails what is under way. */
  close(): Promise<void>;
}

/** Makes the place of the one in use. */
export function createRtpEngines(log: Log): RtpEngines {
  let inUse: { readonly name: string; readonly client: NgClient; readonly engine: RtpEngine } | undefined;
  let faults = 0;

  function open({ address, port }: UdpAddress): RtpEngine {
    const name = formatHostPort(address, port);
    if (inUse?.name === name) return inUse.engine;
    leave();
    const onFault = (why: string) => {
      faults += 1;
      log('warning', 'rtpengine', { address: name, why });
    };
    const client = createNgClient({ address, port, onFault });
    inUse = { name, client, engine: createRtpEngine(client) };
    return inUse.engine;
  }

  async function ping(name: string, engine: RtpEngine): Promise<void> {
    const before = faults;
    const outcome = await engine.ping();
    if (outcome.type === 'done') log('info', 'rtpengine', { address: name, answers: 'yes' });
    else if (inUse?.engine === engine && faults === before)
      log('warning', 'rtpengine', { address: name, why: outcome.why });
  }

  function leave(): Promise<void> | undefined {
    const left = inUse;
    inUse = undefined;
    return left?.client.close();
  }

  return {
    use(address) {
      if (address === undefined) {
        void leave();
        return undefined;
      }
      const engine = open(address);
      void ping(formatHostPort(address.address, address.port), engine);
      return engine;
    },
    async close() {
      await leave();
    },
  };
}
