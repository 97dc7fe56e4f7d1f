import { MalformedAnswer } from './errors.ts';
import { numberOf, readSections, sectionOf } from './report.ts';

/** How conntrackd fares on its side of the kernel; counters begin at its start. */
export interface Runtime {
  readonly eventsReceived: number;
  /** Times that the kernel dropped events because the buffer was full: flows may be missing at the peer. */
  readonly netlinkOverruns: number;
  /** Bytes of the buffer for events, as grown by now. */
  readonly netlinkBuffer: number;
  /** Times that the kernel's table was loaded after an overrun or by -R: copies of the peers' flows with it. */
  readonly kernelResyncs: number;
  /** Times that it flushed the kernel's table. */
  readonly kernelFlushes: number;
  readonly childrenFailed: number;
}

/** A process that conntrackd has forked. */
export interface Child {
  readonly pid: number;
  readonly type: string;
}

/**
 * Reads the answer to `runtime`. Its uptime is left out: conntrackd says it in minutes, `identityOf` knows better.
 *
 * @throws {MalformedAnswer}
 */
export const parseRuntime = (answer: string): Runtime => {
  const subject = 'runtime';
  const sections = readSections(subject, answer);
  const netlink = sectionOf(subject, sections, 'netlink stats');
  const runtime = sectionOf(subject, sections, 'runtime stats');
  return {
    eventsReceived: numberOf(subject, netlink, 'events received'),
    netlinkOverruns: numberOf(subject, netlink, 'netlink overrun'),
    netlinkBuffer: numberOf(subject, netlink, 'current buffer size (in bytes)'),
    kernelResyncs: numberOf(subject, netlink, 'resync with kernel table'),
    kernelFlushes: numberOf(subject, netlink, 'flush kernel table'),
    childrenFailed: numberOf(subject, runtime, 'child process failed'),
  };
};

/**
 * Reads the answer to `process`: empty most of the time.
 *
 * @throws {MalformedAnswer}
 */
export const parseProcesses = (answer: string): readonly Child[] =>
  answer
    .split('\n')
    .filter((text) => text !== '')
    .map((text, index) => {
      const groups = /^PID=(?<pid>\d+) type=(?<type>\w+)$/.exec(text)?.groups;
      if (groups === undefined) {
        throw new MalformedAnswer('process', index + 1, `cannot read "${text.slice(0, 80)}"`);
      }
      return { pid: Number(groups['pid']), type: groups['type'] ?? '' };
    });
