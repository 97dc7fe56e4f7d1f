import { test } from 'vitest';
import { establishedFlows, homeOf } from '../flows.ts';
import { createLab } from '../labs.ts';
import type { Lab } from '../rig/lab.ts';
import type { FirewallNode } from '../rig/node.ts';
import { until } from '../rig/wait.ts';
import { HOMES } from '../shares.ts';
import { Story } from '../story.ts';

/** `firewall: xtables`: the howto's rules, with conntrackd's external cache. */

test.each([
  { first: 'fw1', second: 'fw2', manager: 'keepalived', snat: true },
  { first: 'fw2', second: 'fw1', manager: 'none', snat: false },
] as const)(
  '$first dies and returns, then $second, manager $manager, snat $snat: no flow is lost',
  async ({ first, second, manager, snat }) => {
    const lab = await createLab({ cluster: { snat, manager, replicas: 'cache', firewall: 'xtables' } });
    const story = await Story.begin(lab, manager);
    for (const name of [first, second]) {
      await story.powerCut(name);
      await story.steady();
      await story.comeBack(name);
      await story.steady();
    }
    // Its conntrack sees the flows that a node has given back until their states are removed.
    await until(
      'each flow to stand in the right cache',
      () => misplaced(lab),
      20_000,
      (flows) => flows.length === 0,
    );
    await story.expectAllWell();
  },
);

/** Own flows among the peer's, and the peer's among a node's own, in conntrackd's caches. */
const misplaced = async (lab: Lab): Promise<readonly string[]> => {
  const lists = lab.nodes.flatMap((node) =>
    (['-i', '-e'] as const).map(async (cache) => {
      const text = await node.run(['conntrackd', '-C', '/etc/conntrackd/conntrackd.conf', cache]);
      const flows = [...text.matchAll(/^.*? src=(192\.168\.0\.\d+) .*$/gm)];
      const wrong = flows.filter(
        ([, from = '']) => (homeOf(from, 2, lab.buckets) === node.name) === (cache === '-e'),
      );
      const lines = flows.length === 0 ? ['nothing'] : wrong.map(([line]) => line);
      return lines.map((line) => `${node.name} ${cache}: ${line}`);
    }),
  );
  return (await Promise.all(lists)).flat();
};

test('rules that another program has removed are loaded again, with what the node owns', async () => {
  const lab = await createLab({
    cluster: { snat: true, manager: 'none', replicas: 'cache', firewall: 'xtables' },
  });
  const story = await Story.begin(lab, 'none', establishedFlows(lab));
  const fw1 = lab.node('fw1');
  for (const table of ['mangle', 'nat']) {
    const from = Date.now();
    await fw1.run(['iptables', '-t', table, '-F']);
    const ours = ['-j CONNTRACK-HA\n', '-j CONNTRACK-HA-SNAT\n'];
    await until(
      'our rules',
      () => fw1.run(['iptables-save']),
      5000,
      (rules) => ours.every((rule) => rules.includes(rule)),
    );
    await story.changes(HOMES, from);
    await story.steady();
  }
  await story.expectAllWell();
});

/** Whoever the hash of the server says filters what conntrack takes for a new flow from outside. */
const takeUnasked = async (node: FirewallNode): Promise<void> => {
  const rule = ['CONNTRACK-HA-OUTSIDE', '1', '-m', 'conntrack', '--ctstate', 'NEW'];
  await node.run(['iptables', '-t', 'mangle', '-I', ...rule, '-g', 'CONNTRACK-HA-OWNED']);
};

test('where new flows from outside are sorted as others are, datagrams come twice', async () => {
  const lab = await createLab({
    cluster: { snat: false, manager: 'none', replicas: 'cache', firewall: 'xtables' },
  });
  const flows = establishedFlows(lab).filter(({ kind }) => kind === 'udp');
  const story = await Story.begin(lab, 'none', flows);
  await Promise.all(lab.nodes.map(takeUnasked));
  const twice = () => story.traffic.snapshot().filter(({ twice: seen }) => seen.length > 0).length;
  // The server's bucket has one owner: the flows of the other come twice.
  await until('answers that come twice', twice, 10_000, (count) => count === 2);
});

test('where a node takes connections that it has no state of, it resets those of the other', async () => {
  const lab = await createLab({
    cluster: { snat: true, manager: 'none', replicas: 'cache', firewall: 'xtables' },
  });
  const flows = establishedFlows(lab).filter(({ kind }) => kind === 'busy');
  const story = await Story.begin(lab, 'none', flows);
  for (const node of lab.nodes) {
    await takeUnasked(node);
    await node.run(['sysctl', '-qw', 'net.netfilter.nf_conntrack_tcp_loose=1']);
  }
  const lost = () => story.traffic.snapshot().filter((flow) => flow.lost).length;
  await until('connections to be lost', lost, 15_000, (count) => count === 2);
});
