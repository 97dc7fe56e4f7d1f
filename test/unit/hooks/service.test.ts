import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Sandbox, SHELLS } from './sandbox.ts';

describe.each(SHELLS)('service by %s', (shell) => {
  let box: Sandbox;
  beforeEach(() => {
    box = new Sandbox(shell);
  });
  afterEach(() => box.remove());

  const is = (state: string): void =>
    box.script('bin/systemctl', `[ "$*" = is-system-running ] && echo ${state}`);

  it('close loads the data plane, closed, whatever systemd says', () => {
    expect(box.call('service', ['-c', '/etc/a.yaml', 'close']).status).toBe(0);
    expect(box.calls().map(({ args }) => args)).toEqual(['-c /etc/a.yaml start --closed']);
  });

  it.each(['running', 'degraded', 'starting', ''])('drain does nothing on a machine that is %j', (state) => {
    is(state);
    box.write('drained', '');
    expect(box.call('service', ['drain']).status).toBe(0);
    expect(box.call('service', ['block']).status).toBe(0);
    expect(box.calls()).toEqual([]);
    expect(existsSync(join(box.run, 'drained'))).toBe(true);
  });

  it('drain gives the groups away on one that goes down, for this boot alone', () => {
    is('stopping');
    box.write('drained', '');
    expect(box.call('service', ['drain']).status).toBe(0);
    expect(box.calls().map(({ args }) => args)).toEqual(['drain --force']);
    expect(existsSync(join(box.run, 'drained'))).toBe(false);
  });

  it('settle lets the agent stay while a manager ends, and no longer', () => {
    let goingDown = false;
    const states = (...each: readonly string[]) =>
      box.script(
        'bin/systemctl',
        `[ "$1" = is-active ] || { echo ${goingDown ? 'stopping' : 'running'}; exit 0; }
         n=$(cat ${box.root}/n 2>/dev/null || echo 0); echo $((n + 1)) >${box.root}/n
         case $n in ${each.map((state, index) => `${index}) printf '${state}\\ninactive\\n' ;;`).join(' ')} esac`,
      );
    states('deactivating', 'deactivating', 'inactive');
    expect(box.call('service', ['settle']).status).toBe(0);
    expect(readFileSync(join(box.root, 'n'), 'utf8').trim()).toBe('3');
    states('activating');
    rmSync(join(box.root, 'n'));
    expect(box.call('service', ['settle']).status).toBe(0);
    expect(readFileSync(join(box.root, 'n'), 'utf8').trim()).toBe('1');
    // Then all stops are known, and in their order.
    goingDown = true;
    states('deactivating', 'deactivating', 'inactive');
    rmSync(join(box.root, 'n'));
    expect(box.call('service', ['settle']).status).toBe(0);
    expect(existsSync(join(box.root, 'n'))).toBe(false);
  });

  it('tells systemd that it failed', () => {
    is('stopping');
    writeFileSync(join(box.root, 'program'), '#!/bin/sh\nexit 3\n');
    expect(box.call('service', ['drain']).status).toBe(3);
  });

  it('refuses anything else', () => {
    for (const args of [[], ['open'], ['close', 'drain']]) {
      expect(box.call('service', args).status).toBe(2);
    }
  });
});
