import { expect, test } from 'vitest';
import { bringUp } from './cluster.ts';
import { addressAt, flowsOfBothHomes } from './flows.ts';
import { createLab } from './labs.ts';
import type { FirewallNode } from './rig/node.ts';
import { planClient, SERVER, SHARED } from './rig/plan.ts';
import { until } from './rig/wait.ts';
import { Story } from './story.ts';
import { PORTS } from './traffic/flow.ts';

const STALE = 1000;
const FROM = addressAt(planClient(1), 'fw1');

interface Entry {
  readonly id: string;
  readonly src: string;
  readonly sport: number;
  /** The port that the translation chose. */
  readonly port: number;
}

/** The translated TCP entries of a node's kernel. */
const entriesOf = async (node: FirewallNode): Promise<Entry[]> => {
  const text = await node.run(['conntrack', '-L', '-p', 'tcp', '-o', 'id']);
  return text.split('\n').flatMap((line) => {
    const [, src, sport, port, id] =
      /src=(\S+) .*?sport=(\d+) .*?src=.*?dport=(\d+) .*\bid=(\d+)/.exec(line) ?? [];
    // What agents tell each other is tracked too.
    return src?.startsWith('192.168.') && id ? [{ id, src, sport: Number(sport), port: Number(port) }] : [];
  });
};

/** A command for `conntrack --load-file`. */
const stale = (src: string, sport: number, port: number): string =>
  [
    `-A -p tcp --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 3600`,
    `-s ${src} -d ${SERVER} --sport ${sport} --dport ${PORTS.echo}`,
    `-r ${SERVER} -q ${SHARED.outside} --reply-port-src ${PORTS.echo} --reply-port-dst ${port}`,
  ].join(' ');

test('a node that returns with stale states ends with just those of the owner', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const flows = lab.clients.flatMap(({ plan }) => flowsOfBothHomes(plan));
  const story = await Story.begin(
    lab,
    'none',
    flows.filter(({ kind }) => kind !== 'connects'),
  );
  await story.powerCut('fw1');
  const [back, owner] = [lab.node('fw1'), lab.node('fw2')];
  const live = await entriesOf(owner);
  const [clashing, changed] = live.filter(({ src }) => src === FROM);
  if (clashing === undefined || changed === undefined) {
    throw new Error(`expected two flows from ${FROM}, got ${JSON.stringify(live)}`);
  }

  await back.boot();
  // So that the entries' end is announced, as it is for those that a frozen node holds.
  await back.run(['sysctl', '-q', '-w', 'net.netfilter.nf_conntrack_events=1']);
  const commands = Array.from({ length: STALE - 2 }, (_, index) =>
    stale(`192.168.0.${100 + (index % 50)}`, 20_000 + index, 2000 + index),
  );
  // One has a live flow's answers, another its beginning.
  commands.push(stale('192.168.0.100', 19_999, clashing.port), stale(FROM, changed.sport, changed.port ^ 1));
  const file = '/etc/conntrack-ha/stale';
  await back.writeConfiguration(file, `${commands.join('\n')}\n`);
  await back.run(['conntrack', '-R', file]);
  expect(await entriesOf(back)).toHaveLength(STALE);

  await bringUp(back, 'none');
  const translations = (entries: readonly Entry[]): string[] =>
    entries.map(({ src, sport, port }) => `${src}:${sport} is ${port}`).sort();
  await until(
    "exactly the owner's flows",
    async () => translations(await entriesOf(back)).join('\n') === translations(live).join('\n'),
    15_000,
  );
  expect(await entriesOf(owner)).toEqual(live);
  await story.answered();
  await story.handBack('fw1');
  await story.steady();
  await story.expectAllWell();
});
