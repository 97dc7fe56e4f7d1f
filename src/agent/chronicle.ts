import { randomBytes } from 'node:crypto';
import type { StepRecord } from '../observe/events.ts';
import type { Step, TransitionName } from '../transitions/steps.ts';

/** A transition that has begun. */
interface Course {
  readonly id: string;
  readonly group: string;
  readonly began: number;
  reason: string;
  answered: boolean;
}

/**
 * What is being done right now, step by step, for the events file. Steps are noted when they are done, and written when
 * `flush` is called: never between a deactivation and its answer.
 */
export class Chronicle {
  readonly #node: string;
  readonly #write: (lines: string) => void;
  readonly #open: Readonly<Record<TransitionName, Map<string, Course>>> = {
    takeover: new Map(),
    release: new Map(),
    rejoin: new Map(),
    mend: new Map(),
  };
  #lines = '';

  /** @param write takes whole lines, one JSON object each */
  constructor(node: string, write: (lines: string) => void) {
    this.#node = node;
    this.#write = write;
  }

  /** A transition of `group` begins, unless one of its kind is under way. `rejoin` and `mend` have no group: ''. */
  begin(transition: TransitionName, group: string, reason: string): void {
    const open = this.#open[transition];
    if (!open.has(group)) {
      open.set(group, {
        id: randomBytes(6).toString('hex'),
        group,
        began: performance.now(),
        reason,
        answered: false,
      });
    }
  }

  /** A step of a transition is done; the last one ends it. `reason` replaces the one known so far. */
  done(step: Step, group: string, reason?: string): void {
    const [transition, name] = split(step);
    const course = this.#open[transition].get(group);
    // A word that comes again before its answer has arrived is answered again: no step of its own.
    if (course === undefined || (step === 'release.answer' && course.answered)) {
      return;
    }
    course.answered ||= step === 'release.answer';
    course.reason = reason ?? course.reason;
    const record: StepRecord = {
      time: new Date().toISOString(),
      id: course.id,
      node: this.#node,
      transition,
      group: group === '' ? null : group,
      step: name,
      ms: Math.round((performance.now() - course.began) * 10) / 10,
      reason: course.reason,
    };
    this.#lines += `${JSON.stringify(record)}\n`;
    if (LAST.has(step)) {
      this.#open[transition].delete(group);
    }
  }

  /** A step of all transitions that wait for it is done. */
  doneForAll(step: Step): void {
    const [transition] = split(step);
    for (const group of [...this.#open[transition].keys()]) {
      this.done(step, group);
    }
  }

  /** What was begun for `group` won't be finished: it changed hands again. */
  overtaken(transition: TransitionName, group: string): void {
    this.#open[transition].delete(group);
  }

  flush(): void {
    if (this.#lines !== '') {
      this.#write(this.#lines);
      this.#lines = '';
    }
  }
}

const LAST: ReadonlySet<Step> = new Set(['takeover.adopt', 'release.disown', 'rejoin.verify', 'mend.load']);

const split = (step: Step): [TransitionName, string] => {
  const [transition, name = ''] = step.split('.');
  const isKnown = transition === 'takeover' || transition === 'release' || transition === 'mend';
  return [isKnown ? transition : 'rejoin', name];
};
