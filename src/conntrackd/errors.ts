/** conntrackd could not be asked. The subclasses say which mend helps. */
export class ConntrackdError extends Error {
  override readonly name: string = 'ConntrackdError';
}

/** Nobody listens on the control socket: conntrackd isn't running, or listens elsewhere. */
export class ConntrackdAbsent extends ConntrackdError {
  override readonly name = 'ConntrackdAbsent';
}

/**
 * conntrackd has taken the connection (or its backlog is full) and doesn't answer. **The command may still be carried
 * out later**: a stopped daemon that runs on reads what lies in its backlog, from clients long gone.
 */
export class ConntrackdStuck extends ConntrackdError {
  override readonly name = 'ConntrackdStuck';
}

/** conntrackd runs in a mode in which the command would do harm. Nothing was sent but a question. */
export class ConntrackdUnfit extends ConntrackdError {
  override readonly name = 'ConntrackdUnfit';
}

/** An answer that isn't what conntrackd 1.4 prints. `line` counts from 1; 0 when something is missing altogether. */
export class MalformedAnswer extends ConntrackdError {
  override readonly name = 'MalformedAnswer';
  readonly line: number;

  constructor(subject: string, line: number, problem: string) {
    const place = line > 0 ? `line ${line}` : 'the answer';
    super(
      `conntrackd's ${subject}: ${place}: ${problem}; is it conntrackd 1.4, and the right control socket?`,
    );
    this.line = line;
  }
}
