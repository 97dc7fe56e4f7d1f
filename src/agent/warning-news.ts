import { type Warning, warningText } from '../cluster/warning.ts';
import type { Logger } from '../system/log.ts';

/** Shorter than that, and it is no news: groups move, and peers are restarted. Milliseconds. */
const LASTING_MS = 2000;
/** After the agent's start peers and managers come one after another. Milliseconds. */
const STARTING_MS = 15_000;

/** Logs what nodes and groups are warned of, once it has lasted, and its end. */
export class WarningNews {
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  #begun: number | undefined;
  /** What is so now, since when, and whether that was said; by code and object. */
  #known: ReadonlyMap<string, { readonly since: number; readonly said: boolean; readonly text: string }> =
    new Map();

  constructor(log: Pick<Logger, 'info' | 'warn'>) {
    this.#log = log;
  }

  /** @param now milliseconds of a monotonic clock */
  look(warnings: readonly Warning[], now: number): void {
    this.#begun ??= now;
    const started = now - this.#begun >= STARTING_MS;
    const before = this.#known;
    this.#known = new Map(
      warnings.map((warning) => {
        const key = `${warning.code} ${warning.object}`;
        const { since, said } = before.get(key) ?? { since: now, said: false };
        const due = started && !said && now - since >= LASTING_MS;
        if (due) {
          this.#log.warn(warningText(warning));
        }
        return [key, { since, said: said || due, text: warningText(warning) }];
      }),
    );
    for (const [key, { said, text }] of before) {
      if (said && !this.#known.has(key)) {
        this.#log.info(`no longer so: ${text}`);
      }
    }
  }
}
