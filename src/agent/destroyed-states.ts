import { type Warning, warningText } from '../cluster/warning.ts';
import type { Logger } from '../system/log.ts';
import type { Recalled } from './recalls.ts';
import type { Testimony } from './witnesses.ts';

/** How long `status` remembers it, in milliseconds. */
const REMEMBERED_MS = 600_000;
/** Between two lines in the log about the same: who deletes connections one by one may go on for long. */
const LOGGED_MS = 60_000;

interface Remembered {
  readonly warning: Warning;
  readonly timer: NodeJS.Timeout;
  readonly loggedAt: number;
}

const MEND =
  "find what orders it, such as conntrackd's primary-backup.sh in a notify line of keepalived.conf, and take it out";

const COPIES =
  'these were copies, and are sent again; a node that fails before that is done takes its connections with it';

/** What others did to this node's states, for `status` and the log. */
export class DestroyedStates {
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  readonly #remembered = new Map<string, Remembered>();

  constructor(log: Pick<Logger, 'info' | 'warn'>) {
    this.#log = log;
  }

  /**
   * conntrackd was ordered to delete this kernel's flows.
   *
   * @param owner whether this node owns anything
   */
  flushed(result: Recalled, owner: boolean): void {
    if (result.fresh || result.lost > 0) {
      const what = 'conntrackd was ordered to delete every flow of this kernel (-F, or -t some time before)';
      this.#remember(
        'states-destroyed',
        'conntrackd',
        `${what}: ${owner ? whatBecame(result) : COPIES}; ${MEND}`,
      );
    }
  }

  /** Connections were deleted one by one or all at once, and conntrackd has told the replicas so. */
  deleted({ looked, vanished }: Testimony): void {
    const what = `connections were deleted that hadn't ended, ${vanished} of ${looked} that this node looked at`;
    const why = "by another program (conntrack -D or -F), or by order of a peer's conntrackd";
    const mend = 'find the program, unless it was meant';
    this.#remember(
      'states-destroyed',
      'connections',
      `${what}, ${why}: the replicas have deleted their copies too, so they are cut off; ${mend}`,
    );
  }

  /** conntrackd has loaded the whole kernel table: its cache holds copies of what peers own. It is emptied at once. */
  loadedTable(): void {
    this.#remember(
      'conntrackd-ordered',
      '-R',
      'conntrackd was ordered to load the whole kernel table into its cache (-R, or NetlinkOverrunResync), copies of what peers own with it: taken out again; ' +
        `had one of them expired, the peer's connection would have been cut off; ${MEND}`,
    );
  }

  /** conntrackd's cache held so few flows of this node's own. */
  emptied(held: number, flows: number): void {
    this.#remember(
      'conntrackd-ordered',
      '-f',
      `conntrackd's internal cache held ${held} of ${flows} flows of this node: somebody has emptied it (-f). All are in it again; ` +
        `of what ended meanwhile the replicas weren't told, which they find at the next comparison; ${MEND}`,
    );
  }

  /** What was done of late. */
  get warnings(): readonly Warning[] {
    return [...this.#remembered.values()].map(({ warning }) => warning);
  }

  #remember(code: Warning['code'], object: string, what: string): void {
    const key = `${code} ${object}`;
    const before = this.#remembered.get(key);
    clearTimeout(before?.timer);
    const timer = setTimeout(() => {
      this.#remembered.delete(key);
      this.#log.info(`nothing of the kind for ${REMEMBERED_MS / 60_000} minutes: ${what}`);
    }, REMEMBERED_MS);
    timer.unref();
    const text = `at ${new Date().toISOString()}: ${what}`;
    const now = performance.now();
    const logs = before === undefined || now - before.loggedAt >= LOGGED_MS;
    this.#remembered.set(key, {
      warning: { code, object, text },
      timer,
      loggedAt: logs ? now : before.loggedAt,
    });
    if (logs) {
      this.#log.warn(warningText({ code, object, text: what }));
    }
  }
}

const whatBecame = ({ from, lost, returned, milliseconds }: Recalled): string => {
  const who = from.join(' and ');
  if (from.length === 0) {
    return 'no peer could be asked to give them back, so connections that stood before are cut off';
  }
  if (lost === 0) {
    return `${who} holds none that this node lacks; connections that stood before are cut off`;
  }
  const back = `${lost} were missing, and ${who} gave ${returned} back within ${(milliseconds / 1000).toFixed(1)} s`;
  return returned < lost
    ? `${back}; ${lost - returned} connections are cut off`
    : `${back}; UDP that was sent meanwhile has another translation`;
};
