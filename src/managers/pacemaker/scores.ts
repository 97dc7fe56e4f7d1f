import PQueue from 'p-queue';

/** How often what was published is published again: a restarted Pacemaker has forgotten it. */
const REPEAT_MS = 30_000;
/** How long nothing is published after that has failed: Pacemaker doesn't run, most likely. */
const RETRY_MS = 5000;

export interface ScoresEdge {
  /** The resource that Pacemaker has started for a group on this node; undefined: none. */
  readonly resourceOf: (group: string) => string | undefined;
  /** Runs attrd_updater(8) with these arguments. */
  readonly update: (args: readonly string[]) => Promise<unknown>;
  /** What could not be published, once for each new reason. */
  readonly failed: (reason: string) => void;
}

interface Published {
  readonly resource: string;
  readonly score: number | undefined;
  readonly at: number;
}

/**
 * Publishes this node's promotion scores: the node attribute `master-RESOURCE`, which lives until the node's cluster
 * stops (pcmk_promotion_score_name() in Pacemaker's lib/common/scores.c). Only for resources that Pacemaker has started.
 */
export class Scores {
  readonly #edge: ScoresEdge;
  readonly #published = new Map<string, Published>();
  /** One after the other: the newest must win. */
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #waiting = new Map<string, number | undefined>();
  #failure = '';
  #retryAt = Number.NEGATIVE_INFINITY;

  constructor(edge: ScoresEdge) {
    this.#edge = edge;
  }

  /** The group's score on this node from now on; undefined: it is not to be promoted here. Call it again and again. */
  set(group: string, score: number | undefined, now: number): void {
    const resource = this.#edge.resourceOf(group);
    if (resource === undefined) {
      this.#published.delete(group);
      return;
    }
    const before = this.#published.get(group);
    const known = before?.resource === resource && before.score === score && now - before.at < REPEAT_MS;
    if (known || now < this.#retryAt || (this.#waiting.has(group) && this.#waiting.get(group) === score)) {
      return;
    }
    this.#waiting.set(group, score);
    void this.#queue.add(() => this.#publish(group, resource, now));
  }

  async #publish(group: string, resource: string, at: number): Promise<void> {
    if (!this.#waiting.has(group)) {
      return;
    }
    const score = this.#waiting.get(group);
    this.#waiting.delete(group);
    const attribute = `master-${resource}`;
    try {
      await this.#edge.update(
        score === undefined ? ['-n', attribute, '-D'] : ['-n', attribute, '-U', String(score)],
      );
      this.#published.set(group, { resource, score, at });
      this.#failure = '';
    } catch (error) {
      this.#retryAt = at + RETRY_MS;
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.#failure) {
        this.#failure = reason;
        this.#edge.failed(reason);
      }
    }
  }
}
