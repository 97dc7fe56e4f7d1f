import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { groupOfMac } from '../../src/dataplane/igmp.ts';
import { until } from '../lab/rig/wait.ts';
import { askKind, expectAnswers, hostPorts } from './rig/asking.ts';
import { crossingConfig, type Delivery, macOf } from './rig/config.ts';
import { addressOf, Crossing, SERVER, SHARED, sourcesOf } from './rig/crossing.ts';
import { removeRules } from './rig/removed-rules.ts';
import { forwardOnlyTo, joined, routerPort, snoop } from './rig/snooping.ts';

let crossing: Crossing;
beforeAll(async () => {
  crossing = await Crossing.build();
}, 60_000);
afterAll(() => crossing?.remove());

const DELIVERIES: readonly Delivery[] = ['multicast', 'igmp', 'stealth'];
const FAMILIES = ['ip', 'ip6'] as const;
const PORTS = ['fw1', 'fw2'] as const;

let loaded: ReturnType<typeof crossingConfig> | undefined;
const load = async (delivery: Delivery) => {
  if (loaded !== undefined) await crossing.unload(loaded);
  loaded = crossingConfig({ delivery, snat: true });
  await crossing.load(loaded);
};

afterEach(async () => {
  for (const side of ['lan', 'wan'] as const) {
    const wire = crossing.switches[side];
    await snoop(wire, 'off');
    for (const port of PORTS) await routerPort(wire, port, false);
    await wire.machine.run(['nft', 'flush', 'ruleset']);
    await crossing.hosts[side].run(['nft', 'flush', 'ruleset']);
    await crossing.hosts[side].ip(['neigh flush all']);
  }
  for (const node of PORTS) {
    for (const device of ['eth1', 'eth2']) await crossing.nodes[node].ip([`link set ${device} up`]);
  }
});

const askAll = async (): Promise<void> => {
  for (const family of FAMILIES) {
    const target = { address: addressOf('wan', family, SERVER), ...hostPorts };
    expectAnswers('udp', await askKind(crossing, 'udp', 'lan', target));
  }
};

/** Whether every address of the LAN gets an answer, once. */
const served = async (): Promise<boolean> => {
  const sources = sourcesOf('lan', 'ip');
  const replies = await crossing.ping('lan', addressOf('wan', 'ip', SERVER), sources);
  return sources.every((source) => replies[source]?.length === 3);
};

describe.each(DELIVERIES)('delivery %s', (delivery) => {
  beforeAll(() => load(delivery), 30_000);

  it('has neighbours learn the shared MAC, and nobody see it as the source of a frame', async () => {
    const watched = await watchNeighbours(delivery);
    await askAll();
    for (const side of ['lan', 'wan'] as const) {
      for (const family of FAMILIES) {
        const entry = ['ip', 'neigh', 'show', addressOf(side, family, SHARED)];
        expect(await crossing.hosts[side].run(entry)).toContain(macOf(side, delivery));
      }
      // Answers, or questions in the name of a translated flow.
      const { other, source } = await until(
        'what they say',
        () => watched(side),
        2000,
        ({ arps, nds }) => arps > 0 && nds > 0,
      );
      expect({ other, source }).toEqual({ other: 0, source: 0 });
    }
  });

  it('serves on a switch that snoops, while there is no querier', async () => {
    for (const side of ['lan', 'wan'] as const) await snoop(crossing.switches[side], 'on');
    await askAll();
  });

  it('serves again after the switch was off', async () => {
    await askAll();
    await Promise.all([crossing.switches.lan.restart(300), crossing.switches.wan.restart(300)]);
    await until('all to be served', served, 10_000);
    await askAll();
  });
});

it.each(['ip', 'ip6'] as const)(
  'were nothing rewritten on its way out, neighbours would learn a node’s own MAC, %s',
  async (family) => {
    await load('multicast');
    await removeRules(crossing, family === 'ip' ? 'arp saddr ether set' : 'nd-neighbor-advert');
    const watched = await watchNeighbours('multicast');
    const target = { address: addressOf('wan', family, SERVER), ...hostPorts };
    await askKind(crossing, 'udp', 'lan', target);
    await until('another MAC to be seen', async () => (await watched('lan')).other > 0, 2000);
  },
);

