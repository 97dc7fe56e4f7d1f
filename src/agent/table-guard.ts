import { type Warning, warningText } from '../cluster/warning.ts';
import type { Damage, TableMender } from '../dataplane/mend.ts';
import type { Logger } from '../system/log.ts';
import type { Step } from '../transitions/steps.ts';
import type { Chronicle } from './chronicle.ts';

/** Our tables in the kernel, which another program may remove: `nft flush ruleset` does. */
export type GuardedTables = Pick<TableMender, 'generation' | 'damage' | 'mend' | 'rivals' | 'hookOf'>;

export interface GuardHost {
  /** The buckets that this node may go on serving at once. */
  readonly held: () => Promise<readonly number[]>;
  /** Milliseconds that the kernel keeps them; 0: for ever. */
  readonly lease: number;
  readonly chronicle: Pick<Chronicle, 'begin' | 'done'>;
  readonly reach: (step: Step) => void;
  /** Whether a peer is about to ask for what this node owns: it is better connected. */
  readonly leaving: () => boolean;
  /** While the tables were gone, conntrack has seen what this node doesn't own. */
  readonly mended: () => void;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** Between two log lines about it, in milliseconds, if it happens again and again. */
const QUIET_MS = 10_000;
/** How long rules for an interface wait for a peer's question: a manager has said who takes over by then. */
const WAIT_MS = 1000;
/** How long `status` remembers it. */
const REMEMBERED_MS = 3_600_000;

/** Sees by the generation of the kernel's rule set that somebody has changed rules; loads ours again if it was ours. */
export class TableGuard {
  readonly #tables: GuardedTables;
  readonly #host: GuardHost;
  /** Of the rule set with our tables whole. */
  #generation: number | undefined;
  /** When they were last seen whole. */
  #wholeAt = performance.now();
  #waitingSince: number | undefined;
  #times = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;
  #last: { readonly at: number; readonly text: string } | undefined;
  /** What others do that ours can't be right with; undefined: not looked at yet. */
  #rivals: readonly Warning[] | undefined;
  #failure = '';

  constructor(tables: GuardedTables, host: GuardHost) {
    this.#tables = tables;
    this.#host = host;
  }

  /** Whether anybody has changed rules since the last look: tens of microseconds. */
  async moved(): Promise<boolean> {
    const asked = performance.now();
    const moved = (await this.#tables.generation()) !== this.#generation;
    if (!moved) {
      this.#wholeAt = asked;
    }
    return moved;
  }

  /** Somebody has seen what may be damage and no change of rules: it is looked for at the next round. */
  doubt(): void {
    this.#generation = undefined;
  }

  /** Before a round: mends our tables if need be. What fails is said, and tried again at the next round. */
  async look(): Promise<void> {
    try {
      const asked = performance.now();
      const generation = await this.#tables.generation();
      if (generation !== this.#generation) {
        const damage = await this.#tables.damage();
        if (damage === undefined) {
          await this.#lookAtRivals();
          this.#generation = generation;
        } else if (!this.#canWait(damage)) {
          await this.#mend(damage);
        }
      }
      if (generation === this.#generation) {
        this.#wholeAt = asked;
      }
      this.#failure = '';
    } catch (error) {
      this.#complain(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * Makes a transaction that changes nothing of what is guarded, so that nobody has to look for what it has changed.
   *
   * @param transaction resolves with whether it was one, and no more
   */
  async expect(transaction: () => Promise<boolean>): Promise<void> {
    const generation = () => this.#tables.generation().catch(() => undefined);
    const before = await generation();
    const once = await transaction();
    // Unless another program's came in between: a generation is one transaction.
    if (once && before !== undefined && before === this.#generation && (await generation()) === before + 1) {
      this.#generation = before + 1;
    }
  }

  /** Why our tables can't be mended; empty: they are whole. */
  get failures(): readonly string[] {
    return this.#failure === '' ? [] : [this.#failure];
  }

  /** For `status`. */
  get warnings(): readonly Warning[] {
    const recent = this.#last !== undefined && performance.now() - this.#last.at < REMEMBERED_MS;
    return [
      ...this.failures.map(unguarded),
      ...(this.#rivals ?? []),
      ...(recent && this.#last !== undefined ? [reloaded(this.#last.text)] : []),
    ];
  }

  /**
   * An interface that has come again is closed and counts as lost until it has its rules. The peer that takes over meanwhile must not wait
   * for an answer until they are loaded.
   */
  #canWait({ advice }: Damage): boolean {
    if (advice !== undefined || !this.#host.leaving()) {
      this.#waitingSince = undefined;
      return false;
    }
    this.#waitingSince ??= performance.now();
    return performance.now() - this.#waitingSince < WAIT_MS;
  }

  async #mend({ what, advice }: Damage): Promise<void> {
    const { chronicle, reach } = this.#host;
    chronicle.begin('mend', '', what);
    reach('mend.load');
    const buckets = await this.#host.held();
    await this.#tables.mend({ buckets, timeout: this.#host.lease });
    chronicle.done('mend.load', '');
    this.#tell(what, advice, buckets.length);
    this.#host.mended();
  }

  #tell(what: string, advice: string | undefined, buckets: number): void {
    const now = performance.now();
    const milliseconds = Math.ceil(now - this.#wholeAt);
    this.#wholeAt = now;
    if (advice === undefined) {
      // Nothing was let in there meanwhile, and who watches the interface says how long it was gone.
      this.#host.log.info(`${what}: rules loaded again, with ${buckets} buckets`);
      return;
    }
    this.#times += 1;
    const text = `${what}, and loaded again with ${buckets} buckets: for up to ${milliseconds} ms this node filtered and translated nothing as it should`;
    const times = this.#times === 1 ? '' : `, ${this.#times} times by now`;
    this.#last = { at: now, text: `at ${new Date().toISOString()}${times}: ${text}; ${advice}` };
    if (now - this.#loggedAt >= QUIET_MS) {
      this.#loggedAt = now;
      this.#host.log.warn(warningText(reloaded(`${text}${times}; ${advice}`)));
    }
  }

  /** Those that were there when the data plane was loaded were named then. */
  async #lookAtRivals(): Promise<void> {
    const before = this.#rivals;
    this.#rivals = await this.#tables.rivals();
    for (const rival of this.#rivals.filter(({ text }) => before?.every((one) => one.text !== text))) {
      this.#host.log.warn(warningText(rival));
    }
  }

  /** Once for each new reason: what goes on failing was said. */
  #complain(reason: string): void {
    const text = `this node's tables can't be guarded: ${reason}`;
    if (text !== this.#failure) {
      this.#failure = text;
      this.#host.log.error(warningText(unguarded(text)));
    }
  }
}

const unguarded = (text: string): Warning => ({ code: 'rules-not-guarded', object: 'tables', text });

const reloaded = (text: string): Warning => ({ code: 'rules-reloaded', object: 'tables', text });
