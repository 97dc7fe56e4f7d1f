import { addressWord, parseNetwork } from '../../cluster/address.ts';
import { FIRST_PORT, PORTS } from '../../cluster/ranges.ts';
import { Assembler, type Instruction } from '../../kernel/bpf-assembler.ts';
import { serversOf } from '../nftables/servers.ts';
import { usualEnd } from '../nftables/sorting.ts';
import { type TranslatedAddress, translatedAddresses } from '../nftables/translated.ts';
import type { Leg, Plan } from '../plan.ts';
import { swapped } from './byte-order.ts';
import { hashAddress } from './hashing.ts';

/** TC_ACT_UNSPEC: others decide. */
const PASS = 0xffff_ffff;
/** TC_ACT_SHOT. */
const DROP = 2;

const ETHER_DESTINATION = 0;
const ETHER_TYPE = 12;
const VERSION_AND_LENGTH = 14;
const FRAGMENT = 20;
const PROTOCOL = 23;
const SOURCE = 26;
const DESTINATION = 30;
/** Behind an Internet header without options. */
const DESTINATION_PORT = 36;
const TCP = 6;
const UDP = 17;
/** Of multicasts and broadcasts. */
const BEYOND_UNICAST = 0xe000_0000;
/** Half of them must be within a jump's reach, two instructions each. */
const MOST_ENDS = 128;

/**
 * A program that drops, of what comes in on `leg`, packets that the rules would drop as another node's: TCP and UDP over IPv4,
 * to the shared MAC, from or to whom nothing is an exception. Whatever it doesn't know it leaves to the rules.
 *
 * @param passed the buckets whose packets it leaves to them
 * @param own addresses that are this node's own affair
 */
export const prefilterProgram = (
  plan: Plan,
  leg: Leg,
  passed: ReadonlySet<number>,
  own: readonly string[],
): readonly Instruction[] => {
  const program = new Assembler();
  const test = () => emitTest(program, plan.buckets, passed);
  emitUsual(program, plan, leg, own);
  if (leg.side === 'outside') {
    const translated = translatedAddresses(plan, 'ip');
    for (const address of translated) emitTranslated(program, address, test);
    const others = plan.shared.ip.filter((one) => !translated.some(({ address }) => address === one));
    program.load(DESTINATION, 4);
    for (const address of others) passIf(program, bigEndian(address));
  }
  const usual = usualEnd(leg);
  if (usual === undefined) {
    program.finish(PASS);
  } else {
    hashAddress(program, usual === 'source' ? SOURCE : DESTINATION, plan);
    test();
  }
  return program.assemble();
};

/** Leaves to the rules what may be an exception. */
const emitUsual = (program: Assembler, plan: Plan, leg: Leg, own: readonly string[]): void => {
  const [, high = '', low = ''] = /^(.{8})(.{4})$/.exec(leg.mac.replaceAll(':', '')) ?? [];
  program.load(ETHER_DESTINATION, 4);
  passUnless(program, Number.parseInt(high, 16));
  program.load(ETHER_DESTINATION + 4, 2);
  passUnless(program, Number.parseInt(low, 16));
  program.load(ETHER_TYPE, 2);
  passUnless(program, 0x0800);
  program.load(VERSION_AND_LENGTH, 1);
  passUnless(program, 0x45);
  program.load(PROTOCOL, 1);
  passUnless(program, TCP, UDP);
  const hosts = serversOf(plan, 'ip');
  if (hosts.length > 0) {
    program.load(SOURCE, 4);
    for (const host of hosts) passIf(program, bigEndian(host));
  }
  program.load(DESTINATION, 4);
  passIf(program, BEYOND_UNICAST, 'atLeast');
  for (const address of [...hosts, ...own]) passIf(program, bigEndian(address));
  if (usualEnd(leg) === 'source') {
    for (const network of [...leg.before.ip, ...leg.networks.ip].map(parseNetwork)) {
      if (network.family !== 4) continue;
      program.load(DESTINATION, 4);
      program.by('and', swapped(network.mask));
      passIf(program, swapped(network.address));
    }
  }
};

/** Of what is sent to an address of SNAT the port tells the bucket. */
const emitTranslated = (
  program: Assembler,
  { address, shares }: TranslatedAddress,
  test: () => void,
): void => {
  const next = program.label();
  const known = program.label();
  const [first, second] = shares.map(({ bucket }) => bucket);
  const step = second === undefined || first === undefined ? 0 : second - first;
  program.load(DESTINATION, 4);
  program.jump('equal', bigEndian(address), known);
  program.goTo(next);
  program.place(known);
  if (first === undefined || shares.some(({ bucket }, index) => bucket !== first + index * step)) {
    program.finish(PASS);
  } else {
    program.load(FRAGMENT, 2);
    passIf(program, 0x3fff, 'anyBit');
    program.load(DESTINATION_PORT, 2);
    const translated = program.label();
    program.jump('atLeast', FIRST_PORT, translated);
    program.finish(PASS);
    program.place(translated);
    // The inverse of `portRange` in cluster/ranges.ts.
    program.by('sub', FIRST_PORT - 1);
    program.by('mul', shares.length);
    program.by('sub', 1);
    program.by('div', PORTS);
    program.by('mul', step);
    program.by('add', first);
    test();
  }
  program.place(next);
};

/** Drops what isn't of the buckets, whose number is in the accumulator. */
const emitTest = (program: Assembler, buckets: number, passed: ReadonlySet<number>): void => {
  const ends = endsOf(buckets, passed);
  const search = (from: number, to: number): void => {
    if (from === to) {
      program.finish(from % 2 === 1 ? PASS : DROP);
      return;
    }
    const middle = (from + to + 1) >> 1;
    const above = program.label();
    program.jump('atLeast', ends[middle - 1] ?? 0, above);
    search(from, middle - 1);
    program.place(above);
    search(middle, to);
  };
  search(0, ends.length);
};

/** Where buckets begin and end to be passed, in turn. With very many, those between two that are near are passed as well. */
const endsOf = (buckets: number, passed: ReadonlySet<number>): readonly number[] => {
  const ends = Array.from({ length: buckets + 1 }, (_, bucket) => bucket).filter(
    (bucket) => passed.has(bucket) !== passed.has(bucket - 1),
  );
  while (ends.length > MOST_ENDS) {
    const gaps = ends.map((end, index) =>
      index % 2 === 1 ? (ends[index + 1] ?? Number.POSITIVE_INFINITY) - end : Number.POSITIVE_INFINITY,
    );
    ends.splice(gaps.indexOf(Math.min(...gaps)), 2);
  }
  return ends;
};

const passIf = (
  program: Assembler,
  k: number,
  comparison: 'equal' | 'atLeast' | 'anyBit' = 'equal',
): void => {
  const otherwise = program.label();
  program.jump(comparison, k, undefined, otherwise);
  program.finish(PASS);
  program.place(otherwise);
};

const passUnless = (program: Assembler, ...values: readonly number[]): void => {
  const is = program.label();
  for (const value of values) program.jump('equal', value, is);
  program.finish(PASS);
  program.place(is);
};

/** An address as a program loads it. */
const bigEndian = (address: string): number => swapped(addressWord(address));
