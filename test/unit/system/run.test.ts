import { describe, expect, it } from 'vitest';
import { ProgramError, run } from '../../../src/system/run.ts';

const failureOf = async (promise: Promise<string>): Promise<ProgramError> => {
  const outcome = await promise.catch((error: unknown) => error);
  if (!(outcome instanceof ProgramError)) throw new Error('expected a ProgramError', { cause: outcome });
  return outcome;
};

const node = (script: string) => run(process.execPath, ['-e', script]);

describe('run', () => {
  it('gives standard output and passes input and arguments without a shell', async () => {
    const echo =
      'process.stdin.on("data", (text) => process.stdout.write(text + process.argv.slice(1).join("|")))';
    expect(await run(process.execPath, ['-e', echo, '--', '$HOME', 'a b'], { input: 'in:' })).toBe(
      'in:$HOME|a b',
    );
  });

  it('names what to install when the program is missing', async () => {
    const error = await failureOf(run('conntrack-ha-no-such-program', []));
    expect(error.failure).toBe('missing');
    expect(error.message).toBe(
      'conntrack-ha-no-such-program is not installed: apt install conntrack-ha-no-such-program',
    );
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('names the Debian package where it has another name', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nonexistent';
    try {
      expect((await failureOf(run('nft', ['list']))).message).toBe(
        'nft is not installed: apt install nftables',
      );
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('ends its message with the last line of standard error', async () => {
    const error = await failureOf(
      node('console.error("first"); console.error("second\\n"); process.exit(3)'),
    );
    expect(error.failure).toBe('failed');
    expect(error.message).toMatch(/failed: second$/);
    expect(error.stderr).toBe('first\nsecond\n');
  });

  it('prefers the line that says error to a mark below it, as nft prints it', async () => {
    const error = await failureOf(node('console.error("x:1: Error: syntax\\nadd\\n^^^"); process.exit(1)'));
    expect(error.message).toMatch(/failed: x:1: Error: syntax$/);
  });

  it('kills a program that takes too long', async () => {
    const error = await failureOf(
      run(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { timeout: 300 }),
    );
    expect(error.failure).toBe('timeout');
    expect(error.message).toMatch(/did not end within 300 ms$/);
  });
});
