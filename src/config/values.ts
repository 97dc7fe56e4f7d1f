import { show } from './complaint.ts';
import { parseDuration } from './duration.ts';
import { leaf, Refusal, textLeaf } from './leaf.ts';

/**
 * A name that is a host name's first label (RFC 952, RFC 1123). No underscore: groups are named `home_backup`.
 */
export const hostLabel = textLeaf('use letters, digits and hyphens, such as fw1', (name) => {
  const problem = labelProblem(name);
  return problem === undefined ? name : new Refusal(problem);
});

/** Why `name` can't name a node or the cluster. */
export const labelProblem = (name: string): string | undefined => {
  if (name.includes('_')) {
    return `${show(name)} holds an underscore, which separates the nodes in a group's name`;
  }
  if (name.includes('.')) {
    return `${show(name)} holds a dot, and nodes go by the first part of the host name`;
  }
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(name) ? undefined : `${show(name)} is no host name`;
};

/** A network interface's name. */
export const deviceName = textLeaf('use the name that `ip link` shows, such as eth1', (name) => {
  const problem = deviceProblem(name);
  return problem === undefined ? name : new Refusal(problem);
});

/**
 * Why `name` can't be an interface. The kernel forbids 16 bytes and more, `.`, `..`, slashes, colons and blanks
 * (dev_valid_name, net/core/dev.c); what nft and keepalived would need quoted is refused too, and so are the names
 * that stand for every interface under /proc/sys/net.
 */
export const deviceProblem = (name: string): string | undefined => {
  if (Buffer.byteLength(name) > 15) {
    return `${show(name)} is longer than the 15 bytes that the kernel allows`;
  }
  if (name === 'lo' || name === 'all' || name === 'default') {
    return `${show(name)} is not a network interface that has neighbours`;
  }
  return /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(name) ? undefined : `${show(name)} is no interface's name`;
};

/** The seed of the hash, 32 bits unsigned. */
export const seed = leaf('use a number from 0 to 0xffffffff, such as 0xdeadbeef', (input) => {
  const number =
    typeof input === 'string' && /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(input) ? Number(input) : input;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 0xffffffff
    ? number
    : new Refusal(`${show(input)} is not a number of 32 bits`);
});

const MOST_BUCKETS = 1024;

/** A power of two from 2 to 1024: with SNAT each bucket has 64512 / buckets ports, 63 at the least. */
export const buckets = leaf('use a power of two from 2 to 1024, such as 64', (input) => {
  if (typeof input !== 'number' || !Number.isInteger(input) || input < 2 || input > MOST_BUCKETS) {
    return new Refusal(`${show(input)} is not a number of buckets`);
  }
  const below = 2 ** Math.floor(Math.log2(input));
  return below === input
    ? input
    : new Refusal(`${input} is not a power of two`, `use ${below} or ${below * 2}`);
});

const DURATION = 'use a number with ms, s, m or h, such as 2s or 500ms';

/** A time, in milliseconds. */
export const duration = (zero: 'positive' | 'or zero') =>
  leaf(DURATION, (input) => {
    const time = readDuration(input);
    return time === 0 && zero === 'positive' ? new Refusal('must be longer than zero') : time;
  });

/** A lease in milliseconds: 0, or longer than what keepalived's check, without an agent, lets pass between two renewals. */
export const lease = leaf(DURATION, (input) => {
  const time = readDuration(input);
  return time instanceof Refusal || time === 0 || time >= SHORTEST_LEASE
    ? time
    : new Refusal(
        `${show(input)} could end while keepalived's check serves in place of an agent: it renews every 10 s`,
        'use at least 15s, or 0 for buckets that stay owned without an agent',
      );
});

const SHORTEST_LEASE = 15_000;

const readDuration = (input: unknown): number | Refusal => {
  if (typeof input === 'number' && input > 0) {
    return new Refusal(`${show(input)} has no unit`, `use ${input}s or ${input}ms`);
  }
  const time = typeof input === 'string' || input === 0 ? parseDuration(String(input)) : undefined;
  if (time === undefined) {
    return new Refusal(`${show(input)} is not a time in whole milliseconds`);
  }
  return time <= LONGEST ? time : new Refusal(`${show(input)} is too long`, 'use at most 24h');
};

/** Well below 2^31 ms, where setTimeout fires at once. */
const LONGEST = 24 * 3_600_000;

/** VRRP's advertisement interval in seconds; VRRPv3 carries it as 12 bits of centiseconds (RFC 5798, 5.2.7). */
export const advert = leaf('use seconds from 0.01 to 40.95, such as 0.1', (input) => {
  if (typeof input !== 'number' || !(input >= 0.01 && input <= 40.95)) {
    return new Refusal(`${show(input)} is not an advertisement interval`);
  }
  const centiseconds = Math.round(input * 100);
  return Math.abs(centiseconds - input * 100) < 1e-6
    ? centiseconds / 100
    : new Refusal(
        `${input} is finer than the hundredth of a second that VRRP knows`,
        `use ${centiseconds / 100}`,
      );
});

/**
 * An absolute path of at most `most` bytes, of characters that conntrackd's and keepalived's configurations take
 * unquoted.
 */
export const path = (most: number) =>
  textLeaf('use a path that begins with /', (text) => {
    if (!text.startsWith('/')) {
      return new Refusal(`${show(text)} is not an absolute path`);
    }
    if (text === '/' || !/^[A-Za-z0-9._/@+-]+$/.test(text)) {
      return new Refusal(
        `${show(text)} holds what conntrackd and keepalived can't read in a path`,
        'use letters, digits and . _ - @ + /',
      );
    }
    return text.length <= most ? text : new Refusal(`is ${text.length} bytes long`, `use at most ${most}`);
  });
