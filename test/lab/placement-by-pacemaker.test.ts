import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, onTestFinished } from 'vitest';
import { type Group, groupsOf } from '../../src/cluster/groups.ts';
import { renderCib } from '../../src/managers/pacemaker/cib.ts';
import { resourcesOf } from '../../src/managers/pacemaker/resource.ts';
import { promotionScore } from '../../src/managers/pacemaker/score.ts';

const nodesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    name: `fw${index + 1}`,
    id: index + 1,
    sync: `10.99.0.${index + 1}`,
    devices: {},
  }));

/** Every choice of at least one. */
const choices = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: 2 ** items.length - 1 }, (_, index) =>
    items.filter((_item, bit) => (index + 1) & (1 << bit)),
  );

it.each([2, 3, 4])(
  'of %i nodes, whichever live: Pacemaker promotes the node that comes first, as `where` says',
  { timeout: 120_000 },
  async (count) => {
    const nodes = nodesOf(count);
    const groups = groupsOf({ nodes, buckets: 64 });
    for (const alive of choices(nodes.map(({ name }) => name))) {
      const first = ({ order }: Group) => order.find((name) => alive.includes(name));
      expect(await promotedBy(cibOf(nodes, groups, alive)), alive.join(' ')).toEqual(
        Object.fromEntries(groups.map((group) => [group.name, first(group)])),
      );
    }
  },
);

it('a node without a score is not promoted, though it comes first', async () => {
  const nodes = nodesOf(2);
  const groups = groupsOf({ nodes, buckets: 64 });
  const cib = cibOf(nodes, groups, ['fw1', 'fw2'], ['fw1']);
  expect(await promotedBy(cib)).toEqual({ fw1_fw2: 'fw2', fw2_fw1: 'fw2' });
});

/** Who is promoted in the end, by resource. */
const promotedBy = async (cib: string): Promise<Record<string, string>> => {
  const directory = await mkdtemp(join(tmpdir(), 'conntrack-ha-simulate-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'cib.xml');
  await writeFile(file, cib);
  const { stdout } = await execa('crm_simulate', ['-x', file, '-S'], { env: { LC_ALL: 'C' } });
  const after = stdout.slice(stdout.indexOf('Revised Cluster Status'));
  return Object.fromEntries(
    [...after.matchAll(/\[(\S+)\] \(promotable\):\s+\* Promoted: \[ (\S+) \]/g)].map(
      ([, group = '', node = '']) => [group, node],
    ),
  );
};

/** A cluster in which every group is started on every node that lives, and promoted nowhere. */
const cibOf = (
  nodes: ReturnType<typeof nodesOf>,
  groups: readonly Group[],
  alive: readonly string[],
  notReady: readonly string[] = [],
): string => `<cib crm_feature_set="3.0.14" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0" have-quorum="1" dc-uuid="${nodes.find(({ name }) => alive.includes(name))?.id}">
<configuration><crm_config><cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
<nodes>${nodes.map(({ name, id }) => `<node id="${id}" uname="${name}"/>`).join('')}</nodes>
${renderCib(resourcesOf({ nodes }, groups, [])).join('\n')}
<constraints/></configuration>
<status>${nodes
  .filter(({ name }) => alive.includes(name))
  .map(({ name, id }) => stateOf(name, id, groups, !notReady.includes(name)))
  .join('\n')}</status></cib>
`;

const stateOf = (name: string, id: number, groups: readonly Group[], ready: boolean): string => {
  const scores = groups.flatMap((group) => {
    const score = promotionScore(group.order.indexOf(name), ready, false, false);
    return score === undefined
      ? []
      : [`<nvpair id="s${id}-${group.name}" name="master-${group.name}" value="${score}"/>`];
  });
  const started = groups.map(
    (group) =>
      `<lrm_resource id="${group.name}" type="group" class="ocf" provider="conntrack-ha"><lrm_rsc_op id="${group.name}_start_0" operation_key="${group.name}_start_0" operation="start" crm-debug-origin="x" crm_feature_set="3.0.14" transition-key="1:0:0:00000000-0000-0000-0000-000000000000" transition-magic="0:0;1:0:0:00000000-0000-0000-0000-000000000000" call-id="1" rc-code="0" op-status="0" interval="0"/></lrm_resource>`,
  );
  return `<node_state id="${id}" uname="${name}" in_ccm="true" crmd="online" join="member" expected="member">
<transient_attributes id="${id}"><instance_attributes id="a${id}">${scores.join('')}</instance_attributes></transient_attributes>
<lrm id="${id}"><lrm_resources>${started.join('')}</lrm_resources></lrm></node_state>`;
};
