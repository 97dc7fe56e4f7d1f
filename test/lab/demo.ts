import { parseArgs } from 'node:util';
import { BREAKS, type Break } from './cluster.ts';
import { createDisplay } from './demo/display.ts';
import { playStory } from './demo/story.ts';
import { renderVerdict } from './demo/verdict-table.ts';
import { summarize } from './verdict/summary.ts';

/** The demo: exit status 0 only if no flow was lost, nothing came twice, and every transition finished. */
const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: { break: { type: 'string' }, logs: { type: 'boolean' } } });
  const broken = BREAKS.find((each) => each === values.break);
  if (values.break !== undefined && broken === undefined) {
    console.error(`demo: nothing is called "${values.break}"; --break takes ${BREAKS.join(', ')}`);
    process.exitCode = 2;
    return;
  }
  const { verdicts, transitions, logs } = await playStory(createDisplay(), broken);
  const total = summarize(verdicts, transitions);
  const unfinished = transitions.filter(({ finished }) => !finished);
  if (values.logs) {
    console.log(logs);
  }
  console.log(renderVerdict(verdicts, transitions).join('\n'));
  for (const { name } of unfinished) {
    console.log(`not finished: ${name}`);
  }
  const good = total.lost.length === 0 && total.twiceSteady === 0 && unfinished.length === 0;
  console.log(good ? 'verdict: nothing lost, nothing twice' : `verdict: failed${because(broken)}`);
  process.exitCode = good ? 0 : 1;
};

const because = (broken: Break | undefined): string =>
  broken === undefined ? '' : `, as it must without its mechanism "${broken}"`;

await main();
