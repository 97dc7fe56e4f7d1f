import type { Failure, FlowReport, FlowSpec } from './flow.ts';
import { SILENCE } from './flow.ts';

/** Counts one flow's requests and answers, measures its stalls, and says when it is lost. */
export class Meter {
  readonly #spec: FlowSpec;
  #state: FlowReport['state'] = 'starting';
  #reason = '';
  #sent = 0;
  #answered = 0;
  #failures: Failure[] = [];
  #slow = 0;
  #twice = 0;
  /** Since when it has been waiting for an answer; undefined when it waits for none. */
  #waitingSince: number | undefined;
  #worstStall = 0;
  #stall = 0;

  constructor(spec: FlowSpec) {
    this.#spec = spec;
  }

  get lost(): boolean {
    return this.#state === 'lost';
  }

  /** A request (or `amount` bytes) has been sent; `since` (performance.now()) it waits for the answer. */
  send(amount = 1, since = performance.now()): void {
    this.#sent += amount;
    this.#waitingSince ??= since;
  }

  /** An answer has come. `pending`: there are requests without an answer, and since when (performance.now()). */
  answer(amount = 1, pending?: number): void {
    this.#answered += amount;
    this.#noteStall();
    this.#waitingSince = pending;
    if (this.#state === 'starting') {
      this.#state = 'up';
      this.#worstStall = 0;
      this.#stall = 0;
    }
  }

  /** Something has come a second time. */
  twice(): void {
    this.#twice += 1;
  }

  /** One of several requests came to nothing. */
  failed(failure: Failure): void {
    this.#failures.push(failure);
  }

  /** One of several requests had to wait so long, in milliseconds. */
  stalled(milliseconds: number): void {
    this.#worstStall = Math.max(this.#worstStall, milliseconds);
    this.#stall = Math.max(this.#stall, milliseconds);
  }

  slow(): void {
    this.#slow += 1;
  }

  lose(reason: string): void {
    if (this.#state !== 'lost') {
      this.#state = 'lost';
      this.#reason = reason;
      this.#noteStall();
    }
  }

  /** Loses the flow if it has been silent for too long. */
  check(): void {
    if (this.#waiting() > SILENCE) {
      this.lose(`no answer for ${SILENCE / 1000} s`);
    }
  }

  /** The report; starts a new count of what came twice and of what failed, and a new look for stalls. */
  report(): FlowReport {
    this.check();
    const waiting = Math.round(this.#waiting());
    const report: FlowReport = {
      id: this.#spec.id,
      state: this.#state,
      reason: this.#reason,
      sent: this.#sent,
      answered: this.#answered,
      failures: this.#failures,
      slow: this.#slow,
      twice: this.#twice,
      waiting,
      worstStall: Math.round(Math.max(this.#worstStall, this.#state === 'up' ? waiting : 0)),
      stall: Math.round(Math.max(this.#stall, this.#state === 'up' ? waiting : 0)),
    };
    this.#twice = 0;
    this.#stall = 0;
    this.#failures = [];
    return report;
  }

  #waiting(): number {
    return this.#waitingSince === undefined ? 0 : performance.now() - this.#waitingSince;
  }

  #noteStall(): void {
    this.stalled(this.#waiting());
  }
}
