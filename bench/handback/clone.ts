import { fileURLToPath } from 'node:url';
import { bringUp } from '../../test/lab/cluster.ts';
import { giveToCluster, plansOf, setStandby, untilAtRest, untilOnline } from '../../test/lab/pacemaker.ts';
import { Lab } from '../../test/lab/rig/lab.ts';
import { HOMES, untilShares } from '../../test/lab/shares.ts';
import { progress } from '../progress.ts';
import { type Handovers, measureHandovers } from './handovers.ts';

const AGENTS = fileURLToPath(new URL('../stock/ocf', import.meta.url));

/** Nobody but the clone changes a set: the agent has loaded it, and is killed. */
const MORE = ['timeouts: { lease: 0s }'];

/** One that stops and then starts: a globally-unique clone of one instance for each node's buckets. */
export const measureClone = async (repetitions: number): Promise<Handovers> => {
  const what = 'plain clone with pacemaker';
  progress(`${what}: two nodes start`);
  const lab = await Lab.create({
    nodes: 2,
    clients: 1,
    cluster: { snat: true, manager: 'none', more: MORE },
  });
  try {
    const home = lab.node('fw1');
    await Promise.all(lab.nodes.map((node) => bringUp(node, 'none')));
    await untilShares(lab, HOMES);
    await Promise.all(
      lab.nodes.map(async (node) => {
        await node.daemon('agent').kill('SIGKILL');
        await node.startClusterStack(plansOf(lab));
        await node.run(['ln', '-s', AGENTS, '/run/agents/bench']);
      }),
    );
    await untilOnline(home, ['fw1', 'fw2']);
    await giveToCluster(home, 'resources', RESOURCES);
    await giveToCluster(home, 'constraints', CONSTRAINTS);
    await untilAtRest(home);
    return await measureHandovers(lab, what, repetitions, {
      away: () => setStandby(home, 'fw1', true),
      back: () => setStandby(home, 'fw1', false),
      settle: () => untilAtRest(home),
    });
  } finally {
    await lab.close();
  }
};

const clone = (parity: number): string => `<clone id="buckets${parity}-clone">
<meta_attributes id="m${parity}">
<nvpair id="m${parity}-1" name="globally-unique" value="true"/>
<nvpair id="m${parity}-2" name="clone-max" value="1"/>
</meta_attributes>
<primitive id="buckets${parity}" class="ocf" provider="bench" type="buckets">
<instance_attributes id="i${parity}"><nvpair id="i${parity}-1" name="parity" value="${parity}"/></instance_attributes>
<operations><op id="o${parity}" name="monitor" interval="10s" timeout="20s"/></operations>
</primitive>
</clone>`;

const RESOURCES = `<resources>${clone(0)}${clone(1)}</resources>`;

const CONSTRAINTS = `<constraints>
<rsc_location id="home0" rsc="buckets0-clone" node="fw1" score="100"/>
<rsc_location id="home1" rsc="buckets1-clone" node="fw2" score="100"/>
</constraints>`;
