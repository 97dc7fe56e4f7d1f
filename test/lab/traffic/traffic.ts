import { join } from 'node:path';
import { bundle } from '../../../scripts/bundle.ts';
import type { Client, Lab } from '../rig/lab.ts';
import type { Machine } from '../rig/machine.ts';
import { type ClientPlan, SERVER } from '../rig/plan.ts';
import { until } from '../rig/wait.ts';
import { type FlowVerdict, Ledger } from '../verdict/ledger.ts';
import { type ClientReport, type Command, type FlowSpec, type ServerReport, SILENCE } from './flow.ts';
import { Program } from './program.ts';

/**
 * A server is a machine of its own: the firewalls' conntrackd, which is realtime (1), must not take its processor from it. With 200 000
 * states on their way its queue of new connections overflowed, as `nstat TcpExtListenOverflows` said.
 */
const AHEAD_OF_CONNTRACKD = ['chrt', '--rr', '2'];

type ClientProgram = Program<ClientReport, Command>;

/** Real flows between the lab's clients and its servers, and what became of them. */
export class Traffic {
  readonly #ledger: Ledger;
  readonly #clients = new Map<string, ClientProgram>();
  /** When each client has last reported, Date.now(). */
  readonly #reported = new Map<string, number>();
  readonly #used = new Set<string>();
  readonly #idle = new Set<string>();
  readonly #servers: Program<ServerReport, never>[] = [];

  private constructor(lab: Lab) {
    this.#ledger = new Ledger(() => lab.nodes.flatMap(({ powerCuts }) => powerCuts));
  }

  /** Starts a program in each server and client. Flows are added afterwards. */
  static async start(lab: Lab): Promise<Traffic> {
    const program = async (name: string): Promise<string> => {
      // Beside the run's other files, so that it is never stale and no two runs write the same file.
      const file = join(lab.run.path, 'programs', `${name}.cjs`);
      await bundle(`test/lab/traffic/${name}.ts`, file);
      return file;
    };
    const [clientFile, serverFile] = await Promise.all([program('client'), program('server')]);
    const traffic = new Traffic(lab);
    const ready = new Set<Machine>();
    const servers = [lab.server, ...(lab.dmzServer === undefined ? [] : [lab.dmzServer])];
    for (const server of servers) {
      const take = (report: ServerReport): void => {
        ready.add(server);
        traffic.#ledger.takeServer(report);
      };
      traffic.#servers.push(
        new Program<ServerReport, never>(server, [serverFile], take, AHEAD_OF_CONNTRACKD),
      );
    }
    for (const client of [...lab.clients, ...lab.outsiders]) {
      traffic.#clients.set(client.plan.name, traffic.#startClient(client, clientFile));
    }
    await until(
      "the servers' first reports",
      () => ready.size === servers.length || traffic.#servers.map(({ errors }) => errors).join(''),
      10_000,
      (state) => state === true,
    );
    return traffic;
  }

  /** Starts flows, each at the client that its id begins with (`c1.busy`). */
  add(specs: readonly FlowSpec[]): void {
    for (const spec of specs) {
      this.#ledger.add(spec);
      if (spec.kind === 'idle') {
        this.#idle.add(spec.id);
      }
    }
    for (const [name, program] of this.#clients) {
      const own = specs.filter(({ id }) => id.startsWith(`${name}.`));
      if (own.length > 0) {
        program.tell({ do: 'add', flows: own });
      }
    }
  }

  /** Waits until every flow has had an answer. */
  async ready(boundMs = 10_000): Promise<void> {
    await until(
      'an answer on every flow',
      () =>
        this.snapshot()
          .filter(({ state }) => state !== 'up')
          .map(({ id, reason }) => `${id} ${reason}`),
      boundMs,
      (missing) => missing.length === 0,
    );
  }

  /** The verdicts as they would be now; at most 100 ms old. */
  snapshot(): FlowVerdict[] {
    return this.#ledger.verdicts();
  }

  /** The longest that any flow has waited for an answer since this was asked last, in milliseconds. */
  takeStall(): number {
    return this.#ledger.takeStall();
  }

  /** New connections that have failed until now count no more. Returns how many those are since this was called last. */
  forgiveConnections(): number {
    return this.#ledger.forgiveConnections();
  }

  /** One flow's verdict. */
  flow(id: string): FlowVerdict {
    const verdict = this.snapshot().find((each) => each.id === id);
    if (verdict === undefined) {
      throw new RangeError(`there is no flow ${id}`);
    }
    return verdict;
  }

  /** Puts the idle flows to use, and waits until each is answered or lost. */
  async useIdle(): Promise<void> {
    this.#used.clear();
    for (const program of this.#clients.values()) {
      program.tell({ do: 'use' });
    }
    await until(
      'the idle flows to be answered or lost',
      () => [...this.#idle].filter((id) => !this.#used.has(id)),
      SILENCE + 3000,
      (missing) => missing.length === 0,
    );
  }

  /**
   * Waits until every flow has been answered once more (idle ones are used) or is lost, ends all, and returns the final
   * verdicts. So a flow that died just before counts.
   */
  async stop(): Promise<FlowVerdict[]> {
    await this.#freshReports();
    const before = new Map(this.snapshot().map(({ id, answered }) => [id, answered]));
    await this.useIdle();
    await until(
      'every flow to be answered or lost',
      () =>
        this.snapshot()
          .filter(({ id, lost, answered }) => !lost && answered <= (before.get(id) ?? 0))
          .map(({ id }) => id),
      SILENCE + 3000,
      (undecided) => undecided.length === 0,
    );
    await Promise.all([...this.#clients.values()].map((program) => program.end()));
    await Promise.all(this.#servers.map((program) => program.end()));
    const errors = [...this.#clients.values(), ...this.#servers].map((program) => program.errors).join('');
    if (errors !== '') {
      throw new Error(`a traffic program failed: ${errors}`);
    }
    return this.#ledger.verdicts();
  }

  /** Waits until every client has reported what was so when this was called. */
  async #freshReports(): Promise<void> {
    const called = Date.now();
    await until(
      'a report of every client',
      () => [...this.#clients.keys()].filter((name) => (this.#reported.get(name) ?? 0) <= called),
      5000,
      (silent) => silent.length === 0,
    );
  }

  #startClient({ machine, plan }: Client, file: string): ClientProgram {
    return new Program<ClientReport, Command>(machine, [file, SERVER], (report) => {
      this.#reported.set(plan.name, report.at);
      this.#ledger.takeClient(report);
      for (const id of report.used) {
        this.#used.add(id);
      }
    });
  }
}

/** One flow of each kind from a client's first address. */
export const standardFlows = ({ name, addresses }: ClientPlan): FlowSpec[] => {
  const [from = ''] = addresses;
  return [
    { id: `${name}.busy`, kind: 'busy', from },
    { id: `${name}.idle`, kind: 'idle', from },
    { id: `${name}.udp`, kind: 'udp', from },
    { id: `${name}.ping`, kind: 'ping', from },
    { id: `${name}.bulk`, kind: 'bulk', from },
    { id: `${name}.connects`, kind: 'connects', from },
  ];
};
