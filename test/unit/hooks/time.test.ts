import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

const CALLS = 50;

it.each([
  ['keepalived-notify', ['INSTANCE', 'fw1_fw2', 'MASTER', '150']],
  ['keepalived-check', []],
  ['keepalived-stop', []],
] as const)('%s returns at once, also when the agent is stopped', (hook, args) => {
  const box = new Sandbox();
  try {
    const agent = box.startAgent();
    const call = () => box.call(hook, args).status;
    const nothing = figures('sh that does nothing', () => spawnSync('/bin/sh', ['-c', ':']).status);
    const running = figures(`${hook}, agent runs`, call, () => box.beat(0));
    process.kill(agent, 'SIGSTOP');
    const stopped = figures(`${hook}, agent stopped`, call, () => box.beat(0));
    console.log(`${nothing.line}\n${running.line}\n${stopped.line}`);
    expect(running.median).toBeLessThan(nothing.median * 20);
    expect(stopped.median).toBeLessThan(nothing.median * 20);
    expect(box.starts()).toBe(0);
  } finally {
    box.remove();
  }
});

const figures = (what: string, call: () => number | null, before = (): void => undefined) => {
  const times = Array.from({ length: CALLS }, () => {
    before();
    const began = performance.now();
    expect(call()).toBe(0);
    return performance.now() - began;
  }).sort((a, b) => a - b);
  const median = times[CALLS / 2] ?? Infinity;
  const slowest = times.at(-1) ?? Infinity;
  return {
    median,
    line: `${what}: median ${median.toFixed(2)} ms, slowest ${slowest.toFixed(2)} ms of ${CALLS}`,
  };
};
