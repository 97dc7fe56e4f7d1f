import type { ClientReport, Failure, FlowKind, FlowReport, FlowSpec, ServerReport } from '../traffic/flow.ts';
import type { Transition } from './summary.ts';

/** A flow that is younger when its owner dies, in milliseconds, may not have been replicated (docs/guarantees.md). */
const YOUNG_MS = 1000;

/** What is known about one flow. Times in milliseconds. */
export interface FlowVerdict {
  readonly id: string;
  readonly kind: FlowKind;
  readonly state: FlowReport['state'];
  readonly lost: boolean;
  /** Why it is lost. */
  readonly reason: string;
  readonly sent: number;
  readonly answered: number;
  /** New connections that failed, and that needed a second SYN (connects). */
  readonly failed: number;
  readonly slow: number;
  /** New connections that failed and do not count: they were too young when their owner lost power. */
  readonly young: number;
  /** Packets that came more than once, at the client or the server: when (Date.now(), to 100 ms) and how many. */
  readonly twice: readonly Twice[];
  readonly waiting: number;
  readonly worstStall: number;
  /** Source ports that the server has seen, in order; more than one: the translation changed. */
  readonly ports: readonly number[];
}

export interface Twice {
  readonly at: number;
  readonly count: number;
}

/** Adds up what the clients and the server report. */
export class Ledger {
  readonly #specs = new Map<string, FlowSpec>();
  readonly #reports = new Map<string, FlowReport>();
  readonly #twice = new Map<string, Twice[]>();
  readonly #ports = new Map<string, readonly number[]>();
  readonly #broken = new Map<string, string>();
  #stall = 0;
  readonly #failures = new Map<string, Failure[]>();
  readonly #powerCuts: () => readonly Transition[];

  /** @param powerCuts the power cuts of nodes until now */
  constructor(powerCuts: () => readonly Transition[] = () => []) {
    this.#powerCuts = powerCuts;
  }

  add(spec: FlowSpec): void {
    if (this.#specs.has(spec.id)) {
      throw new RangeError(`there are two flows called ${spec.id}`);
    }
    this.#specs.set(spec.id, spec);
  }

  takeClient(report: ClientReport): void {
    for (const flow of report.flows) {
      this.#reports.set(flow.id, flow);
      this.#failures.set(flow.id, [...(this.#failures.get(flow.id) ?? []), ...flow.failures]);
      this.#stall = Math.max(this.#stall, flow.stall);
      this.#noteTwice(flow.id, report.at, flow.twice);
    }
  }

  takeServer(report: ServerReport): void {
    for (const [id, count] of Object.entries(report.twice)) {
      this.#noteTwice(id, report.at, count);
    }
    for (const [id, ports] of Object.entries(report.ports)) {
      this.#ports.set(id, ports);
    }
    for (const [id, reason] of Object.entries(report.broken)) {
      this.#broken.set(id, reason);
    }
  }

  /** The longest that any flow has waited for an answer since this was asked last, in milliseconds. */
  takeStall(): number {
    const stall = this.#stall;
    this.#stall = 0;
    return stall;
  }

  /** New connections that have failed until now count no more. Returns how many those are since this was called last. */
  forgiveConnections(): number {
    const count = this.verdicts().reduce((sum, { failed }) => sum + failed, 0);
    this.#failures.clear();
    return count;
  }

  /** One verdict for each flow, in the order in which they were added. */
  verdicts(): FlowVerdict[] {
    return [...this.#specs.values()].map((spec) => this.#verdict(spec));
  }

  #verdict({ id, kind }: FlowSpec): FlowVerdict {
    const report = this.#reports.get(id);
    const ports = this.#ports.get(id) ?? [];
    const failures = this.#failures.get(id) ?? [];
    const cuts = this.#powerCuts();
    const failed = failures.filter(({ began }) => !cuts.some((cut) => isYoung(began, cut)));
    const reason = this.#reason(report, ports, this.#broken.get(id), failed);
    return {
      id,
      kind,
      state: reason === '' ? (report?.state ?? 'starting') : 'lost',
      lost: reason !== '',
      reason,
      sent: report?.sent ?? 0,
      answered: report?.answered ?? 0,
      failed: failed.length,
      young: failures.length - failed.length,
      slow: report?.slow ?? 0,
      twice: this.#twice.get(id) ?? [],
      waiting: report?.waiting ?? 0,
      worstStall: report?.worstStall ?? 0,
      ports,
    };
  }

  #reason(
    report: FlowReport | undefined,
    ports: readonly number[],
    broken: string | undefined,
    failed: readonly Failure[],
  ): string {
    if (report?.state === 'lost') {
      return report.reason;
    }
    if (broken !== undefined) {
      return broken;
    }
    if (ports.length > 1) {
      return `translated port changed: ${ports.slice(0, 4).join(', then ')}`;
    }
    const [first] = failed;
    return first === undefined
      ? ''
      : `${failed.length} of ${report?.sent} connections failed: ${first.reason}, begun at ${new Date(first.began).toISOString()}`;
  }

  #noteTwice(id: string, at: number, count: number): void {
    if (count > 0) {
      this.#twice.set(id, [...(this.#twice.get(id) ?? []), { at, count }]);
    }
  }
}

const isYoung = (began: number, { from, to }: Transition): boolean => began >= from - YOUNG_MS && began <= to;
