import { describe, expect, it } from 'vitest';
import { addressWord, parseAddress } from '../../../src/cluster/address.ts';
import { hasSnat, replicatedFlows, replicatedProtocols } from '../../../src/cluster/replicated.ts';
import { clusterConfig } from '../../support/cluster-config.ts';
import { flow, UDP } from '../../support/flows.ts';

const config = clusterConfig();
const withoutSnat = clusterConfig({ interfaces: config.interfaces.map((one) => ({ ...one, snat: [] })) });
const OWN = '192.168.0.251';
const replicated = replicatedFlows(config, [addressWord(OWN)]);
const ICMP = 1;
const GRE = 47;
const SCTP = 132;

describe('replicatedFlows', () => {
  it('takes what passes through, translated to a shared address too', () => {
    expect(replicated(flow('192.168.0.20:4000', '192.168.1.2:80', '192.168.1.5:2000'))).toBe(true);
    expect(replicated(flow('192.168.0.20:4000', '192.168.1.2:53', undefined, UDP))).toBe(true);
    expect(replicated(flow('192.168.1.2:4000', '192.168.0.20:80'))).toBe(true);
  });

  it.each([
    ['an own address', flow(`${OWN}:4000`, '192.168.1.2:80')],
    ['to an own address', flow('192.168.0.20:4000', `${OWN}:22`)],
    ['a shared address', flow('192.168.1.5:4000', '192.168.1.2:80')],
    ['to a shared address', flow('192.168.0.20:4000', '192.168.0.5:53')],
    ['between the agents', flow('10.99.0.1:3781', '10.99.0.2:3781', undefined, UDP)],
    ['loopback', flow('127.0.0.1:4000', '127.0.0.1:80')],
    ['loopback, whole of it', flow('127.84.0.50:4000', '127.84.0.51:80')],
  ])('leaves out what is the firewall’s own: %s', (_, one) => {
    expect(replicated(one)).toBe(false);
  });

  it('leaves out ICMP only when its id is translated, GRE and SCTP in any case', () => {
    const ping = flow('192.168.0.20:7', '192.168.1.2:7', undefined, ICMP);
    const tunnel = flow('192.168.0.20', '192.168.1.2', undefined, GRE);
    expect(replicated(ping)).toBe(false);
    expect(replicatedFlows(withoutSnat, [])(ping)).toBe(true);
    expect(replicatedFlows(withoutSnat, [])(tunnel)).toBe(false);
    const association = flow('192.168.0.20:4000', '192.168.1.2:2905', undefined, SCTP);
    expect(replicatedFlows(withoutSnat, [])(association)).toBe(false);
  });
});

describe('replicatedFlows of IPv6', () => {
  const [inside, outside] = config.interfaces;
  if (inside === undefined || outside === undefined) {
    throw new Error('two interfaces expected');
  }
  const both = (snat: readonly string[]) =>
    clusterConfig({
      interfaces: [
        { ...inside, addresses: [...inside.addresses, { address: 'fd00:1::5', prefix: 64 }] },
        { ...outside, snat },
      ],
    });
  const dual = replicatedFlows(both(['192.168.1.5']), [parseAddress('fd00:1::251')]);
  const ICMPV6 = 58;

  it('takes what passes through, translated too', () => {
    expect(dual(flow('[fd00:1::20]:4000', '[2001:db8::1]:80', '[fd00:2::5]:2000'))).toBe(true);
    expect(dual(flow('[2001:db8::1]:4000', '[fd00:1::20]:80', undefined, UDP))).toBe(true);
    expect(dual(flow('192.168.0.20:4000', '192.168.1.2:80'))).toBe(true);
  });

  it.each([
    ['an own address', flow('[fd00:1::251]:4000', '[2001:db8::1]:80')],
    ['to an own address', flow('[2001:db8::1]:4000', '[fd00:1::251]:22')],
    ['a shared address', flow('[fd00:1::5]:4000', '[2001:db8::1]:80')],
    ['the loopback', flow('[::1]:4000', '[::1]:80')],
    ['link-local', flow('[fe80::1]:546', '[ff02::1:2]:547', undefined, UDP)],
    ['to link-local', flow('[fd00:1::20]:4000', '[fe80::1]:80')],
  ])('leaves out what is the firewall’s own or stays on its link: %s', (_, one) => {
    expect(dual(one)).toBe(false);
  });

  it('leaves out ICMPv6 only when its own family is translated', () => {
    const ping = flow('[fd00:1::20]:7', '[2001:db8::1]:7', undefined, ICMPV6);
    expect(dual(ping)).toBe(true);
    expect(replicatedFlows(both(['fd00:2::5']), [])(ping)).toBe(false);
    expect(replicatedProtocols(both(['fd00:2::5']))).toEqual(['tcp', 'udp', 'icmp']);
    expect(replicatedProtocols(both(['192.168.1.5']))).toEqual(['tcp', 'udp', 'icmpv6']);
    expect(([4, 6, undefined] as const).map((family) => hasSnat(both(['fd00:2::5']), family))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('is none in a cluster that has nothing of IPv6', () => {
    expect(replicated(flow('[fd00:1::20]:4000', '[2001:db8::1]:80'))).toBe(false);
  });
});
