import { expect, test } from 'vitest';
import { expectEnd, NOTHING, statusOf } from './command-output.ts';
import { type Family, flowsIntoDmz, flowsToPublished, fragmentedFlows } from './dmz-flows.ts';
import { flowsOfBothHomes } from './flows.ts';
import { createLab } from './labs.ts';
import type { Lab } from './rig/lab.ts';
import { withStall } from './stalls.ts';
import { Story } from './story.ts';
import type { FlowSpec } from './traffic/flow.ts';

const FAMILIES: readonly Family[] = [4, 6];

/** One bulk transfer is enough for two processors. */
const isLight = ({ id, kind }: FlowSpec): boolean => kind !== 'bulk' || id === 'c1.fw1.bulk6';

/** So that no bucket comes to the end of its ports, which costs replicas states (docs/guarantees.md). */
const slowly = (spec: FlowSpec): FlowSpec => (spec.kind === 'connects' ? { ...spec, intervalMs: 100 } : spec);

/** No firewall finds anything odd, neither as it starts nor as it runs, and each knows whose an IPv6 address is. */
const expectNoComplaint = async (lab: Lab): Promise<void> => {
  for (const node of lab.nodes) {
    expect((await statusOf(node)).warnings).toEqual([]);
    expect(await node.daemon('agent').output()).not.toMatch(/warn|refused/i);
    await expectEnd(node, ['where', 'fd00:1::20'], 0, {
      stdout: /^fd00:1::20: bucket 26 of 64, group fw1_fw2, home fw1, owned by fw1$/,
      stderr: NOTHING,
    });
  }
};

test('both families, a DMZ that is published, SNAT, stealth: fw1 dies and returns, no flow is lost', async () => {
  const lab = await createLab({
    ip6: true,
    dmz: true,
    clients: 1,
    cluster: { snat: true, publish: 'translated', delivery: 'stealth', manager: 'keepalived' },
  });
  const { plan } = lab.client('c1');
  const flows = FAMILIES.flatMap((family) => [
    ...flowsOfBothHomes(plan, family),
    ...fragmentedFlows(plan, family),
    ...flowsIntoDmz(plan, family).filter(({ kind }) => kind === 'busy' || kind === 'udp'),
    ...flowsToPublished('translated', family),
  ]);
  const story = await Story.begin(lab, 'keepalived', flows.filter(isLight).map(slowly));
  await withStall(story, 'fw1 dies', () => story.powerCut('fw1'));
  await withStall(story, 'fw1 returns', () => story.comeBack('fw1'));
  await expectNoComplaint(lab);
  await story.expectAllWell();
});
