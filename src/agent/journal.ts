import type { Group } from '../cluster/groups.ts';
import { readiness } from '../cluster/readiness.ts';
import type { Logger } from '../system/log.ts';
import { Damper } from './damper.ts';
import type { AgentFiles } from './files.ts';
import type { AgentParts } from './parts.ts';
import type { Change, Round } from './round.ts';

/** Tells the world what the rounds did: one log line a transition, a file for each group, readiness for the manager. */
export class Journal {
  readonly #groups: readonly Group[];
  readonly #files: AgentFiles;
  readonly #log: Logger;
  readonly #announce: AgentParts['announce'];
  readonly #since = new Map<string, string>();
  readonly #damper = new Damper();

  constructor(groups: readonly Group[], files: AgentFiles, log: Logger, announce: AgentParts['announce']) {
    this.#groups = groups;
    this.#files = files;
    this.#log = log;
    this.#announce = announce;
  }

  /** @param flows that this node's kernel holds now */
  tookOver(change: Change, flows: number): void {
    this.#note('took over', change, `; ${flows} flows held`);
  }

  released(change: Change): void {
    this.#note('released', change, '');
  }

  /** When this node's role last changed, ISO 8601; null: not since the agent started. */
  since(group: string): string | null {
    return this.#since.get(group) ?? null;
  }

  publish({ snapshot, decisions }: Round): void {
    for (const line of this.#damper.summaries(snapshot.now)) {
      this.#log.warn(line);
    }
    for (const { name, active } of snapshot.groups) {
      const reason = decisions.find((decision) => decision.group === name)?.reason ?? '';
      this.#files.writeGroup(name, active > 0 ? 'owner' : 'replica', reason, this.since(name) ?? '');
    }
    for (const [index, each] of readiness(snapshot).entries()) {
      this.#announce(each, (snapshot.groups[index]?.active ?? 0) > 0);
    }
  }

  #note(verb: string, { decisions, milliseconds }: Change, more: string): void {
    for (const { group, reason } of decisions) {
      const buckets = this.#groups.find(({ name }) => name === group)?.buckets.length ?? 0;
      this.#since.set(group, new Date().toISOString());
      if (this.#damper.admits(group, `${verb}: ${reason}`, performance.now())) {
        this.#log.info(
          `${verb} ${group} (${buckets} buckets) in ${milliseconds.toFixed(1)} ms: ${reason}${more}`,
        );
      }
    }
  }
}
