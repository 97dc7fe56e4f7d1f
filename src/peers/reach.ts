import { randomInt } from 'node:crypto';
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { UNTRACKED_PORTS } from '../config/types.ts';
import { FrameError } from './frames.ts';

/** A living kernel answers within a round trip, whatever its processes do; in milliseconds. */
const ANSWER_MS = 500;
/** Some of the ports may be in use. */
const TRIES = 8;

/** Where a connection leads, and from which address. */
export type Route = Pick<TcpNetConnectOpts, 'host' | 'port' | 'localAddress'>;

/**
 * Connects to a peer, first as anybody does: the connection is tracked, and its answers pass rules that let through what is
 * established. One that isn't answered, as where a connection table is full, is tried again so that no table has to enter it;
 * that one may still be on its way when it is returned. Throws a FrameError.
 *
 * @param place what errors begin with: who is at the other end
 */
export const reach = async (route: Route, place: string, signal: AbortSignal): Promise<Socket> => {
  const tracked = await attempt(route, signal);
  if (tracked.outcome !== 'silent') {
    return connected(tracked, place);
  }
  tracked.socket.destroy();
  for (let left = TRIES; ; left -= 1) {
    const localPort = randomInt(UNTRACKED_PORTS.first, UNTRACKED_PORTS.last + 1);
    const untracked = await attempt({ ...route, localPort }, signal);
    if (left <= 1 || !isTaken(untracked.outcome)) {
      return connected(untracked, place);
    }
  }
};

interface Attempt {
  readonly socket: Socket;
  /** Why it failed; `silent`: nothing was heard yet. */
  readonly outcome: 'connected' | 'silent' | NodeJS.ErrnoException;
}

const attempt = (route: TcpNetConnectOpts, signal: AbortSignal): Promise<Attempt> => {
  const socket = connect(route);
  return new Promise((resolve) => {
    const settle = (outcome: Attempt['outcome']): void => {
      clearTimeout(timer);
      socket.off('connect', succeeded);
      signal.removeEventListener('abort', aborted);
      resolve({ socket, outcome });
    };
    const succeeded = (): void => settle('connected');
    const aborted = (): void => settle(new Error('it was called off'));
    const timer = setTimeout(() => settle('silent'), ANSWER_MS);
    socket.once('connect', succeeded);
    // Also of what comes later, which its reader hears of.
    socket.on('error', settle);
    signal.aborted ? aborted() : signal.addEventListener('abort', aborted, { once: true });
  });
};

const connected = ({ socket, outcome }: Attempt, place: string): Socket => {
  if (outcome instanceof Error) {
    socket.destroy();
    throw new FrameError(`${place}: ${outcome.message}`, { cause: outcome });
  }
  return socket;
};

const isTaken = (outcome: Attempt['outcome']): boolean =>
  outcome instanceof Error && (outcome.code === 'EADDRINUSE' || outcome.code === 'EADDRNOTAVAIL');
