/** No agent answers. Exit status 3. */
export class NoAgentError extends Error {
  override readonly name = 'NoAgentError';
}

/** The agent's answer was an error, or none. */
export class ControlError extends Error {
  override readonly name: string = 'ControlError';
}

/** This user may not ask the agent. */
export class ControlAccessError extends ControlError {
  override readonly name = 'ControlAccessError';
}
