import { groupsOf } from '../../cluster/groups.ts';
import { type Warning, warningText } from '../../cluster/warning.ts';
import type { ClusterConfig } from '../../config/types.ts';
import type { Logger } from '../../system/log.ts';
import { confFaults } from './conf-check.ts';
import { type ConfBlock, readConf } from './conf-file.ts';

const LOOK_MS = 2000;

/** Watches whether the keepalived.conf of this machine has what this cluster needs of it. It changes nothing there. */
export class ConfWatch {
  readonly #config: Pick<ClusterConfig, 'paths' | 'keepalived'>;
  readonly #groups: ReturnType<typeof groupsOf>;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #runs: () => boolean;
  #warnings: readonly Warning[] = [];
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param log gets each fault once
   * @param runs whether keepalived does: without it a file that isn't there is none that is missed
   */
  constructor(config: ClusterConfig, log: Pick<Logger, 'warn'>, runs: () => boolean) {
    this.#config = config;
    this.#groups = groupsOf(config);
    this.#log = log;
    this.#runs = runs;
  }

  /** What it lacks. */
  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  /** Begins to look, every other second. */
  begin(): void {
    this.look();
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  look(): void {
    const warnings = this.#faults();
    const known = this.#warnings.map(({ text }) => text);
    for (const warning of warnings.filter(({ text }) => !known.includes(text))) {
      this.#log.warn(warningText(warning));
    }
    this.#warnings = warnings;
  }

  #faults(): readonly Warning[] {
    let blocks: readonly ConfBlock[];
    try {
      blocks = readConf(this.#config.paths.keepalivedConf);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return this.#runs()
        ? [
            {
              code: 'keepalived-conf',
              object: this.#config.paths.keepalivedConf,
              text: `keepalived runs with a configuration that isn't where paths.keepalivedConf says (${why}): whether it is this cluster's can't be seen; correct the path`,
            },
          ]
        : [];
    }
    return confFaults(blocks, this.#config, this.#groups);
  }
}
