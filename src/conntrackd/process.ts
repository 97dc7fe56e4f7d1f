import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { startOf } from '../system/process-start.ts';

/** A process of conntrackd's. */
export interface ConntrackdProcess {
  readonly pid: number;
  /** Clock ticks since the boot. */
  readonly start: number;
}

/** The processes of that name that live: daemons, their children, and `conntrackd -s` and the like. */
export const conntrackdProcesses = (): readonly ConntrackdProcess[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && readText(`/proc/${name}/comm`) === 'conntrackd\n')
    .flatMap((name) => {
      const start = startOf(Number(name));
      return start === undefined ? [] : [{ pid: Number(name), start }];
    });

/**
 * The process that listens on this control socket; undefined if none can be seen. Node.js doesn't tell a socket's peer
 * (SO_PEERCRED of unix(7)), so it is looked for by the socket's inode.
 */
export const listenerOn = (socket: string): ConntrackdProcess | undefined => {
  const path = realPath(socket);
  // Num RefCount Protocol Flags Type St Inode Path; flag 0x10000: it listens (proc(5), net/unix/af_unix.c).
  const inodes = new Set(
    rows('/proc/net/unix')
      .filter(([, , , flags, , , , bound]) => flags === '00010000' && bound && realPath(bound) === path)
      .map(([, , , , , , inode]) => inode),
  );
  return conntrackdProcesses().find(({ pid }) => socketsOf(pid).some((inode) => inodes.has(inode)));
};

/** What a process's UDP sockets over IPv4 are bound to, as `10.99.0.1:3780`; undefined if it can't be seen. */
export const udpEndpointsOf = (pid: number): readonly string[] | undefined => {
  const inodes = new Set(socketsOf(pid));
  const all = rows('/proc/net/udp');
  return inodes.size === 0 || all.length === 0
    ? undefined
    : // sl local rem st tx:rx tr:tm retrnsmt uid timeout inode (proc(5))
      all.filter((row) => inodes.has(row[9])).flatMap(([, local]) => (local ? [endpointOf(local)] : []));
};

/** The kernel prints the address's four bytes as one number of this machine, and the port in hexadecimal. */
const endpointOf = (text: string): string => {
  const [address = '', port = ''] = text.split(':');
  const bytes = [...Buffer.from(address, 'hex')];
  const ordered = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? bytes.reverse() : bytes;
  return `${ordered.join('.')}:${Number.parseInt(port, 16)}`;
};

const socketsOf = (pid: number): readonly (string | undefined)[] => {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .map((name) => /^socket:\[(\d+)\]$/.exec(linkAt(`/proc/${pid}/fd/${name}`))?.[1])
      .filter((inode) => inode !== undefined);
  } catch {
    return [];
  }
};

const linkAt = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

/** The directory's links followed: /var/run is one to /run. The socket itself may be gone. */
const realPath = (path: string): string => {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
};

const rows = (path: string): readonly (readonly string[])[] =>
  (readText(path) ?? '')
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.trim().split(/\s+/));

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
};
