import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, execaSync } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { RENDERED } from '../../../src/commands/render.ts';
import { FORMS } from '../../../src/managers/pacemaker/render.ts';
import { globalOptions, ownOptions } from '../commands/own-options.ts';

const COMPLETIONS = fileURLToPath(new URL('../../../conf/completions', import.meta.url));
const CAPTURE = fileURLToPath(new URL('matches.zsh', import.meta.url));

/** In place of the program: a configuration is a list of names here. It complains of what it always does. */
const PROGRAM = `#!/bin/sh
echo noise >&2
case "$*" in
  names) set -- -c "$HOME/cluster.yaml" ;;
  '-c '*' names') ;;
  *) exit 1 ;;
esac
cat -- "$2"
`;

const home = mkdtempSync(join(tmpdir(), "conntrack-ha 'completions-"));
afterAll(() => rmSync(home, { recursive: true }));
mkdirSync(join(home, 'a b'));
writeFileSync(join(home, 'cluster.yaml'), 'fw1\nfw2\nfw1_fw2\nfw2_fw1\n');
writeFileSync(join(home, 'a b', 'other.yaml'), 'gw1\ngw2\ngw1_gw2\ngw2_gw1\n');
writeFileSync(join(home, 'conntrack-ha'), PROGRAM);
chmodSync(join(home, 'conntrack-ha'), 0o755);
const env = { HOME: home, PATH: `${home}:${process.env['PATH']}`, TERM: 'dumb' };

/** What each of the lines, with the cursor at its end, can go on with. */
type Matches = (lines: readonly string[]) => Promise<readonly (readonly string[])[]>;

/** As bash divides a line: = is a word of its own. */
const wordsOf = (line: string): readonly string[] => [
  ...(line.match(/(?:\\.|"[^"]*"|[^ =])+|=/g) ?? []),
  ...(line.endsWith(' ') ? [''] : []),
];

const BASH = `. "$0/conntrack-ha.bash"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_conntrack_ha "$1" "\${@: -1}" "\${@: -2:1}"
printf '%s ' "\${COMPREPLY[@]}"`;

const inBash: Matches = (lines) =>
  Promise.all(
    lines.map(async (line) => {
      const { stdout, stderr } = await execa('bash', ['-uc', BASH, COMPLETIONS, ...wordsOf(line)], {
        cwd: home,
        env,
      });
      expect(stderr).toBe('');
      return stdout.split(' ').filter((match) => match !== '');
    }),
  );

const inZsh: Matches = async (lines) => {
  const { stdout, stderr } = await execa('zsh', ['-f', CAPTURE, COMPLETIONS, ...lines], { cwd: home, env });
  expect(stderr).toBe('');
  return stdout.split('\n').map((line) => line.split(' ').filter((match) => match !== ''));
};

const SHELLS: readonly (readonly [string, Matches])[] = [
  ['bash', inBash],
  ['zsh', inZsh],
];
const installed = SHELLS.filter(
  ([shell]) => execaSync(shell, ['--version'], { reject: false }).code !== 'ENOENT',
);

test.runIf(process.getuid?.() === 0)('as root both shells are there', () => {
  expect(installed).toEqual(SHELLS);
});

/** The options before a command that may stand after it, too. */
const EVERYWHERE = globalOptions().filter((option) => option !== '-V' && option !== '--version');

/** What a line can go on with, in whatever order. */
type Expected = Readonly<Record<string, readonly string[]>>;

describe.each(installed)('%s', (_, matches) => {
  const check = async (expected: Expected): Promise<void> => {
    const lines = Object.keys(expected);
    const found = await matches(lines);
    const sorted = (words: readonly string[] = []): readonly string[] => [...new Set(words)].toSorted();
    expect(Object.fromEntries(lines.map((line, at) => [line, sorted(found[at])]))).toEqual(
      Object.fromEntries(lines.map((line) => [line, sorted(expected[line])])),
    );
  };

  test('knows the commands of the program and the options of each, and no others', async () => {
    const commands = [...ownOptions().keys(), 'help'];
    await check({
      'conntrack-ha ': commands,
      'conntrack-ha --node fw1 -c x ': commands,
      'conntrack-ha help ': commands,
      'conntrack-ha re': commands.filter((command) => command.startsWith('re')),
      'conntrack-ha -': globalOptions(),
      ...Object.fromEntries(
        [...ownOptions()].map(([command, own]) => [`conntrack-ha ${command} -`, [...own, ...EVERYWHERE]]),
      ),
    });
  });

  test('knows the words that an option or a command takes', async () => {
    await check({
      'conntrack-ha render ': RENDERED,
      'conntrack-ha render k': ['keepalived'],
      'conntrack-ha render --form ': FORMS,
      'conntrack-ha render pacemaker --form=': FORMS,
      'conntrack-ha render --form=pcs p': ['pacemaker'],
      'conntrack-ha events -n ': [],
      'conntrack-ha where ': [],
      'conntrack-ha stop ': [...EVERYWHERE, '--force'],
    });
  });

  test('asks the program for the names of nodes and groups', async () => {
    const all = ['fw1', 'fw2', 'fw1_fw2', 'fw2_fw1'];
    const others = ['gw1', 'gw2', 'gw1_gw2', 'gw2_gw1'];
    await check({
      'conntrack-ha takeover ': all,
      'conntrack-ha release --force fw2': ['fw2', 'fw2_fw1'],
      'conntrack-ha takeover fw1 ': [...EVERYWHERE, '--force', '--json'],
      'conntrack-ha status --node ': ['fw1', 'fw2'],
      'conntrack-ha --node=': ['fw1', 'fw2'],
      'conntrack-ha -c ~/a\\ b/other.yaml takeover ': others,
      'conntrack-ha takeover --config "a b/other.yaml" gw1': ['gw1', 'gw1_gw2'],
      'conntrack-ha --config="a b/other.yaml" --node ': ['gw1', 'gw2'],
      'conntrack-ha -c not-there takeover ': [],
    });
  });
});
