import { expect, test } from 'vitest';
import { portRange } from '../../../src/cluster/ranges.ts';
import { docker } from '../administrators/docker.ts';
import { firewalld } from '../administrators/firewalld.ts';
import type { RuleProduct } from '../administrators/product.ts';
import { shorewall } from '../administrators/shorewall.ts';
import { ufw } from '../administrators/ufw.ts';
import { bucketOf } from '../flows.ts';
import { createLab } from '../labs.ts';
import type { FirewallNode } from '../rig/node.ts';
import { HOMES, untilShares } from '../shares.ts';
import { Story } from '../story.ts';

const BUCKETS = 64;

/** The entries of flows through a node that are translated into ports that aren't their bucket's, or not at all. */
const strays = async (node: FirewallNode): Promise<readonly string[]> => {
  const flows = (await node.run(['conntrack', '-L']))
    .split('\n')
    .filter((line) => /^(tcp|udp) .* src=192\.168\.0\.\d+ dst=192\.168\.1\.2 /.test(line));
  expect(flows.length).toBeGreaterThan(10);
  return flows.filter((line) => {
    const source = /src=(192\.168\.0\.\d+)/.exec(line)?.[1] ?? '';
    const [, shared, port] =
      /dst=(192\.168\.[01]\.\d+) sport=\d+ dport=(\d+) (?:\[ASSURED\] )?(?:mark|use)/.exec(line) ?? [];
    const { first, last } = portRange(bucketOf(source), BUCKETS);
    return shared !== '192.168.1.5' || Number(port) < first || Number(port) > last;
  });
};

test.each([firewalld, ufw, shorewall, docker])(
  '$name started, reloaded and restarted, before and after ours: no flow is lost',
  { timeout: 180_000 },
  async (product) => {
    const lab = await createLab({ cluster: { snat: true, manager: 'keepalived' } });
    const story = await Story.begin(lab, 'keepalived');
    const begun = Date.now();
    for (const node of lab.nodes) {
      await product.prepare(node);
      for (const step of ['start', 'reload', 'restart'] as const) {
        const from = Date.now();
        await product[step](node);
        console.log(`${product.name} on ${node.name}: ${step} in ${Date.now() - from} ms`);
        await story.answered();
      }
    }
    story.note({ from: begun, to: Date.now() });
    expect(await strays(lab.node('fw1'))).toEqual([]);
    await untilShares(lab, HOMES);
    await story.steady();

    // Theirs first, then ours: as at boot.
    await story.powerCut('fw1');
    await before(lab.node('fw1'), product);
    await story.comeBack('fw1');
    await story.steady();
    await product.reload(lab.node('fw1'));
    await untilShares(lab, HOMES);
    await story.steady();
    expect(await strays(lab.node('fw1'))).toEqual([]);
    await story.expectAllWell();
  },
);

const before = async (node: FirewallNode, product: RuleProduct): Promise<void> => {
  await node.boot();
  await product.prepare(node);
  await product.start(node);
};
