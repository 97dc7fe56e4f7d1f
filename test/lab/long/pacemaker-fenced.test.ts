import { test } from 'vitest';
import { createLab } from '../labs.ts';
import { cutClusterLinks, failuresOf, giveToCluster, setProperty, setStandby } from '../pacemaker.ts';
import { PowerSwitch } from '../rig/power-switch.ts';
import { until } from '../rig/wait.ts';
import { Story } from '../story.ts';

/** Each device switches one node. Of two nodes that fence each other, fw2 is to be the one that stays. */
const deviceOf = (
  name: string,
  delay: string,
): string => `<primitive id="power-${name}" class="stonith" type="fence_lab">
<instance_attributes id="power-${name}-i">
<nvpair id="power-${name}-1" name="pcmk_host_list" value="${name}"/>
<nvpair id="power-${name}-2" name="plug" value="${name}"/>
<nvpair id="power-${name}-3" name="pcmk_delay_base" value="${delay}"/>
</instance_attributes></primitive>`;

const DEVICES = `<resources>${deviceOf('fw1', '0s')}${deviceOf('fw2', '10s')}</resources>`;

const FENCED = { fw1: 'off', fw2: 'all' } as const;

test('with fencing: what can end in two owners ends with one node off and the other the owner', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'pacemaker' } });
  const power = await PowerSwitch.create(lab, 'fence_lab');
  const story = await Story.begin(lab, 'pacemaker');
  const [fw1, fw2] = [lab.node('fw1'), lab.node('fw2')];
  await Promise.all(lab.nodes.map((node) => power.install(node)));
  await giveToCluster(fw2, 'resources', DEVICES);
  await setProperty(fw2, 'stonith-action', 'off');
  await setProperty(fw2, 'stonith-enabled', 'true');

  // The cluster's links are cut; the nodes' own isn't.
  await cutClusterLinks(fw1);
  await power.obey('fw1', 30_000);
  await story.changes(FENCED);
  await story.steady();
  await story.comeBack('fw1');
  await power.install(fw1);
  await story.steady();

  // A stop fails: nobody knows what the node does.
  await fw1.run(['sh', '-c', 'rm -r /run/conntrack-ha/words && touch /run/conntrack-ha/words']);
  await setStandby(fw2, 'fw1', true);
  // Once the node is off, Pacemaker forgets what has failed on it.
  await until(
    'the reason',
    () => failuresOf(fw2),
    20_000,
    (failures) => failures.some((line) => /^fw1_fw2_\w+_0 on fw1: .*words: can't be written/.test(line)),
  );
  await power.obey('fw1', 30_000);
  await story.changes(FENCED);
  await story.steady();
  await setStandby(fw2, 'fw1', false);
  await story.comeBack('fw1');
  await story.steady();
  await story.expectAllWell();
}, 240_000);
