import { describe, expect, it } from 'vitest';
import { parseProcesses, parseRuntime } from '../../../src/conntrackd/runtime.ts';
import { RUNTIME } from './answers.ts';

describe('parseRuntime', () => {
  it('reads what it promises', () => {
    expect(parseRuntime(RUNTIME)).toEqual({
      eventsReceived: 17,
      netlinkOverruns: 2,
      netlinkBuffer: 67_108_864,
      kernelResyncs: 1,
      kernelFlushes: 0,
      childrenFailed: 3,
    });
  });

  it('names what is missing, and where', () => {
    const answer = RUNTIME.replace(/.*netlink overrun.*\n/, '');
    expect(() => parseRuntime(answer)).toThrow('line 3: "netlink overrun" is missing under "netlink stats"');
  });
});

describe('parseProcesses', () => {
  it('takes nothing for no process', () => {
    expect(parseProcesses('')).toEqual([]);
  });

  it('reads each line', () => {
    expect(parseProcesses('PID=17 type=any\nPID=18 type=flush\n')).toEqual([
      { pid: 17, type: 'any' },
      { pid: 18, type: 'flush' },
    ]);
  });

  it('names a line that it cannot read', () => {
    expect(() => parseProcesses('PID=17 type=any\nPID=x\n')).toThrow('line 2: cannot read "PID=x"');
  });
});
