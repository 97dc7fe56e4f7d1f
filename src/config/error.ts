/** One mistake in the configuration, in words for the administrator. */
export interface Mistake {
  /** The configuration's file; undefined when the mistake is elsewhere (an option, the environment). */
  readonly file: string | undefined;
  /** From 1; undefined when no place in the file can be named. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** The key, such as `interfaces.eth1.mac`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong. */
  readonly problem: string;
  /** What would be right. */
  readonly mend: string;
}

/** The configuration can't be used. Holds every mistake that was found; the message has one line for each. */
export class ConfigError extends Error {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[], options?: ErrorOptions) {
    super(mistakes.map(mistakeText).join('\n'), options);
    this.name = 'ConfigError';
    this.mistakes = mistakes;
  }
}

/** `/etc/conntrack-ha/cluster.yaml:12:9: interfaces.eth1.mac: "..." is not ...; use ...` */
const mistakeText = (mistake: Mistake): string => {
  const { file, line, column, path, problem, mend } = mistake;
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  const text = [place, path, `${problem}; ${mend}`].filter((part) => part !== '').join(': ');
  // One line a mistake, whatever a key or a value holds.
  return text.replace(CONTROL, ' ');
};

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
