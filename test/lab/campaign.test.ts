import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('campaign/main.ts', import.meta.url));

const campaign = (...args: readonly string[]) =>
  execa('npx', ['tsx', MAIN, ...args], { reject: false, all: true });

describe('a short campaign', () => {
  test.each([
    ['two nodes', '21', '8', '2', []],
    ['three nodes with a prefilter', '22', '6', '3', ['--prefilter']],
  ])(
    'of %s loses nothing',
    async (_, seed, events, nodes, more) => {
      const args = ['--seed', seed, '--events', events, '--nodes', nodes, ...more];
      const { exitCode, all } = await campaign(...args);
      console.log(all.split('\n').slice(-25).join('\n'));
      expect(all).toContain(`${events} events in `);
      expect(exitCode).toBe(0);
    },
    180_000,
  );

  test('without replication loses flows, says when, and how to see it again', async () => {
    const { exitCode, all } = await campaign('--seed', '11', '--events', '12', '--break', 'sync');
    expect(exitCode).toBe(1);
    expect(all).toMatch(/^FAILED in episode 0; again: npm run campaign -- --seed 11 --nodes 2 --episode 0$/m);
  }, 180_000);

  test.each([
    [['--events', '5'], '--seed takes a whole number, not nothing'],
    [['--seed', 'x', '--events', '5'], '--seed takes a whole number, not x'],
    [['--seed', '1', '--events', '5', '--nodes', '7'], '--nodes takes 2 to 5, not 7'],
    [['--seed', '1', '--events', '5', '--break', 'glass'], 'nothing is called "glass"'],
    [['--seed', '1', '--evnets', '5'], "Unknown option '--evnets'"],
  ])('of %j is refused', async (args, problem) => {
    const { exitCode, all } = await campaign(...args);
    expect(all).toContain(problem);
    expect(exitCode).toBe(2);
  });
});
