import { type Warning, warningText } from '../../cluster/warning.ts';
import type { ClusterConfig, NodeConfig } from '../../config/types.ts';
import { type LocalAddress, openLinkChannel } from '../../kernel/links.ts';
import type { Logger } from '../../system/log.ts';
import { judgeSurroundings } from './judge.ts';
import { type Finding, isFinding, type Judgement, keyOf, warned } from './judgement.ts';
import { lookAround } from './look.ts';
import { type Needs, needsOf } from './needs.ts';
import { ownOnLegs, remembered } from './own-addresses.ts';
import type { Seen } from './seen.ts';

const LOOK_MS = 1000;

/** Watches what the cluster needs of this machine and doesn't own. It changes nothing of it. */
export class SurroundingsWatch {
  readonly #needs: Needs;
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  readonly #channel = openLinkChannel();
  /** What was missing at the last look, by its key; it counts when it is so at the next one too. */
  #suspected: ReadonlySet<string> = new Set();
  #findings: readonly Finding[] = [];
  /** What was said of each thing whose end wasn't, by its key. */
  readonly #told = new Map<string, string>();
  #earlier: readonly LocalAddress[] = [];
  #failure = '';
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param log gets each finding once as a warning, and its end */
  constructor(config: ClusterConfig, node: NodeConfig, log: Pick<Logger, 'info' | 'warn'>) {
    this.#needs = needsOf(config, node);
    this.#log = log;
  }

  /** What is missing. None before the second look. */
  get warnings(): readonly Warning[] {
    return this.#findings.map(warned);
  }

  /** Begins to look, once a second. @param told what has been logged already */
  begin(told: readonly string[]): void {
    void this.#look(new Set(told));
  }

  /** Ends the watch; `warnings` stay as they are. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#channel.close();
  }

  async #look(told: ReadonlySet<string>): Promise<void> {
    let left = told;
    try {
      const seen = await lookAround(this.#needs, this.#channel);
      if (this.#closed) return;
      this.take(seen, told);
      left = new Set();
      this.#failure = '';
    } catch (error) {
      if (this.#closed) return;
      this.#fail(error instanceof Error ? error.message : String(error));
    }
    this.#timer = setTimeout(() => void this.#look(left), LOOK_MS);
    this.#timer.unref();
  }

  /** Another look has found this. @param told what was logged before the first one */
  take(seen: Seen, told: ReadonlySet<string> = new Set()): void {
    const judgements = judgeSurroundings(this.#needs, seen, this.#earlier);
    const missing = judgements.filter(isFinding);
    for (const finding of missing.filter((one) => told.has(warningText(warned(one))))) {
      this.#told.set(keyOf(finding), finding.problem);
    }
    // A link that has just come up gets its addresses and routes by and by.
    this.#findings = missing.filter((one) => this.#suspected.has(keyOf(one)) || this.#told.has(keyOf(one)));
    this.#suspected = new Set(missing.map(keyOf));
    for (const finding of this.#findings) this.#tell(finding);
    for (const judgement of judgements) this.#tellEnd(judgement);
    this.#earlier = remembered(this.#needs.legs, ownOnLegs(this.#needs, seen.addresses), this.#earlier);
  }

  #tell(finding: Finding): void {
    if (this.#told.get(keyOf(finding)) === finding.problem) return;
    this.#told.set(keyOf(finding), finding.problem);
    this.#log.warn(warningText(warned(finding)));
  }

  /** What can't be judged any more, for it is of an interface that is down, hasn't ended. */
  #tellEnd(judgement: Judgement): void {
    if (isFinding(judgement) || !this.#told.delete(keyOf(judgement))) return;
    this.#log.info(judgement.again);
  }

  #fail(failure: string): void {
    if (failure !== this.#failure) {
      this.#log.warn(`what this node needs of the machine can't be looked at: ${failure}`);
    }
    this.#failure = failure;
  }
}
