// What no real rtpengine shows; the rest is in test/peers/rtpengine.test.ts.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeBencode } from '../../src/media/bencode.ts';
import { createNgClient, type NgClient } from '../../src/media/ng-client.ts';
import { createRtpEngine, type RtpEngine } from '../../src/media/rtpengine.ts';
import { NgServer } from './ng-server.ts';

let server: NgServer;
let client: NgClient;
let engine: RtpEngine;

beforeEach(async () => {
  server = await NgServer.open();
  client = createNgClient({ address: '127.0.0.1', port: server.port, onFault: () => {} });
  engine = createRtpEngine(client);
});

afterEach(async () => {
  await client.close();
  await server.close();
});

const offer = (callId: string, sdp = 'v=0\r\n', flags = {}) =>
  engine.offer({ callId, fromTag: 'f', sdp, flags });
const commandOf = async (index: number) => decodeBencode((await server.command(index)).command);

describe('commands', () => {
  test('of one call wait for each other, of others they do not', async () => {
    const outcomes = [offer('a'), engine.delete({ callId: 'a' }), offer('a'), offer('b')];
    expect(await commandOf(0)).toMatchObject({ command: 'offer', 'call-id': 'a' });
    expect(await commandOf(1)).toMatchObject({ command: 'offer', 'call-id': 'b' });
    (await server.command(0)).answer('d6:result2:ok3:sdp1:Ae');
    expect(await commandOf(2)).toMatchObject({ command: 'delete', 'call-id': 'a' });
    (await server.command(2)).answer('d6:result2:oke');
    expect(await commandOf(3)).toMatchObject({ command: 'offer', 'call-id': 'a' });
    (await server.command(3)).answer('d6:result2:ok3:sdp1:Ce');
    (await server.command(1)).answer('d6:result2:ok3:sdp1:Be');
    expect(await Promise.all(outcomes)).toEqual([
      { type: 'sdp', sdp: 'A' },
      { type: 'done' },
      { type: 'sdp', sdp: 'C' },
      { type: 'sdp', sdp: 'B' },
    ]);
  });

  test('of one call are eight at most, and can be given again when they are answered', async () => {
    const first = offer('a');
    const others = Array.from({ length: 7 }, () => engine.delete({ callId: 'a' }));
    expect(await offer('a')).toMatchObject({ type: 'failed' });
    (await server.command(0)).answer('d6:result2:ok3:sdp1:Ae');
    expect((await first).type).toBe('sdp');
    const last = offer('a');
    for (let index = 1; index < 8; index++) (await server.command(index)).answer('d6:result2:oke');
    expect(new Set((await Promise.all(others)).map(({ type }) => type))).toEqual(new Set(['done']));
    (await server.command(8)).answer('d6:result2:ok3:sdp1:Be');
    expect(await last).toEqual({ type: 'sdp', sdp: 'B' });
  });

  test.each([
    ['an error', 'd12:error-reason4:nope6:result5:errore', 'rtpengine: nope'],
    ['its load limit', 'd7:message4:full6:result10:load limite', 'rtpengine: full'],
    ['nothing of use', 'd6:result2:oke', 'rtpengine: no reason given'],
    ['SDP that is none', 'd6:result2:ok3:sdpi1ee', 'rtpengine: no reason given'],
  ])('fail with %s', async (_, answer, why) => {
    const outcome = offer('a');
    (await server.command(0)).answer(answer);
    expect(await outcome).toEqual({ type: 'failed', why });
  });
});

describe('flags', () => {
  const sdpOf = (connection: string, transport = 'RTP/AVP') =>
    `v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\n${connection}t=0 0\r\nm=audio 5004 ${transport} 0\r\n`;
  const flagsOf = async (sdp: string, flags = {}) => {
    void offer('a', sdp, flags);
    return (await commandOf(0)) as Record<string, unknown>;
  };

  test('the address in the SDP counts where nothing else is said', async () => {
    const command = await flagsOf(sdpOf('c=IN IP4 10.0.0.9\r\n'));
    expect(command.flags).toEqual(['trust-address', 'strict-source']);
    expect(command).toMatchObject({ ICE: 'remove', replace: ['origin', 'session-connection'] });
    expect('address-family' in command || 'received-from' in command).toBe(false);
  });

  test.each([
    ['192.0.2.9', 'IP4'],
    ['2001:db8::9', 'IP6'],
  ])('behind NAT media goes to the source, %s', async (receivedFrom, family) => {
    const command = await flagsOf(sdpOf('c=IN IP4 10.0.0.9\r\n'), { receivedFrom, family: 'IP6' });
    expect(command.flags).toEqual(['SIP-source-address', 'strict-source']);
    expect(command['received-from']).toEqual([family, receivedFrom]);
    expect(command['address-family']).toBe('IP6');
  });

  test('a stream on hold among others is not the hold of all', async () => {
    const sdp = `${sdpOf('c=IN IP4 10.0.0.9\r\n')}c=IN IP4 0.0.0.0\r\n`;
    expect((await flagsOf(sdp, { receivedFrom: '192.0.2.9' })).flags).toContain('SIP-source-address');
  });

  test('ICE is left to rtpengine where media is DTLS-SRTP', async () => {
    const command = await flagsOf(sdpOf('c=IN IP4 10.0.0.9\r\n', 'UDP/TLS/RTP/SAVPF'));
    expect('ICE' in command).toBe(false);
  });
});
