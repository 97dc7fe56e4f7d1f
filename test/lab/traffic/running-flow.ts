/** A flow that a client is running. */
export interface RunningFlow {
  /** Puts an idle flow to use once; resolves when it was answered or is lost. Others: nothing. */
  use(): Promise<void>;
  /** Ends it and its timers; what happens afterwards doesn't count. */
  stop(): void;
}
