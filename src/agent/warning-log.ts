import { type Warning, warningText } from '../cluster/warning.ts';
import type { Logger } from '../system/log.ts';

/** Logs each warning once when it begins, and its end once. The same code and object are the same warning, whatever figures it has. */
export class WarningLog {
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  #said: readonly Warning[] = [];

  constructor(log: Pick<Logger, 'info' | 'warn'>) {
    this.#log = log;
  }

  /** @param warnings all that are so now */
  tell(warnings: readonly Warning[]): void {
    const before = this.#said;
    this.#said = warnings;
    for (const warning of warnings.filter((one) => !before.some((other) => isOf(one, other)))) {
      this.#log.warn(warningText(warning));
    }
    for (const warning of before.filter((one) => !warnings.some((other) => isOf(one, other)))) {
      this.#log.info(`no longer so: ${warningText(warning)}`);
    }
  }
}

const isOf = (one: Warning, other: Warning): boolean =>
  one.code === other.code && one.object === other.object;
