import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../lab/rig/wait.ts';
import { Sandbox, SHELLS } from './sandbox.ts';

describe.each(SHELLS)('keepalived-stop by %s', (shell) => {
  let box: Sandbox;
  beforeEach(() => {
    box = new Sandbox(shell);
  });
  afterEach(() => box.remove());

  const stop = (...args: readonly string[]) => box.call('keepalived-stop', args);
  /** What nft was told. */
  const told = (): string =>
    existsSync(join(box.root, 'nft')) ? readFileSync(join(box.root, 'nft'), 'utf8') : '';
  const nftWorks = (): void => box.script('bin/nft', `echo "$*" >>${box.root}/nft`);
  const FLUSH = 'flush set netdev conntrack_ha owned; flush set inet conntrack_ha owned\n';

  it('leaves it to an agent that is well', () => {
    box.startAgent();
    expect(stop()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(box.notify('INSTANCE', 'fw1_fw2', 'STOP', '100').status).toBe(0);
    expect(told()).toBe('');
    expect(box.starts()).toBe(0);
  });

  describe.each([
    ['was killed a moment ago', () => box.beat(10)],
    ['hangs', () => [box.startAgent(), box.beat(301)]],
    ['was never there', () => box.write('heartbeat', '')],
  ])('where the agent %s', (_, change) => {
    beforeEach(() => void change());

    it('takes all buckets out in one transaction', () => {
      nftWorks();
      expect(stop()).toMatchObject({ status: 0, stdout: '', stderr: '' });
      expect(told()).toBe(FLUSH);
      expect(box.starts()).toBe(0);
    });

    it('starts the program if there are none, also if it was started just before', async () => {
      expect(stop('-c', '/etc/a.yaml')).toMatchObject({ status: 0, stdout: '', stderr: '' });
      // Before the second is started: who finds another waiting goes.
      await until('the program', () => box.calls()[0]?.args === '-c /etc/a.yaml run --once', 10_000);
      expect(stop().status).toBe(0);
      expect(box.starts()).toBe(2);
    });

    it('does the same for those who have no FIFO, by the word STOP alone', () => {
      nftWorks();
      expect(box.notify('INSTANCE', 'fw1_fw2', 'BACKUP', '100').status).toBe(0);
      expect(told()).toBe('');
      expect(box.notify('INSTANCE', 'fw1_fw2', 'STOP', '100').status).toBe(0);
      expect(told()).toBe(FLUSH);
    });
  });

  it('starts nothing after conntrack-ha stop', () => {
    box.write('stopped', '');
    expect(stop().status).toBe(0);
    expect(box.starts()).toBe(0);
  });

  it('refuses what it does not know', () => {
    const { status, stderr } = stop('now');
    expect(status).toBe(2);
    expect(stderr).toBe(
      'conntrack-ha: keepalived-stop: 1 arguments; use: keepalived-stop [-r DIR] [-c FILE]\n',
    );
  });
});
