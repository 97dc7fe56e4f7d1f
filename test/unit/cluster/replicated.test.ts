import { describe, expect, it } from 'vitest';
import { addressWord } from '../../../src/cluster/address.ts';
import { replicatedFlows } from '../../../src/cluster/replicated.ts';
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
