import { NativeCallsError } from '../kernel/libc.ts';
import { NotifySocket } from '../kernel/notify-socket.ts';
import type { Logger } from '../system/log.ts';
import { run } from '../system/run.ts';

/** Carries what is said to the service manager. */
export interface NotifyVoice {
  /** Whether a process is started for each word. */
  readonly costly: boolean;
  /** Returns whether it was taken. */
  readonly send: (text: string) => boolean | Promise<boolean>;
  readonly close: () => void;
}

/**
 * @param name what $NOTIFY_SOCKET holds; undefined: nobody wants to be told
 * @returns undefined if nobody can be told; that is logged
 */
export const openVoice = async (
  name: string | undefined,
  log: Pick<Logger, 'warn'>,
): Promise<NotifyVoice | undefined> => {
  if (name === undefined || name === '') {
    return undefined;
  }
  try {
    const socket = await NotifySocket.open(name);
    return { costly: false, send: (text) => socket.send(text), close: () => socket.close() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof NativeCallsError) {
      log.warn(`systemd is told by the program systemd-notify: ${reason}`);
      return PROGRAM;
    }
    log.warn(`systemd can't be told how the agent is: ${reason}`);
    return undefined;
  }
};

/** Of systemd itself. The unit has to let a child of the agent speak: NotifyAccess=all. */
const PROGRAM: NotifyVoice = {
  costly: true,
  send: async (text) => {
    await run('systemd-notify', text.split('\n'));
    return true;
  },
  close: () => {},
};

/** Milliseconds that $WATCHDOG_USEC and $WATCHDOG_PID give this process, sd_watchdog_enabled(3); 0: it isn't watched. */
export const watchdogOf = (env: NodeJS.ProcessEnv, pid: number): number => {
  const microseconds = Number(env['WATCHDOG_USEC']);
  const meant = env['WATCHDOG_PID'];
  const mine = meant === undefined || meant === '' || Number(meant) === pid;
  return mine && Number.isSafeInteger(microseconds) && microseconds > 0 ? microseconds / 1000 : 0;
};