describe('a bridge that snoops and has a querier', () => {
  it.each(DELIVERIES)(
    "serves with %s: with group MACs only on ports that are as a router's",
    async (delivery) => {
      await load(delivery);
      for (const side of ['lan', 'wan'] as const) await snoop(crossing.switches[side], 'with a querier');
      if (delivery !== 'stealth') {
        await until('nobody to be served', async () => !(await served()), 10_000);
        for (const side of ['lan', 'wan'] as const) {
          for (const port of PORTS) await routerPort(crossing.switches[side], port, true);
        }
      }
      await until('all to be served', served, 10_000);
      await askAll();
    },
  );
});

describe("a switch that sends a group's frames to those that have joined", () => {
  const mac = macOf('lan', 'igmp');
  const group = groupOfMac(mac).replace('/32', '');

  it('serves with igmp, as long as its querier asks; with multicast nobody joins', async () => {
    const { lan } = crossing.switches;
    await load('igmp');
    await snoop(lan, 'with a querier');
    for (const port of PORTS) await routerPort(lan, port, true);
    await until(
      'both to join',
      () => joined(lan, group),
      5000,
      (ports) => ports.length === 2,
    );
    await forwardOnlyTo(lan, mac, await joined(lan, group));
    await askAll();
    // Longer than one is remembered who doesn't answer the querier.
    const since = performance.now();
    const stays = async () => performance.now() - since > 4500 || (await joined(lan, group)).length < 2;
    await until('the time to pass', stays, 6000);
    expect([...(await joined(lan, group))].sort()).toEqual([...PORTS]);
    await askAll();

    await load('multicast');
    await until(
      'both to be forgotten',
      () => joined(lan, group),
      8000,
      (ports) => ports.length === 0,
    );
    await forwardOnlyTo(lan, mac, await joined(lan, group));
    expect(await served()).toBe(false);
  });
});

describe("a neighbour that takes no multicast MAC for a host's (RFC 1812, 3.3.2)", () => {
  const refuse = async () => {
    const input = `
table netdev refuse {
  chain in {
    type filter hook ingress device "eth0" priority 0; policy accept;
    arp operation reply arp saddr ether & 01:00:00:00:00:00 == 01:00:00:00:00:00 drop
  }
}
`;
    for (const side of ['lan', 'wan'] as const) {
      await crossing.hosts[side].run(['nft', '-f', '-'], { input });
      await crossing.hosts[side].ip(['neigh flush all']);
    }
  };

  it('is served with stealth', async () => {
    await load('stealth');
    await refuse();
    expect(await served()).toBe(true);
  });

  it('needs a static entry with multicast', async () => {
    await load('multicast');
    await refuse();
    expect(await served()).toBe(false);
    for (const side of ['lan', 'wan'] as const) {
      const entry = `${addressOf(side, 'ip', SHARED)} lladdr ${macOf(side, 'multicast')}`;
      await crossing.hosts[side].ip([`neigh replace ${entry} dev eth0 nud permanent`]);
    }
    expect(await served()).toBe(true);
    for (const side of ['lan', 'wan'] as const) {
      await crossing.hosts[side].ip([`neigh del ${addressOf(side, 'ip', SHARED)} dev eth0`]);
    }
  });
});

/** Counts at the hosts what firewalls say of a shared address's MAC, and frames whose source it is. */
const watchNeighbours = async (delivery: Delivery) => {
  for (const side of ['lan', 'wan'] as const) {
    const mac = macOf(side, delivery);
    const number = `0x${mac.replaceAll(':', '')}`;
    const arp = `arp saddr ip ${addressOf(side, 'ip', SHARED)}`;
    const nd = `ip6 saddr ${addressOf(side, 'ip6', SHARED)} icmpv6 type { nd-neighbor-advert, nd-neighbor-solicit }`;
    const input = `
table netdev watch {
  counter arps { }
  counter nds { }
  counter other { }
  counter source { }
  chain in {
    type filter hook ingress device "eth0" priority 0; policy accept;
    ether saddr ${mac} counter name source
    ${arp} arp saddr ether ${mac} counter name arps
    ${arp} arp saddr ether != ${mac} counter name other
    ${nd} @th,208,48 ${number} counter name nds
    ${nd} @th,208,48 != ${number} counter name other
  }
}
`;
    await crossing.hosts[side].run(['nft', '-f', '-'], { input });
    await crossing.hosts[side].ip(['neigh flush all']);
  }
  return async (side: 'lan' | 'wan') => {
    const text = await crossing.hosts[side].run(['nft', 'list', 'counters', 'table', 'netdev', 'watch']);
    const count = (name: string): number =>
      Number(new RegExp(`counter ${name} \\{\\s+packets (\\d+)`).exec(text)?.[1]);
    return { arps: count('arps'), nds: count('nds'), other: count('other'), source: count('source') };
  };
};
