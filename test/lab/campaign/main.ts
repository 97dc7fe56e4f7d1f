import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { BREAKS, type Break } from '../cluster.ts';
import { Lab } from '../rig/lab.ts';
import { SERVER, SERVER6 } from '../rig/plan.ts';
import { TableLimit } from '../table-limit.ts';
import { TABLE_ENTRIES } from './act.ts';
import { Campaign, EPISODE } from './campaign.ts';
import { ROW_NAMES, Tally } from './tally.ts';

/** `npm run campaign`: random events from a seed, the promises checked after each. Exit status 0: none was broken. */

const USAGE =
  'usage: campaign --seed S --events N [--nodes 2|3|5] [--resume] [--episode K] [--break NAME] [--prefilter] (docs/guarantees.md)';

interface Options {
  readonly seed: number;
  readonly events: number;
  readonly nodes: number;
  readonly resume: boolean;
  readonly episode: number | undefined;
  readonly broken: Break | undefined;
  /** Whether the nodes have `prefilter: true`. */
  readonly prefilter: boolean;
}

const main = async (): Promise<void> => {
  const options = readOptions();
  if (typeof options === 'string') {
    console.error(`campaign: ${options}\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const progress = join(tmpdir(), `conntrack-ha-campaign-${options.nodes}-${options.seed}.json`);
  const before = options.resume ? await readProgress(progress) : { episodes: 0, rows: [] };
  const tally = new Tally(before.rows);
  const first = options.episode ?? before.episodes;
  const last = options.episode === undefined ? Math.ceil(options.events / EPISODE) : first + 1;
  console.log(
    `seed ${options.seed}, ${options.nodes} nodes, ${options.events} events, from event ${first * EPISODE}`,
  );
  const began = Date.now();
  const limit = new TableLimit(TABLE_ENTRIES);
  await using lab = await Lab.create({
    nodes: options.nodes,
    ip6: true,
    cluster: { snat: true, manager: 'keepalived', more: options.prefilter ? ['prefilter: true'] : [] },
  });
  let episode = first;
  try {
    const say = (text: string) => show(`${done(episode, options)} ${text}`);
    const campaign = await Campaign.begin(lab, options, tally, say);
    for (; episode < last; episode += 1) {
      const events =
        options.episode === undefined ? Math.min(EPISODE, options.events - episode * EPISODE) : EPISODE;
      await campaign.episode(episode, events);
      await writeFile(progress, JSON.stringify({ episodes: episode + 1, rows: [...tally.rows] }));
    }
    await campaign.end();
    await rm(progress, { force: true });
    show('');
    console.log(
      `${tally.text()}\n${tally.events} events in ${Math.round((Date.now() - began) / 1000)} s: nothing lost`,
    );
  } catch (error) {
    show('');
    console.log(await lab.logs(80));
    console.log(`${tally.text()}\n${error instanceof Error ? error.message : String(error)}`);
    // Last: a node that is frozen may not tell.
    console.log(await tablesOf(lab));
    const more = options.prefilter ? ' --prefilter' : '';
    const again = `--seed ${options.seed} --nodes ${options.nodes} --episode ${episode}${more}`;
    console.log(`FAILED in episode ${episode}; again: npm run campaign -- ${again}`);
    process.exitCode = 1;
  } finally {
    limit.restore();
  }
};

/** What each kernel and conntrackd has in the end. */
const tablesOf = async (lab: Lab): Promise<string> => {
  const commands = [
    ['conntrack', '-L', '-d', SERVER],
    ['conntrack', '-L', '-f', 'ipv6', '-d', SERVER6],
    ['conntrack', '-S'],
    ['conntrackd', '-s', '-C', '/etc/conntrackd/conntrackd.conf'],
  ];
  const texts = lab.nodes
    .filter(({ on }) => on)
    .flatMap((node) =>
      commands.map(async (command) => {
        const text = await node.run(command).catch(String);
        return `==> ${node.name}: ${command.join(' ')} <==\n${text.replaceAll(/^.*TIME_WAIT.*\n/gm, '')}`;
      }),
    );
  return (await Promise.all(texts)).join('\n');
};

const readOptions = (): Options | string => {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string' },
        events: { type: 'string' },
        nodes: { type: 'string', default: '2' },
        resume: { type: 'boolean', default: false },
        episode: { type: 'string' },
        break: { type: 'string' },
        prefilter: { type: 'boolean', default: false },
      },
    });
    const number = (name: 'seed' | 'events' | 'nodes' | 'episode', missing?: number): number => {
      const text = values[name] ?? missing?.toString();
      if (text === undefined || !/^\d{1,9}$/.test(text)) {
        throw new RangeError(`--${name} takes a whole number, not ${text ?? 'nothing'}`);
      }
      return Number(text);
    };
    const broken = BREAKS.find((each) => each === values.break);
    if (values.break !== undefined && broken === undefined) {
      return `nothing is called "${values.break}"; --break takes ${BREAKS.join(', ')}`;
    }
    const episode = values.episode === undefined ? undefined : number('episode');
    const nodes = number('nodes');
    if (nodes < 2 || nodes > 5) {
      return `--nodes takes 2 to 5, not ${nodes}`;
    }
    return {
      seed: number('seed'),
      events: number('events', episode === undefined ? undefined : EPISODE),
      nodes,
      resume: values.resume,
      episode,
      broken,
      prefilter: values.prefilter,
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const progressFile = z.object({
  episodes: z.number(),
  rows: z.array(
    z.tuple([
      z.enum(ROW_NAMES),
      z.object({
        events: z.number(),
        twice: z.number(),
        failed: z.number(),
        young: z.number(),
        worstStall: z.number(),
        worstSettling: z.number(),
      }),
    ]),
  ),
});

const readProgress = async (file: string): Promise<z.infer<typeof progressFile>> => {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    throw new Error(`there is nothing to resume: ${file} is not there`);
  }
  return progressFile.parse(JSON.parse(text));
};

const done = (episode: number, { events }: Options): string =>
  `${Math.min(100, Math.round((episode * EPISODE * 100) / events))} %`;

/** On a terminal one line that changes. */
const show = (text: string): void => {
  if (process.stdout.isTTY) {
    process.stdout.write(`\r\x1b[K${text}`);
  }
};

await main();
