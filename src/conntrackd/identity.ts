import { stat } from 'node:fs/promises';

/**
 * Which conntrackd it is: a text that changes whenever one starts on this control socket, undefined if there is no
 * socket. It says nothing about whether it lives: one that was killed leaves its socket behind, with its identity.
 *
 * conntrackd unlinks the path and binds it anew at every start (src/local.c), so the socket is a new inode; numbers may
 * be given out again, so the time of its birth goes with it (on a file system without one, that of its last change).
 * The pid isn't told anywhere, and the uptime only in minutes. A second conntrackd on the same path shows as well: it
 * is the one that answers from then on.
 *
 * The socket is bound before the kernel's table is loaded, but commands are answered only after. So of two equal
 * identities, one read before a command and one after its answer, the command went to that conntrackd.
 */
export const identityOf = async (socketPath: string): Promise<string | undefined> => {
  try {
    const { dev, ino, birthtimeNs, ctimeNs } = await stat(socketPath, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs > 0n ? birthtimeNs : ctimeNs}`;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
};
