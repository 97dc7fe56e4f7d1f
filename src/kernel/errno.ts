import { constants } from 'node:os';

/** Numbers that netfilter answers with and that Node's table lacks, include/uapi/asm-generic/errno.h. */
const MORE: Readonly<Record<string, number>> = { ERESTART: 85, ESTALE: 116 };

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries({ ...MORE, ...constants.errno })
    // Another name of EAGAIN, which netfilter's own sources use.
    .filter(([name]) => name !== 'EWOULDBLOCK')
    .map(([name, number]) => [number, name]),
);

/** The name of an error number, such as ENOENT for 2; `errno 4711` if it has none. */
export const errnoName = (errno: number): string => NAMES.get(errno) ?? `errno ${errno}`;

const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['EPERM', 'needs CAP_NET_ADMIN: run it as root'],
  ['ENOENT', 'no such object'],
  ['EEXIST', 'it exists already'],
  ['EBUSY', 'it is in use or cannot change so'],
  ['EINVAL', 'the kernel finds the request invalid'],
  ['ENOMEM', 'the table or the memory is full: see nf_conntrack_max'],
  ['ENOBUFS', 'a queue is full: try again'],
  ['EAFNOSUPPORT', 'this kernel was built without it'],
  ['EOPNOTSUPP', 'this kernel was built without it'],
  ['EPROTONOSUPPORT', 'this kernel was built without it'],
]);

/** What an error number means here, in a few words; empty for one that speaks for itself. */
export const errnoMeaning = (errno: number): string => MEANINGS.get(errnoName(errno)) ?? '';
