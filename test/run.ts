import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import * as z from 'zod';
import { type Counts, runInMachine } from './machine/run-in-machine.ts';

/** Runs every check and test, shows them as they run, and closes with `N passed, N failed`. */

interface Part {
  readonly name: string;
  readonly command: readonly string[];
  /** Whether vitest counts; otherwise the part counts as one test. */
  readonly counts: boolean;
  readonly root: boolean;
  /** Takes so long that it runs only when it is named: `npm test long`. */
  readonly long?: boolean;
}

const vitest = (folder: string, ...more: readonly string[]): readonly string[] => [
  ...['vitest', 'run', folder, ...more],
];

/** `verbose` where a test takes so long that one wants to see each end. */
const REPORTER = process.env['TEST_REPORTER'] ?? 'default';

/** Tests of rules whose machines have networks of their own: several at once, for they wait more than they work. */
const RULES = [
  'dataplane-frames',
  'dataplane-machine',
  'dataplane-traffic',
  'xtables-',
  'other-translations',
].map((name) => `test/kernel/${name}`);

const PARTS: readonly Part[] = [
  { name: 'types', command: ['tsc'], counts: false, root: false },
  { name: 'style', command: ['biome', 'check', '--error-on-warnings'], counts: false, root: false },
  { name: 'imports go downwards', command: ['tsx', 'scripts/imports.ts'], counts: false, root: false },
  { name: 'nothing unused', command: ['knip'], counts: false, root: false },
  // They wait more than they work.
  { name: 'unit', command: vitest('test/unit', '--maxWorkers=4'), counts: true, root: false },
  // Network settings of its own: what a test does to tables and links stays in there.
  {
    name: 'kernel',
    command: [
      ...['unshare', '--net', '--', ...vitest('test/kernel', '--no-file-parallelism')],
      ...RULES.map((start) => `--exclude=${start}*`),
    ],
    counts: true,
    root: true,
  },
  {
    name: 'crossing',
    command: ['unshare', '--net', '--', ...vitest('test/crossing', ...RULES, '--maxWorkers=3')],
    counts: true,
    root: true,
  },
  {
    name: 'lab',
    command: vitest('test/lab', '--exclude=test/lab/long/**', '--no-file-parallelism'),
    counts: true,
    root: true,
  },
  {
    name: 'long',
    command: vitest('test/lab/long', '--no-file-parallelism'),
    counts: true,
    root: true,
    long: true,
  },
  // Needs modules that a kernel of a machine may lack: they run in one with Debian's (npm test machine).
  {
    name: 'legs',
    command: ['unshare', '--net', '--', ...vitest('test/machine', '--no-file-parallelism')],
    counts: true,
    root: true,
    long: true,
  },
  // A test of the lab plays it too.
  { name: 'demo', command: ['tsx', 'test/lab/demo.ts'], counts: false, root: true, long: true },
];

const results = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  success: z.boolean(),
});

const main = async (): Promise<void> => {
  const words = process.argv.slice(2);
  const { passed, failed } =
    words[0] === 'machine' ? await runInMachine(words.slice(1)) : await playParts(partsOf(words));
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
};

/** A word names a part, or files of tests that each get network settings of their own. */
const partsOf = (words: readonly string[]): readonly Part[] => {
  const named = PARTS.filter(({ name, long }) => (words.length === 0 ? !long : words.includes(name)));
  const files = words.filter((word) => word.startsWith('test/'));
  return [
    ...named,
    ...files.map((file) => ({
      name: basename(file),
      command: ['unshare', '--net', '--', ...vitest(file, '--no-file-parallelism')],
      counts: true,
      root: true,
    })),
  ];
};

const playParts = async (parts: readonly Part[]): Promise<Counts> => {
  const root = process.getuid?.() === 0;
  await showVersions();
  const scratch = await mkdtemp(join(tmpdir(), 'conntrack-ha-test-'));
  let passed = 0;
  let failed = 0;
  for (const part of parts) {
    if (part.root && !root) {
      console.log(`\n== ${part.name}: left out, for it needs root (sudo npm test)`);
      continue;
    }
    console.log(`\n== ${part.name}`);
    const began = performance.now();
    const outcome = await play(part, join(scratch, `${part.name}.json`));
    passed += outcome.passed;
    failed += outcome.failed;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`== ${part.name}: ${outcome.passed} passed, ${outcome.failed} failed in ${seconds} s`);
  }
  await rm(scratch, { recursive: true });
  return { passed, failed };
};

const play = async (part: Part, file: string): Promise<Counts> => {
  const [program = '', ...args] = part.command;
  const more = part.counts ? [`--reporter=${REPORTER}`, '--reporter=json', `--outputFile.json=${file}`] : [];
  const { exitCode } = await execa(program, [...args, ...more], {
    stdio: 'inherit',
    reject: false,
    preferLocal: true,
  });
  if (!part.counts) {
    return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  }
  const text = await readFile(file, 'utf8').catch(() => '{}');
  const parsed = results.safeParse(JSON.parse(text));
  if (!parsed.success) {
    return { passed: 0, failed: 1 };
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, success } = parsed.data;
  // A skipped test has shown nothing. A file that could not be loaded fails without a test of its own.
  const failed = numFailedTests + numPendingTests + numTodoTests;
  return { passed: numPassedTests, failed: failed === 0 && !success ? 1 : failed };
};

const showVersions = async (): Promise<void> => {
  console.log(`kernel ${release()}, node ${process.version}`);
  const commands = [
    ['nft', '--version'],
    ['conntrackd', '-v'],
    ['keepalived', '--version'],
    ['conntrack', '--version'],
  ];
  for (const [program = '', ...args] of commands) {
    const { stdout, stderr } = await execa(program, args, { reject: false });
    console.log(`${program}: ${`${stdout}\n${stderr}`.trim().split('\n')[0] || 'not installed'}`);
  }
};

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
