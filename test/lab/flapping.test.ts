import { expect, test } from 'vitest';
import { createLab } from './labs.ts';
import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { HOMES, untilShares, watchOwned } from './shares.ts';
import { Story } from './story.ts';

const SWITCH = '/run/flap';

/** Half a period of the switch, in seconds: up for longer than an election takes, down for long enough to be seen. */
const DOWN = 0.035;
const UP = 0.055;

/** keepalived at its fastest, with a file that puts fw1_fw2 into FAULT while it holds anything but 0. */
const makeNervous = async (lab: Lab): Promise<void> => {
  for (const node of lab.nodes) {
    const rendered = await node.product(['render', 'keepalived']);
    const text = rendered
      .replaceAll(/advert_int .*/g, 'advert_int 0.01')
      .replace(
        /^vrrp_instance fw1_fw2 /m,
        `track_file flap {\n  file "${SWITCH}"\n  weight 0\n  init_file 0 overwrite\n}\n\n$&`,
      )
      .replace(/(?<=^ {2}track_file \{\n)(?= {4}ready_fw1_fw2\n)/m, '    flap\n');
    await node.daemon('keepalived').kill();
    await node.startKeepalived(text);
  }
};

/** Toggles the file for so many seconds; at last it is down. */
const flap = async (node: FirewallNode, seconds: number): Promise<void> => {
  const program = `end=$(($(date +%s) + ${seconds}))
    while [ "$(date +%s)" -lt $end ]; do echo 1 > ${SWITCH}; sleep ${DOWN}; echo 0 > ${SWITCH}; sleep ${UP}; done
    echo 1 > ${SWITCH}`;
  await node.run(['sh', '-c', program], { boundMs: (seconds + 10) * 1000 });
};

const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0;

/** How often one bucket of fw1_fw2 was opened. */
const takeovers = (changes: readonly string[]): number =>
  changes.filter((change) => change === '+none').length;

const beginNervously = async (more: readonly string[]): Promise<Story> => {
  const lab = await createLab({ cluster: { snat: true, manager: 'keepalived', more } });
  const story = await Story.begin(lab, 'keepalived');
  await makeNervous(lab);
  await until('both to be MASTER again', () => untilShares(lab, HOMES), 15_000);
  await Promise.all(lab.nodes.map(({ name }) => story.synced(name)));
  return story;
};

/** Packets that a firewall let through while another one did so too; TCP would hide them. */
const twice = (story: Story): number =>
  story.traffic
    .snapshot()
    .filter(({ kind }) => kind === 'udp' || kind === 'ping')
    .flatMap((flow) => flow.twice)
    .reduce((sum, each) => sum + each.count, 0);

interface Flapped {
  /** How often the manager of fw1 has said MASTER. */
  readonly words: number;
  readonly takeovers: readonly number[];
  readonly lines: readonly number[];
}

const flapped = async (story: Story, seconds: number): Promise<Flapped> => {
  const { lab } = story;
  const fw1 = lab.node('fw1');
  const said = async (): Promise<number> =>
    count(await fw1.daemon('keepalived').output(), /\(fw1_fw2\) Entering MASTER STATE/g);
  const logged = () => Promise.all(lab.nodes.map((node) => node.daemon('agent').output()));
  const watches = await Promise.all(lab.nodes.map(watchOwned));
  const [words, before, cameTwice, from] = [await said(), await logged(), twice(story), Date.now()];
  await flap(fw1, seconds);
  // The last word was FAULT.
  await untilShares(lab, { fw1: 'none', fw2: 'all' });
  const after = await logged();
  const result = {
    words: (await said()) - words,
    takeovers: (await Promise.all(watches.map((changes) => changes()))).map(takeovers),
    lines: after.map((text, index) => count(text.slice(before[index]?.length), /\n/g)),
  };
  expect(twice(story) - cameTwice).toBe(0);
  story.note({ from, to: Date.now() });
  return result;
};

const recover = async (story: Story): Promise<void> => {
  await story.steady();
  await story.lab.node('fw1').run(['sh', '-c', `echo 0 > ${SWITCH}`]);
  await story.homeAgain();
  await story.steady();
};

test('a manager that changes its mind ten times a second', { timeout: 110_000 }, async () => {
  const story = await beginNervously([]);
  const { words, lines } = await flapped(story, 60);
  expect(words).toBeGreaterThan(300);
  for (const each of lines) {
    expect(each).toBeLessThanOrEqual(40);
  }
  await recover(story);
  await story.expectAllWell();
});

test('timeouts.holddown bounds how often a group changes hands', async () => {
  const story = await beginNervously(['timeouts: { holddown: 2s }']);
  const { words, takeovers } = await flapped(story, 10);
  expect(words).toBeGreaterThan(50);
  for (const each of takeovers) {
    expect(each).toBeLessThanOrEqual(7);
  }
  await recover(story);
  await story.expectAllWell();
});
